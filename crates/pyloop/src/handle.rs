//! `Handle` and `TimerHandle` as asyncio documents them: representation, comparison, and what an exception in a
//! callback becomes. Knows no queue; the object itself is in `ffi::handle`.

use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyKeyboardInterrupt, PySystemExit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use crate::ffi::handle::{CANCELLED, HandleRef};
use crate::ffi::handle_type;
use crate::handle_lock;

/// asyncio's class, which ours claim to be: `isinstance(handle, asyncio.Handle)` holds, and so does its repr.
pub fn class<'py>(py: Python<'py>, handle: &HandleRef) -> PyResult<Bound<'py, PyAny>> {
    static HANDLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static THREADSAFE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if handle.is_timer() {
        return timer_class(py);
    }
    let (cell, name) = if handle_lock::is_threadsafe(handle) {
        (&THREADSAFE, "_ThreadSafeHandle")
    } else {
        (&HANDLE, "Handle")
    };
    Ok(cell.import(py, "asyncio.events", name)?.clone())
}

fn timer_class(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static TIMER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    Ok(TIMER.import(py, "asyncio.events", "TimerHandle")?.clone())
}

/// Runs the callback; what it raises goes to the loop's exception handler, except the two that must end the loop.
#[inline]
pub fn run(py: Python<'_>, handle: &HandleRef) -> PyResult<()> {
    let result = handle.run(py);
    let result = match result {
        Ok(()) => Ok(()),
        Err(error) => report(py, handle, error),
    };
    handle.finish();
    result
}

#[cold]
fn report(py: Python<'_>, handle: &HandleRef, error: PyErr) -> PyResult<()> {
    if ends_the_loop(py, &error) {
        return Err(error);
    }
    let event_loop = handle.event_loop(py);
    let context = PyDict::new(py);
    let source = match handle.callback(py) {
        Some(callback) => callback_source(&event_loop, &callback, handle.arguments(py))?,
        None => String::from("None()"),
    };
    context.set_item(
        intern!(py, "message"),
        format!("Exception in callback {source}"),
    )?;
    context.set_item(intern!(py, "exception"), error.into_value(py))?;
    context.set_item(intern!(py, "handle"), handle.bind(py))?;
    if let Some(traceback) = handle.source_traceback(py) {
        context.set_item(intern!(py, "source_traceback"), traceback)?;
    }
    event_loop.call_method1(intern!(py, "call_exception_handler"), (context,))?;
    Ok(())
}

/// `SystemExit` and `KeyboardInterrupt` leave `run_forever`; everything else is reported.
pub fn ends_the_loop(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PySystemExit>(py) || error.is_instance_of::<PyKeyboardInterrupt>(py)
}

fn callback_source(
    event_loop: &Bound<'_, PyAny>,
    callback: &Bound<'_, PyAny>,
    arguments: Option<Bound<'_, PyTuple>>,
) -> PyResult<String> {
    static FORMAT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = callback.py();
    let format = FORMAT.import(py, "asyncio.format_helpers", "_format_callback_source")?;
    let kwargs = PyDict::new(py);
    // Releases before the keyword existed always show the arguments.
    if accepts_debug(py)? {
        kwargs.set_item(
            intern!(py, "debug"),
            event_loop.call_method0(intern!(py, "get_debug"))?,
        )?;
    }
    format.call((callback, arguments), Some(&kwargs))?.extract()
}

/// Security releases brought the keyword to older branches too, so the function itself is asked.
fn accepts_debug(py: Python<'_>) -> PyResult<bool> {
    static ACCEPTS: PyOnceLock<bool> = PyOnceLock::new();
    let answer = ACCEPTS.get_or_try_init(py, || {
        let function = py
            .import("asyncio.format_helpers")?
            .getattr("_format_callback_source")?;
        function
            .getattr("__code__")?
            .getattr("co_varnames")?
            .contains("debug")
    })?;
    Ok(*answer)
}

/// `repr(handle)`, as asyncio writes it.
pub fn repr<'py>(py: Python<'py>, handle: &HandleRef) -> PyResult<Bound<'py, PyAny>> {
    if let Some(saved) = handle.saved_repr(py) {
        return Ok(saved);
    }
    let mut parts = vec![
        class(py, handle)?
            .getattr("__name__")?
            .extract::<String>()?,
    ];
    if handle.has(CANCELLED) {
        parts.push("cancelled".into());
    }
    if handle.is_timer() {
        parts.push(format!("when={}", handle.when().into_pyobject(py)?.repr()?));
    }
    if let Some(callback) = handle.callback(py) {
        parts.push(callback_source(
            &handle.event_loop(py),
            &callback,
            handle.arguments(py),
        )?);
    }
    if let Some(traceback) = handle
        .source_traceback(py)
        .filter(|t| t.len().is_ok_and(|n| n > 0))
    {
        let frame = traceback.get_item(-1)?;
        parts.push(format!(
            "created at {}:{}",
            frame.get_item(0)?,
            frame.get_item(1)?
        ));
    }
    Ok(format!("<{}>", parts.join(" "))
        .into_pyobject(py)?
        .into_any())
}

/// Before a cancellation in debug mode: the log may want to name the callback later.
pub fn keep_repr(py: Python<'_>, handle: &HandleRef) -> PyResult<()> {
    handle.set(CANCELLED, true);
    let text = repr(py, handle)?;
    handle.set_notes(py, handle.source_traceback(py).as_ref(), Some(&text))
}

/// The comparisons of `TimerHandle`, with one of ours or one of asyncio's.
pub fn compare<'py>(
    py: Python<'py>,
    handle: &HandleRef,
    other: &Bound<'py, PyAny>,
    operator: std::ffi::c_int,
) -> PyResult<Bound<'py, PyAny>> {
    let operator = CompareOp::from_raw(operator);
    let ours = handle_type::as_timer(other);
    if operator.is_none() || (ours.is_none() && !other.is_instance(&timer_class(py)?)?) {
        return Ok(py.NotImplemented().into_bound(py));
    }
    let other_when: f64 = other.getattr(intern!(py, "_when"))?.extract()?;
    let equal = || -> PyResult<bool> {
        Ok(handle.when().total_cmp(&other_when).is_eq()
            && other
                .getattr(intern!(py, "_cancelled"))?
                .extract::<bool>()?
                == handle.has(CANCELLED)
            && other
                .getattr(intern!(py, "_callback"))?
                .eq(handle.callback(py))?
            && other
                .getattr(intern!(py, "_args"))?
                .eq(handle.arguments(py))?)
    };
    let result = match operator.unwrap_or(CompareOp::Eq) {
        CompareOp::Lt => handle.when() < other_when,
        CompareOp::Gt => handle.when() > other_when,
        CompareOp::Le => handle.when() < other_when || equal()?,
        CompareOp::Ge => handle.when() > other_when || equal()?,
        CompareOp::Eq => equal()?,
        CompareOp::Ne => !equal()?,
    };
    Ok(result.into_pyobject(py)?.to_owned().into_any())
}
