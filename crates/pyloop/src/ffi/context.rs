//! Running inside a `contextvars.Context`. Knows no transport.

use pyo3::ffi;
use pyo3::prelude::*;

/// A copy of the current context.
pub fn copy_current(py: Python<'_>) -> PyResult<Py<PyAny>> {
    // SAFETY: attached; the call returns an owned reference or null with an error set.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_CopyCurrent()).map(Bound::unbind) }
}

/// A copy of `context`.
pub fn copy<'py>(context: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: attached; anything but a context is refused with an error, and the result is owned or null.
    unsafe { Bound::from_owned_ptr_or_err(context.py(), ffi::PyContext_Copy(context.as_ptr())) }
}

/// Runs `f` inside `context`, which must not be entered already.
pub fn run_in<R>(context: &Bound<'_, PyAny>, f: impl FnOnce() -> R) -> PyResult<R> {
    struct Entered<'a, 'py>(&'a Bound<'py, PyAny>);
    impl Drop for Entered<'_, '_> {
        fn drop(&mut self) {
            // SAFETY: attached, and entered last by this thread: whatever ran inside has left its own contexts.
            unsafe { ffi::PyContext_Exit(self.0.as_ptr()) };
        }
    }
    // SAFETY: attached; anything but a context that can be entered is refused with an error.
    if unsafe { ffi::PyContext_Enter(context.as_ptr()) } < 0 {
        return Err(PyErr::fetch(context.py()));
    }
    let _entered = Entered(context);
    Ok(f())
}
