//! Calling Python by names without building a dict, and calling it in a copied context. Both have no safe form in `PyO3`.
//!
//! Invariants: every pointer handed to the interpreter comes from a `Bound` that outlives the call; a context that was
//! entered is left on every way out.
#![allow(unsafe_code)]

use std::ptr;

use pyloop::gil::Kept;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use smallvec::SmallVec;

/// Calls `callable` with `arguments`, the last of which have the `names`.
pub fn call<'py>(
    callable: &Bound<'py, PyAny>,
    arguments: &[Bound<'py, PyAny>],
    names: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = callable.py();
    let positional = arguments.len().checked_sub(names.len()).ok_or_else(|| {
        pyo3::exceptions::PySystemError::new_err("a call has more names than arguments")
    })?;
    // The first place is the callee's to use (PY_VECTORCALL_ARGUMENTS_OFFSET).
    let mut stack: SmallVec<[*mut ffi::PyObject; 8]> = SmallVec::with_capacity(arguments.len() + 1);
    stack.push(ptr::null_mut());
    stack.extend(arguments.iter().map(Bound::as_ptr));
    // SAFETY: attached (there is a `Bound`); `stack` holds one spare place and then `arguments.len()` borrowed references
    // that `arguments` keeps alive; `names` is a tuple of `str`, one for each of the last arguments; the result is a new
    // reference or null with an exception set.
    unsafe {
        let result = ffi::PyObject_Vectorcall(
            callable.as_ptr(),
            stack.as_ptr().add(1),
            positional | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET,
            if names.is_empty() {
                ptr::null_mut()
            } else {
                names.as_ptr()
            },
        );
        Bound::from_owned_ptr_or_err(py, result)
    }
}

/// A `contextvars.Context`.
pub struct Context(Kept<PyAny>);

impl Context {
    /// A copy of this thread's current context.
    pub fn copy_current(py: Python<'_>) -> PyResult<Self> {
        // SAFETY: attached; gives a new reference or null with an exception set.
        let copy = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_CopyCurrent()) }?;
        Ok(Self(Kept::from(copy)))
    }

    /// A copy of this one.
    pub fn copy(&self, py: Python<'_>) -> PyResult<Self> {
        // SAFETY: attached; `self.0` is a context; gives a new reference or null with an exception set.
        let copy = unsafe {
            Bound::from_owned_ptr_or_err(py, ffi::PyContext_Copy(self.0.get(py).as_ptr()))
        }?;
        Ok(Self(Kept::from(copy)))
    }

    /// The context as an object.
    pub fn bind<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.0.bind(py).clone()
    }

    /// Runs `f` inside of the context, which nobody may be in at the time.
    pub fn run<R>(&self, py: Python<'_>, f: impl FnOnce() -> R) -> PyResult<R> {
        // SAFETY: attached; `self.0` is a context. A failure leaves an exception set and nothing entered.
        if unsafe { ffi::PyContext_Enter(self.0.get(py).as_ptr()) } != 0 {
            return Err(PyErr::fetch(py));
        }
        let _entered = Entered {
            context: self.0.bind(py),
        };
        Ok(f())
    }
}

/// Leaves the context when dropped.
struct Entered<'a, 'py> {
    context: &'a Bound<'py, PyAny>,
}

impl Drop for Entered<'_, '_> {
    fn drop(&mut self) {
        // SAFETY: attached; this context was entered last, since whatever was entered after it has been left again.
        if unsafe { ffi::PyContext_Exit(self.context.as_ptr()) } != 0 {
            PyErr::fetch(self.context.py()).write_unraisable(self.context.py(), Some(self.context));
        }
    }
}
