//! Small calls into the interpreter that `PyO3` has no safe form for. Knows no loop.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyType};

/// Whether the interpreter's own bookkeeping says that this thread holds the GIL.
pub fn thread_holds_gil() -> bool {
    // SAFETY: may be called by any thread at any time.
    unsafe { ffi::PyGILState_Check() == 1 }
}

/// One owned reference on its way out.
pub struct Released(NonNull<ffi::PyObject>);

// SAFETY: a detached thread only moves the pointer; it is used by `release` alone, which needs an attached thread.
unsafe impl Send for Released {}

impl Released {
    /// Takes the reference over.
    pub fn new<T>(object: Py<T>) -> Self {
        let pointer = object.into_ptr();
        // SAFETY: `Py` is never null.
        Self(unsafe { NonNull::new_unchecked(pointer) })
    }

    /// Gives the reference up.
    pub fn release(self, _py: Python<'_>) {
        // SAFETY: `self` owns one reference, and the token proves that the thread is attached.
        unsafe { ffi::Py_DECREF(self.0.as_ptr()) }
    }

    /// Gives the reference up in a thread which is known to hold the GIL, though maybe not by way of `PyO3`.
    pub fn release_attached(self) {
        debug_assert!(thread_holds_gil());
        // SAFETY: `self` owns one reference; the caller has checked that the thread is attached.
        unsafe { ffi::Py_DECREF(self.0.as_ptr()) }
    }
}

/// Moves the reference out of a wrapper that is being taken apart.
pub(crate) fn take<T>(slot: &mut ManuallyDrop<Py<T>>) -> Py<T> {
    // SAFETY: both callers (`Kept::into_inner`, `Kept::drop`) never look at the slot again.
    unsafe { ManuallyDrop::take(slot) }
}

/// A reference of a part to the Python object that owns it: not counted, because it cannot outlive its owner.
#[derive(Default)]
pub struct Owner(Cell<*mut ffi::PyObject>);

impl Owner {
    /// Notes the owner. The object that holds this value must be passed.
    pub(crate) fn set(&self, object: &Bound<'_, PyAny>) {
        self.0.set(object.as_ptr());
    }

    /// The owner, once it is known.
    pub fn get<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        // SAFETY: the owner holds `self`, so it lives while `self` is borrowed.
        unsafe { Bound::from_borrowed_ptr_or_opt(py, self.0.get()) }
    }
}

/// `threading.get_ident()`
pub fn thread_ident() -> u64 {
    // SAFETY: may be called by any thread at any time.
    #[allow(clippy::useless_conversion)] // `c_ulong` is narrower elsewhere
    unsafe {
        ffi::PyThread_get_thread_ident().into()
    }
}

/// The head of the interpreter's bound methods (`Include/cpython/classobject.h`).
#[repr(C)]
struct BoundMethod {
    head: ffi::PyObject,
    function: *mut ffi::PyObject,
}

/// Whether `object.name(…)` calls `function`: nobody has replaced it, neither on the class nor on the object.
pub fn calls<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
    function: &Py<PyAny>,
) -> PyResult<bool> {
    static METHOD: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = METHOD.import(object.py(), "types", "MethodType")?;
    let method = object.getattr(name)?;
    // SAFETY: an exact instance of the class has the layout of a bound method.
    Ok(method.get_type_ptr() == class.as_type_ptr()
        && unsafe { (*method.as_ptr().cast::<BoundMethod>()).function } == function.as_ptr())
}

/// Runs `f` as the body of an `except` clause that has caught `error`: `sys.exc_info()` tells of it.
pub fn handling<R>(error: &Bound<'_, PyAny>, f: impl FnOnce() -> R) -> R {
    struct Restore(*mut ffi::PyObject);
    impl Drop for Restore {
        fn drop(&mut self) {
            // SAFETY: attached; the reference, or null, is owned and given up after it was set again.
            unsafe {
                ffi::PyErr_SetHandledException(self.0);
                ffi::Py_XDECREF(self.0);
            }
        }
    }
    // SAFETY: attached; an owned reference or null comes back, and the exception set is live.
    let _restore = unsafe {
        let before = Restore(ffi::PyErr_GetHandledException());
        ffi::PyErr_SetHandledException(error.as_ptr());
        before
    };
    f()
}
