//! A call of a native handler that Python drives: `data_bridge.routing.native_handler` polls, sends and receives.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use api::native::foreign::Task;
use bytes::Bytes;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use super::NativeHandler;
use super::carrier::{Asked, OverAsgi, Pair, Said};
use crate::errors;
use crate::ffi::ThreadBound;

/// One request in a handler's hands. All of it on one thread.
#[pyclass(frozen, module = "data_bridge._native")]
pub struct NativeCall(ThreadBound<RefCell<State>>);

struct State {
    /// `None` once it is done or given up.
    task: Option<Task<OverAsgi>>,
    signal: Option<Signal>,
}

/// Tells a loop, whatever its kind, from any thread and without the interpreter: by a descriptor that becomes readable.
struct Signal {
    ear: UnixStream,
    waker: Waker,
}

struct Bell(UnixStream);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        // Where the socket is full, it is readable already.
        let _ = (&self.0).write(&[0]);
    }
}

impl Signal {
    fn new() -> io::Result<Self> {
        let (ear, bell) = UnixStream::pair()?;
        ear.set_nonblocking(true)?;
        bell.set_nonblocking(true)?;
        Ok(Self {
            ear,
            waker: Waker::from(Arc::new(Bell(bell))),
        })
    }

    /// Forgets the rings so far.
    fn clear(&self) {
        let mut rings = [0; 64];
        while matches!((&self.ear).read(&mut rings), Ok(count) if count == rings.len()) {}
    }
}

#[pymethods]
impl NativeCall {
    /// Hands a request over. `RuntimeError` where the handler fails at once.
    #[new]
    #[pyo3(signature = (handler, *, method, path, query, prefix, params, headers, body_length, request_id, client, secure))]
    #[expect(
        clippy::too_many_arguments,
        reason = "a request's parts, by their names"
    )]
    fn new(
        handler: &Bound<'_, NativeHandler>,
        method: String,
        path: Vec<u8>,
        query: Vec<u8>,
        prefix: usize,
        params: Vec<(String, String)>,
        headers: Vec<Pair>,
        body_length: Option<u64>,
        request_id: Option<String>,
        client: Option<(String, u16)>,
        secure: bool,
    ) -> PyResult<Self> {
        // What is no IP address, such as a test client's name, is unknown to handlers.
        let client =
            client.and_then(|(host, port)| Some(SocketAddr::new(host.parse().ok()?, port)));
        let carrier = OverAsgi::new(Asked {
            method,
            path,
            query,
            prefix,
            params,
            fields: headers,
            body_length,
            request_id,
            client,
            is_secure: secure,
        });
        let task = Task::new(&handler.get().foreign(), carrier);
        let failed = || PyRuntimeError::new_err("the native handler failed, as the log says");
        let task = Some(task.ok_or_else(failed)?);
        Ok(Self(ThreadBound::new(RefCell::new(State {
            task,
            signal: None,
        }))))
    }

    /// Goes on: the messages to be sent, and `"done"`, `"failed"` (ended without a whole answer), `"body"` (it waits for the
    /// body, too) or `"wait"`.
    fn poll<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyList>, &'static str)> {
        let mut current = self.state()?.borrow_mut();
        let State { task, signal } = &mut *current;
        let Some(running) = task else {
            return Ok((PyList::empty(py), "done"));
        };
        let waker = match signal {
            Some(signal) => {
                signal.clear();
                &signal.waker
            }
            None => Waker::noop(),
        };
        let polled = running.poll(&mut Context::from_waker(waker));
        let carrier = running.carrier();
        let said = carrier.take_said();
        let stage = match polled {
            Poll::Ready(()) if carrier.is_finished() => "done",
            Poll::Ready(()) => "failed",
            Poll::Pending if carrier.wants() => "body",
            Poll::Pending => "wait",
        };
        if polled.is_ready() {
            *task = None;
        }
        drop(current);
        let messages = PyList::empty(py);
        for said in said {
            messages.append(message(py, said)?)?;
        }
        Ok((messages, stage))
    }

    /// A descriptor that is readable when there is reason to poll; to be asked for once, and followed by a poll.
    fn fileno(&self) -> PyResult<i32> {
        let mut state = self.state()?.borrow_mut();
        let signal = Signal::new().map_err(|error| errors::system(&error))?;
        let signal = state.signal.insert(signal);
        Ok(signal.ear.as_raw_fd())
    }

    /// A part of the body has come.
    fn receive(&self, body: &[u8], more: bool) -> PyResult<()> {
        if let Some(task) = &self.state()?.borrow().task {
            task.carrier().receive(Bytes::copy_from_slice(body), more);
        }
        Ok(())
    }

    /// Gives the request up: the handler's future is dropped.
    fn close(&self) -> PyResult<()> {
        let task = {
            let mut state = self.state()?.borrow_mut();
            if let Some(task) = &state.task {
                task.carrier().leave();
            }
            state.task.take()
        };
        drop(task);
        Ok(())
    }
}

impl NativeCall {
    fn state(&self) -> PyResult<&RefCell<State>> {
        self.0.get().ok_or_else(errors::foreign_thread)
    }
}

fn message(py: Python<'_>, said: Said) -> PyResult<Bound<'_, PyDict>> {
    let message = PyDict::new(py);
    match said {
        Said::Start(status, fields) => {
            let headers = PyList::empty(py);
            for (name, value) in fields {
                headers.append((PyBytes::new(py, &name), PyBytes::new(py, &value)))?;
            }
            message.set_item("type", "http.response.start")?;
            message.set_item("status", status)?;
            message.set_item("headers", headers)?;
        }
        Said::Body(body, more) => {
            message.set_item("type", "http.response.body")?;
            message.set_item("body", PyBytes::new(py, &body))?;
            message.set_item("more_body", more)?;
        }
    }
    Ok(message)
}
