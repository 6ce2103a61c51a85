//! A response that is made piece by piece: its coroutine as a task, the sink that it writes to, and its end when the
//! client leaves.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use api::exchange::Exchange;
use pyloop::gil::Kept;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::answer::{Answering, fields, raw_headers, refused, work_of};
use super::{Own, background};
use crate::coroutine::awaitable;
use crate::errors;
use crate::executor::{Owed, Shared};
use crate::ffi::{self, ThreadBound};
use crate::leaving::{Leaving, OnDisconnect};
use crate::plan::Operation;
use crate::task::Started;

/// Whether a response object streams its body.
pub fn is_stream(response: &Bound<'_, PyAny>) -> bool {
    response
        .hasattr(intern!(response.py(), "body_iterator"))
        .unwrap_or(false)
}

/// Answers with `response`, a `data_bridge.StreamingResponse`.
pub fn start(owed: Owed<Own>, response: &Bound<'_, PyAny>) {
    let py = response.py();
    let Owed {
        shared,
        found,
        exchange,
        background,
        ..
    } = owed;
    let background = match work_of(response) {
        Ok(Some(work)) => Some(Kept::from(work)),
        _ => background,
    };
    let event_loop = shared.face.event_loop.clone_ref(py);
    let streamed = Streamed {
        shared,
        operation: found.operation,
        exchange: Rc::new(exchange),
        background,
        leaving: None,
    };
    let sink = Sink(ThreadBound::new(Open {
        exchange: Rc::clone(&streamed.exchange),
        event_loop,
    }));
    let started = Bound::new(py, sink)
        .and_then(|sink| response.call_method1(intern!(py, "stream_to"), (sink,)))
        .and_then(|coroutine| streamed.shared.tasks.start(py, &coroutine));
    match started {
        Ok(Started::Running(task)) => streamed.follow(&task),
        Ok(Started::Finished(result)) => streamed.ended(py, result.map(drop)),
        Err(error) => streamed.ended(py, Err(error)),
    }
}

/// A response in the making.
struct Streamed {
    shared: Rc<Shared<Own>>,
    operation: Arc<Operation>,
    exchange: Rc<Exchange>,
    background: Option<Kept<PyAny>>,
    /// Told when the client leaves; the exchange holds it weakly.
    leaving: Option<Rc<Leaving>>,
}

impl Streamed {
    fn follow(mut self, task: &Bound<'_, PyAny>) {
        let py = task.py();
        // Whatever the method: nobody reads the rest of a stream.
        let cancels = self.shared.policy_of(&self.operation) != OnDisconnect::Ignore;
        self.leaving = Some(Leaving::watch(&self.exchange, task, cancels));
        let running = Rc::clone(&self.shared.running);
        let held = running.hold(py, task, Ending(ThreadBound::new(RefCell::new(Some(self)))));
        if let Err(error) = held {
            error.write_unraisable(py, Some(task));
        }
    }

    fn ended(self, py: Python<'_>, result: PyResult<()>) {
        match (result, &self.background) {
            (Ok(()), Some(work)) => background::start(&self.shared, &self.operation, work.bind(py)),
            (Ok(()), None) => {}
            (Err(error), _) => {
                let answering = Answering {
                    own: &self.shared.face,
                    operation: &self.operation,
                    exchange: &self.exchange,
                };
                answering.fail(py, &error);
            }
        }
        // Python may keep the sink; the exchange is not to wait for that.
        self.exchange.fail();
    }
}

/// Called when a suspended stream is done.
#[pyclass(frozen, module = "data_bridge._native")]
struct Ending(ThreadBound<RefCell<Option<Streamed>>>);

#[pymethods]
impl Ending {
    fn __call__(&self, py: Python<'_>, task: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Some(streamed) = self.0.get().ok_or_else(errors::foreign_thread)?.take() {
            streamed.shared.running.release(task);
            streamed.ended(py, task.call_method0(intern!(py, "result")).map(drop));
        }
        Ok(())
    }
}

/// `data_bridge.responses.Sink` over an exchange.
#[pyclass(frozen, module = "data_bridge._native")]
struct Sink(ThreadBound<Open>);

struct Open {
    exchange: Rc<Exchange>,
    event_loop: Kept<PyAny>,
}

impl Sink {
    fn open(&self) -> PyResult<&Open> {
        self.0.get().ok_or_else(errors::foreign_thread)
    }
}

#[pymethods]
impl Sink {
    /// Begins the response. The head goes out with the first piece of the body.
    fn start(&self, py: Python<'_>, status: u16, headers: &Bound<'_, PyAny>) -> PyResult<()> {
        let headers = raw_headers(headers)?;
        self.open()?
            .exchange
            .start(status, fields(&headers))
            .map_err(|error| refused(py, &error))
    }

    /// Sends a piece; gives an awaitable where the client has to take some of it first.
    fn write<'py>(
        &self,
        py: Python<'py>,
        piece: &Bound<'py, PyBytes>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let open = self.open()?;
        if !piece.as_bytes().is_empty() {
            open.exchange
                .write(ffi::chunk(piece))
                .map_err(|error| refused(py, &error))?;
        }
        if open.exchange.is_writable() {
            return Ok(None);
        }
        let exchange = Rc::clone(&open.exchange);
        let room = async move { exchange.writable().await };
        awaitable(open.event_loop.bind(py), room, |py, ()| {
            Ok(py.None().into_bound(py))
        })
        .map(Some)
    }

    /// Ends the response.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.open()?
            .exchange
            .finish()
            .map_err(|error| refused(py, &error))
    }
}
