//! Debug mode: slow callbacks, calls from the wrong thread, callbacks that cannot be called, where a handle was made.
//! Knows no queue.

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::clock;
use crate::core::Core;
use crate::ffi::handle::HandleRef;
use crate::handle;

/// Runs a callback and warns when it takes longer than `slow_callback_duration`.
pub(crate) fn run(py: Python<'_>, core: &Core, handle: &HandleRef) -> PyResult<()> {
    core.current_handle.replace(Some(handle.clone_ref(py)));
    let start = clock::now();
    let result = handle::run(py, handle);
    let seconds = clock::to_seconds(clock::now() - start);
    drop(core.current_handle.take());
    result?;
    if seconds >= core.slow_callback_duration.get() {
        warn_slow(&format_handle(handle.bind(py))?, seconds)?;
    }
    Ok(())
}

/// Has a transport serve its descriptor; in debug mode, warns as [`run`] does.
#[inline]
pub(crate) fn serve(core: &Core, transport: &Bound<'_, PyAny>, serve: impl FnOnce()) {
    if !core.is_debug() {
        serve();
        return;
    }
    let start = clock::now();
    serve();
    let seconds = clock::to_seconds(clock::now() - start);
    if seconds >= core.slow_callback_duration.get()
        && let Err(error) = warn_slow(transport, seconds)
    {
        error.write_unraisable(transport.py(), Some(transport));
    }
}

fn warn_slow(what: &Bound<'_, PyAny>, seconds: f64) -> PyResult<()> {
    let py = what.py();
    let arguments = (intern!(py, "Executing %s took %.3f seconds"), what, seconds);
    logger(py)?
        .call_method1(intern!(py, "warning"), arguments)
        .map(drop)
}

/// asyncio's logger.
pub(crate) fn logger(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static LOGGER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    LOGGER.import(py, "asyncio.log", "logger")
}

/// A task's step is named by its task, anything else by its handle.
fn format_handle(handle: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    static FORMAT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    FORMAT
        .import(handle.py(), "asyncio.base_events", "_format_handle")?
        .call1((handle,))
}

/// Refuses a call from another thread than the loop's.
pub(crate) fn check_thread(core: &Core) -> PyResult<()> {
    if core.runs_elsewhere() {
        return Err(PyRuntimeError::new_err(
            "Non-thread-safe operation invoked on an event loop other than the current one",
        ));
    }
    Ok(())
}

/// Refuses coroutines and coroutine functions.
pub(crate) fn check_no_coroutine(callback: &Bound<'_, PyAny>, method: &str) -> PyResult<()> {
    static IS_COROUTINE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static IS_FUNCTION: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = callback.py();
    let is_coroutine = IS_COROUTINE.import(py, "asyncio.coroutines", "iscoroutine")?;
    let is_function = IS_FUNCTION.get_or_try_init(py, || {
        let module = py.import("asyncio.coroutines")?;
        // The public name warns from Python 3.14 on, and the private one is younger than 3.11.
        let private = module.getattr_opt("_iscoroutinefunction")?;
        private
            .map_or_else(|| module.getattr("iscoroutinefunction"), Ok)
            .map(Bound::unbind)
    })?;
    if is_coroutine.call1((callback,))?.is_truthy()?
        || is_function.call1(py, (callback,))?.is_truthy(py)?
    {
        return Err(PyTypeError::new_err(format!(
            "coroutines cannot be used with {method}()"
        )));
    }
    Ok(())
}

/// Refuses coroutines and what cannot be called.
pub(crate) fn check_callback(callback: &Bound<'_, PyAny>, method: &str) -> PyResult<()> {
    check_no_coroutine(callback, method)?;
    if !callback.is_callable() {
        let text = callback.repr()?;
        return Err(PyTypeError::new_err(format!(
            "a callable object was expected by {method}(), got {text}"
        )));
    }
    Ok(())
}

/// Notes the stack of the Python code that is making `handle`.
pub(crate) fn note_source(py: Python<'_>, handle: &HandleRef) -> PyResult<()> {
    static EXTRACT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let frame = py
        .import("sys")?
        .call_method1(intern!(py, "_getframe"), (0,))?;
    let stack = EXTRACT
        .import(py, "asyncio.format_helpers", "extract_stack")?
        .call1((frame,))?;
    handle.set_notes(py, Some(&stack), None)
}
