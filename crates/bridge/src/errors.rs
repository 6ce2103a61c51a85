//! The one way from Rust's errors to Python's exceptions. The exceptions themselves are defined in `data_bridge.exceptions`.

use api::error::ResponseError;
use pyo3::exceptions::asyncio::CancelledError;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

/// `ClientDisconnected`, an `OSError`: what `send()` raises once the client has left (ASGI 2.4).
pub fn disconnected(py: Python<'_>) -> PyErr {
    match client_disconnected(py) {
        Ok(class) => PyErr::from_type(class.clone(), "the client has disconnected"),
        Err(_) => PyOSError::new_err("the client has disconnected"),
    }
}

/// The class behind [`disconnected`].
pub fn client_disconnected(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS.import(py, "data_bridge.exceptions", "ClientDisconnected")
}

/// Whether an error only says that the client has left, or that the task was cancelled since it left or the server stops.
pub fn is_farewell(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<CancelledError>(py)
        || client_disconnected(py).is_ok_and(|class| error.is_instance(py, class))
}

/// A message that is not in its turn.
pub fn illegal_order(text: &str) -> PyErr {
    PyRuntimeError::new_err(text.to_owned())
}

/// A status code outside of what HTTP can say.
pub fn bad_status(status: i64) -> PyErr {
    PyValueError::new_err(format!(
        "HTTP status {status} is out of range: it must be 100 to 999."
    ))
}

/// A response that HTTP forbids: the encoder's words.
pub fn response(error: &ResponseError) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}

/// `receive()` or `send()` of a connection used from a thread that is not its loop's.
pub fn foreign_thread() -> PyErr {
    PyRuntimeError::new_err(
        "this connection belongs to another thread's event loop; use asyncio.run_coroutine_threadsafe() to reach it",
    )
}

/// The logger of what goes wrong in a request.
pub fn logger(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    py.import("logging")?
        .getattr("getLogger")?
        .call1(("data_bridge.error",))
}

/// One error line on `logger`, with the traceback of `error` where there is one.
pub fn log(logger: &Bound<'_, PyAny>, text: &str, error: Option<&PyErr>) -> PyResult<()> {
    let py = logger.py();
    let options = PyDict::new(py);
    if let Some(error) = error {
        options.set_item("exc_info", error.value(py))?;
    }
    logger
        .call_method("error", (text,), Some(&options))
        .map(drop)
}

/// What the interpreter would print of an error that nobody catches.
pub fn traceback(py: Python<'_>, error: &PyErr) -> PyResult<String> {
    let lines = py
        .import("traceback")?
        .call_method1("format_exception", (error.value(py),))?;
    let lines: Vec<String> = lines.extract()?;
    Ok(lines.concat())
}

/// An error of the system, with its number: Python makes the right subclass of `OSError` of it.
pub fn system(error: &std::io::Error) -> PyErr {
    match error.raw_os_error() {
        Some(number) => {
            let text = error.to_string();
            let text = text
                .split(" (os error")
                .next()
                .unwrap_or_default()
                .to_owned();
            PyOSError::new_err((number, text))
        }
        None => PyOSError::new_err(error.to_string()),
    }
}
