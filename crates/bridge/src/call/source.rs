//! A request as `data_bridge.Request` reads it: `data_bridge.requests.Source` over an exchange. Cannot answer.

use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use api::error::BodyError;
use api::exchange::Incoming;
use bytes::Bytes;
use pyloop::gil::Kept;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};

use crate::asgi::scope;
use crate::coroutine::awaitable;
use crate::errors;
use crate::ffi::ThreadBound;

/// A request that our own server received.
#[pyclass(frozen, module = "data_bridge._native")]
pub struct Source(ThreadBound<State>);

struct State {
    incoming: Rc<Incoming>,
    event_loop: Kept<PyAny>,
}

impl Source {
    /// The source of `incoming`, on `event_loop`.
    pub fn new(incoming: Incoming, event_loop: Kept<PyAny>) -> Self {
        Self(ThreadBound::new(State {
            incoming: Rc::new(incoming),
            event_loop,
        }))
    }

    fn state(&self) -> PyResult<&State> {
        self.0.get().ok_or_else(errors::foreign_thread)
    }
}

#[pymethods]
impl Source {
    #[getter]
    fn method<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        Ok(scope::method(py, self.state()?.incoming.head().method()))
    }

    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        Ok(PyString::new(
            py,
            &self.state()?.incoming.head().path_text(),
        ))
    }

    #[getter]
    fn raw_path<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, self.state()?.incoming.head().raw_path()))
    }

    #[getter]
    fn query_string<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, self.state()?.incoming.head().query()))
    }

    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        scope::headers(py, self.state()?.incoming.head())
    }

    #[getter]
    fn scheme<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        Ok(scope::scheme(py, self.state()?.incoming.connection()).clone())
    }

    #[getter]
    fn http_version<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        Ok(scope::version(py, self.state()?.incoming.head().version()).clone())
    }

    #[getter]
    fn client<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(scope::endpoints(py, self.state()?.incoming.connection())?.1)
    }

    #[getter]
    fn server<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(scope::endpoints(py, self.state()?.incoming.connection())?.0)
    }

    /// The next piece of the body, `b""` at its end; an awaitable of it where it has not come yet.
    fn read<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let state = self.state()?;
        let ready = state
            .incoming
            .poll_chunk(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(chunk) = ready {
            return piece(py, chunk);
        }
        let incoming = Rc::clone(&state.incoming);
        awaitable(
            state.event_loop.bind(py),
            async move { pin!(incoming.chunk()).await },
            piece,
        )
    }
}

fn piece(py: Python<'_>, chunk: Option<Result<Bytes, BodyError>>) -> PyResult<Bound<'_, PyAny>> {
    match chunk {
        None => Ok(PyBytes::new(py, b"").into_any()),
        Some(Ok(chunk)) => Ok(PyBytes::new(py, &chunk).into_any()),
        Some(Err(_)) => Err(errors::disconnected(py)),
    }
}
