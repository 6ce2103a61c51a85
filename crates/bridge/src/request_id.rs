//! The name of a request where Python looks for it: in the context of whatever runs for it. Knows no scope.

use api::exchange::Exchange;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::ffi::Context;

/// `data_bridge.request_ids.current`, a `ContextVar`.
fn current(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static VARIABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    VARIABLE.import(py, "data_bridge.request_ids", "current")
}

/// Has `context` know the request's name, where it has one.
pub fn tell(py: Python<'_>, context: &Context, exchange: &Exchange) -> PyResult<()> {
    match exchange.request_id() {
        None => Ok(()),
        Some(name) => context.run(py, || set(py, name))?,
    }
}

/// Has the current context know the request's name.
pub fn set(py: Python<'_>, name: &str) -> PyResult<()> {
    let current = current(py)?;
    current.call_method1(intern!(py, "set"), (name,)).map(drop)
}

/// A copy of the current context that knows the request's name; nothing where it has none.
pub fn context(py: Python<'_>, exchange: &Exchange) -> PyResult<Option<Context>> {
    if exchange.request_id().is_none() {
        return Ok(None);
    }
    let context = Context::copy_current(py)?;
    tell(py, &context, exchange)?;
    Ok(Some(context))
}
