//! Small calls into the interpreter that `PyO3` has no safe form for. Knows no loop.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::prelude::*;
use pyo3::pyclass_init::PyClassInitializer;
use pyo3::types::{PyDict, PyString, PyType};
use pyo3::{Borrowed, PyClass, ffi};

unsafe extern "C" {
    /// Exported by every version, but not in `PyO3`'s bindings.
    fn _PyObject_GetDictPtr(object: *mut ffi::PyObject) -> *mut *mut ffi::PyObject;
}

/// Whether the interpreter's own bookkeeping says that this thread holds the GIL.
pub fn thread_holds_gil() -> bool {
    // SAFETY: may be called by any thread at any time.
    unsafe { ffi::PyGILState_Check() == 1 }
}

/// Whether no other thread runs Python, or waits to do so.
pub fn is_only_thread(_py: Python<'_>) -> bool {
    // SAFETY: attached, so this thread has a state, which stays. A new thread's state becomes the list's head before that thread
    // waits for the interpreter; the head is only compared, and only the link of our own state is read.
    unsafe {
        let own = ffi::PyThreadState_Get();
        ffi::PyInterpreterState_ThreadHead(ffi::PyInterpreterState_Get()) == own
            && ffi::PyThreadState_Next(own).is_null()
    }
}

/// Whether the interpreter is Python 3.`minor` or newer; `Python::version_info()` parses a text each time.
pub fn is_at_least(minor: u8) -> bool {
    // SAFETY: a constant of the interpreter's.
    let version = unsafe { ffi::Py_Version };
    version >> 16 >= 0x0300 | libc::c_ulong::from(minor)
}

/// `Bound::new()` for a class with a `__dict__`, which is made when somebody asks for it.
///
/// Python 3.11 and 3.12 make it at once, before `PyO3` has written the object's value, and making it may start the garbage
/// collector, which would look at that value.
pub fn new_with_dict<T: PyClass>(
    py: Python<'_>,
    value: impl Into<PyClassInitializer<T>>,
) -> PyResult<Bound<'_, T>> {
    // SAFETY: attached, here and below; the collector is as it was before anybody else runs.
    let collects = unsafe { ffi::PyGC_Disable() } == 1;
    let object = Bound::new(py, value);
    if collects {
        // SAFETY: as above.
        unsafe { ffi::PyGC_Enable() };
    }
    let object = object?;
    // SAFETY: a live object; the slot is null or owns a dictionary that nobody else knows and that is empty.
    unsafe {
        let slot = _PyObject_GetDictPtr(object.as_ptr());
        if !slot.is_null() {
            ffi::Py_CLEAR(slot);
        }
    }
    Ok(object)
}

/// Whether a program has put an attribute of that name on the object itself; the dictionary is not made for the question.
pub fn has_own(object: &Bound<'_, PyAny>, name: &Bound<'_, PyString>) -> PyResult<bool> {
    // SAFETY: a live object; the slot is read once, and nothing runs between that and taking a reference.
    let own = unsafe {
        let slot = _PyObject_GetDictPtr(object.as_ptr());
        if slot.is_null() || (*slot).is_null() {
            return Ok(false);
        }
        Bound::from_borrowed_ptr(object.py(), *slot)
    };
    own.contains(name)
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

/// `object.__dict__`
pub fn instance_dict<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    // SAFETY: attached; an owned dictionary, or null with an error set for an object that has none.
    unsafe {
        let dict = ffi::PyObject_GenericGetDict(object.as_ptr(), ptr::null_mut());
        Ok(Bound::from_owned_ptr_or_err(object.py(), dict)?.cast_into_unchecked())
    }
}

/// What a dictionary may have at a position, where it had a key before.
pub struct Entry<'a, 'py> {
    pub dict: &'a Bound<'py, PyDict>,
    pub position: isize,
    pub key: &'a Bound<'py, PyString>,
}

impl<'a, 'py> Entry<'a, 'py> {
    /// The value, if that very key is there.
    #[inline]
    pub fn value(&self) -> Option<Bound<'py, PyAny>> {
        self.look().map(Borrowed::to_owned)
    }

    /// Whether the value is that object, if that very key is there.
    #[inline]
    pub fn is(&self, object: &Bound<'py, PyAny>) -> Option<bool> {
        self.look().map(|value| value.is(object))
    }

    #[inline]
    fn look(&self) -> Option<Borrowed<'a, 'py, PyAny>> {
        let (found, value, _) = entry_at(self.dict, self.position)?;
        found.is(self.key).then_some(value)
    }
}

/// Where the dictionary has that very key.
pub fn position_of(dict: &Bound<'_, PyDict>, key: &Bound<'_, PyString>) -> Option<isize> {
    let mut position = 0;
    loop {
        match entry_at(dict, position)? {
            (found, ..) if found.is(key) => return Some(position),
            (.., next) => position = next,
        }
    }
}

/// A key and its value, borrowed until the dictionary changes, and the position behind it.
#[inline]
fn entry_at<'a, 'py>(
    dict: &'a Bound<'py, PyDict>,
    mut position: isize,
) -> Option<(Borrowed<'a, 'py, PyAny>, Borrowed<'a, 'py, PyAny>, isize)> {
    let (py, mut key, mut value) = (dict.py(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: attached, a live dictionary; the interpreter checks the position. Whoever asks runs nothing while the entry is borrowed.
    unsafe {
        if ffi::PyDict_Next(
            dict.as_ptr(),
            &raw mut position,
            &raw mut key,
            &raw mut value,
        ) == 0
        {
            return None;
        }
        let (key, value) = (Borrowed::from_ptr(py, key), Borrowed::from_ptr(py, value));
        Some((key, value, position))
    }
}

/// A number that changes whenever an attribute of `class` or of one of its bases does; 0: not known now.
fn class_version(class: &Bound<'_, PyType>) -> u32 {
    // SAFETY: a live class; the interpreter changes the field with the GIL held, as this thread holds it.
    unsafe { (*class.as_type_ptr()).tp_version_tag }
}

/// What was found to hold for a class, remembered until an attribute of it or of one of its bases changes.
pub struct Finding(AtomicU32);

impl Finding {
    pub const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// What `look` says, which is asked again only if it said no or if something has changed.
    #[inline]
    pub fn holds(
        &self,
        class: &Bound<'_, PyType>,
        look: impl FnOnce() -> PyResult<bool>,
    ) -> PyResult<bool> {
        let version = class_version(class);
        if version != 0 && version == self.0.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let holds = look()?;
        if holds {
            self.0.store(class_version(class), Ordering::Relaxed); // looking may have given the class its number
        }
        Ok(holds)
    }
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
