//! The threads of a WSGI app: Python's own, for what an app keeps in a thread (`threading.local`) stays there from call
//! to call. Each takes calls from the queue and runs them. Knows no exchange.

use std::sync::Arc;

use api::http1::encode::Prepared;
use bytes::Bytes;
use pyloop::gil::{self, Kept};
use pyo3::exceptions::{PyConnectionResetError, PyException};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::environ::{Request, Template};
use super::line::{Line, Message};
use super::queue::{From, Queue};
use super::response::Response;
use crate::errors;
use crate::ffi::Context;
use crate::request_id;

/// The request's body, as far as it is known before the call.
pub enum Body {
    /// All of it.
    Whole(Bytes),
    /// It comes as the app reads.
    Streamed,
}

/// A call to be made. Dropped before that, it is no response.
pub struct Call {
    pub request: Request,
    pub body: Body,
    pub line: Arc<Line>,
}

impl Drop for Call {
    fn drop(&mut self) {
        // Behind a whole response this is not heard any more.
        let _ = self.line.send([Message::Fail]);
    }
}

/// What every call of one app needs.
pub struct App {
    callable: Kept<PyAny>,
    template: Template,
    file_wrapper: Kept<PyAny>,
    /// Gives `wsgi.input` of a function that gives the next part of a body.
    stream: Kept<PyAny>,
    bytes_io: Kept<PyAny>,
    /// Each call runs in a copy.
    context: Context,
    /// Whether a client is shown why the app failed.
    shows_errors: bool,
    logger: Kept<PyAny>,
    pub queue: Queue<Call>,
}

impl App {
    /// What `wsgi`, a `data_bridge.wsgi.Wsgi`, describes.
    pub fn new(wsgi: &Bound<'_, PyAny>, shows_errors: bool) -> PyResult<Arc<Self>> {
        let py = wsgi.py();
        let get = |name| wsgi.getattr(name);
        let constants = get("constants")?.cast_into::<PyDict>()?;
        let root_path: String = get("root_path")?.extract()?;
        Ok(Arc::new(Self {
            callable: Kept::from(get("app")?),
            template: Template::new(&constants, &root_path)?,
            file_wrapper: Kept::from(get("file_wrapper")?),
            stream: Kept::from(get("stream")?),
            bytes_io: Kept::from(py.import("io")?.getattr("BytesIO")?),
            context: Context::copy_current(py)?,
            shows_errors,
            logger: Kept::from(errors::logger(py)?),
            queue: Queue::new(get("threads")?.extract()?),
        }))
    }

    /// One more thread.
    pub fn hire(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let number = self.queue.enter();
        let started = self.start(py, number);
        if started.is_err() {
            self.queue.leave();
        }
        started
    }

    fn start(self: &Arc<Self>, py: Python<'_>, number: usize) -> PyResult<()> {
        let options = PyDict::new(py);
        options.set_item("target", Bound::new(py, Worker(Arc::clone(self)))?)?;
        options.set_item("name", format!("wsgi-{number}"))?;
        let threads = py.import("data_bridge.threads_left")?;
        let thread = threads.call_method("CallThread", (), Some(&options))?;
        thread.call_method0("start").map(drop)
    }

    fn run(&self, py: Python<'_>, call: &Call) {
        call.line.begin();
        let context = self.context.copy(py);
        let called =
            context.and_then(|context| context.run(py, || self.call_or_complain(py, call)));
        if let Err(error) = called.flatten() {
            error.write_unraisable(py, Some(self.callable.bind(py)));
        }
    }

    fn call_or_complain(&self, py: Python<'_>, call: &Call) -> PyResult<()> {
        if let Some(name) = &call.request.name {
            request_id::set(py, name)?;
        }
        let Err(error) = self.call(py, call) else {
            return Ok(());
        };
        // Up to 3.11 the exception itself does not know its traceback yet.
        let error = PyErr::from_value(error.into_value(py).into_bound(py).into_any());
        if self.shows_errors {
            show(py, &error, call)?;
        }
        self.complain(py, &error, call)
    }

    fn call(&self, py: Python<'_>, call: &Call) -> PyResult<()> {
        let environ = self.template.environ(py, &call.request)?;
        environ.set_item(intern!(py, "wsgi.input"), self.input(py, call)?)?;
        let response = Bound::new(py, Response::new(Arc::clone(&call.line)))?;
        let result = self.callable.bind(py).call1((environ, &response))?;
        let taken = response.get().take(&result, self.file_wrapper.bind(py));
        let closed = match result.getattr_opt(intern!(py, "close"))? {
            Some(close) => close.call0().map(drop),
            None => Ok(()),
        };
        taken.and(closed)
    }

    fn input<'py>(&self, py: Python<'py>, call: &Call) -> PyResult<Bound<'py, PyAny>> {
        match &call.body {
            Body::Whole(body) if body.is_empty() => self.bytes_io.bind(py).call0(),
            Body::Whole(body) => {
                let body = PyBytes::new(py, body);
                self.bytes_io.bind(py).call1((body,))
            }
            Body::Streamed => {
                let next = Bound::new(py, NextPart(Arc::clone(&call.line)))?;
                self.stream.bind(py).call1((next,))
            }
        }
    }

    fn complain(&self, py: Python<'_>, error: &PyErr, call: &Call) -> PyResult<()> {
        if call.line.is_gone() && errors::is_farewell(py, error) {
            return Ok(());
        }
        let logger = self.logger.bind(py);
        if error.is_instance_of::<PyException>(py) {
            return errors::log(logger, "Exception in WSGI application", Some(error));
        }
        let text = format!("the WSGI application raised {}", error.value(py).repr()?);
        errors::log(logger, &text, Some(error))
    }
}

/// Answers with the traceback, where nothing was answered yet.
fn show(py: Python<'_>, error: &PyErr, call: &Call) -> PyResult<()> {
    let headers = [("content-type", "text/plain; charset=utf-8")];
    let head = Prepared::new(500, headers).map_err(|error| errors::response(&error))?;
    let text = errors::traceback(py, error)?;
    // Where somebody has answered, nobody listens.
    let _ = call.line.send([Message::Whole(head, text.into())]);
    Ok(())
}

/// What one of the threads does.
#[pyclass(frozen, module = "data_bridge._native")]
struct Worker(Arc<App>);

#[pymethods]
impl Worker {
    fn __call__(&self, py: Python<'_>) {
        let queue = &self.0.queue;
        while gil::detach(py, || queue.wait()) {
            let mut from = From::Sleep;
            while let Some(taken) = queue.take(from) {
                if taken.hires
                    && let Err(error) = self.0.hire(py)
                {
                    error.write_unraisable(py, None);
                }
                self.0.run(py, &taken.job);
                drop(taken);
                // The loop's thread, which drops what it has sent, may not be attached for hours.
                gil::drop_deferred(py);
                from = From::Work;
            }
        }
        queue.leave();
    }
}

/// Gives the next part of a request's body, `b""` at its end. `ConnectionResetError` where it does not come.
#[pyclass(frozen, module = "data_bridge._native")]
struct NextPart(Arc<Line>);

#[pymethods]
impl NextPart {
    fn __call__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        match gil::detach(py, || self.0.read()) {
            Ok(part) => Ok(PyBytes::new(py, &part.unwrap_or_default())),
            Err(error) => Err(PyConnectionResetError::new_err(error.to_string())),
        }
    }
}
