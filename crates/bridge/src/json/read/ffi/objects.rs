//! Objects that are not strings, and the stack on which a container's members wait for it.
//!
//! Invariant: what is on the stack is owned by it; a container takes the references over when it is made, whole.

use std::cell::UnsafeCell;
use std::mem::{self, ManuallyDrop};

use pyloop::gil;
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;

use super::super::error::{Fault, Problem};

/// A new reference.
pub type Object<'py> = Bound<'py, PyAny>;

/// Members between two looks at whether other threads want the interpreter.
const OFFER_EVERY: usize = 4096;
/// What an empty dictionary takes before it grows.
const DICT_MINIMUM: usize = 5;

unsafe extern "C" {
    // Exported by every CPython since 3.6, though not in its headers any more.
    fn _PyDict_NewPresized(minimum: ffi::Py_ssize_t) -> *mut ffi::PyObject;
}

/// Takes over what the interpreter gave: a new reference, or null with an error set.
///
/// # Safety
/// That is what `pointer` is.
#[inline(always)]
pub unsafe fn owned(py: Python<'_>, pointer: *mut ffi::PyObject) -> Result<Object<'_>, Fault> {
    // SAFETY: the caller says so.
    unsafe { Bound::from_owned_ptr_or_opt(py, pointer) }.ok_or_else(|| Fault::python(py))
}

#[inline(always)]
pub fn none(py: Python<'_>) -> Object<'_> {
    // SAFETY: attached; `None` is borrowed from the interpreter, which keeps it.
    unsafe { Bound::from_borrowed_ptr(py, ffi::Py_None()) }
}

#[inline(always)]
pub fn boolean(py: Python<'_>, value: bool) -> Object<'_> {
    // SAFETY: as in `none`.
    unsafe {
        Bound::from_borrowed_ptr(
            py,
            if value {
                ffi::Py_True()
            } else {
                ffi::Py_False()
            },
        )
    }
}

#[inline(always)]
pub fn integer(py: Python<'_>, value: i64) -> Result<Object<'_>, Fault> {
    // SAFETY: attached; gives a new reference or null.
    unsafe { owned(py, ffi::PyLong_FromLongLong(value)) }
}

#[inline(always)]
pub fn float(py: Python<'_>, value: f64) -> Result<Object<'_>, Fault> {
    // SAFETY: as in `integer`.
    unsafe { owned(py, ffi::PyFloat_FromDouble(value)) }
}

#[inline]
pub fn empty_list(py: Python<'_>) -> Result<Object<'_>, Fault> {
    // SAFETY: as in `integer`.
    unsafe { owned(py, ffi::PyList_New(0)) }
}

#[inline]
pub fn empty_dict(py: Python<'_>) -> Result<Object<'_>, Fault> {
    // SAFETY: as in `integer`.
    unsafe { owned(py, ffi::PyDict_New()) }
}

/// An integer of any length. The interpreter's limit on digits is the document's fault, at offset 0.
#[cold]
#[inline(never)]
pub fn big_integer<'py>(py: Python<'py>, digits: &[u8]) -> Result<Object<'py>, Fault> {
    let mut text = Vec::with_capacity(digits.len() + 1);
    text.extend_from_slice(digits);
    text.push(0);
    // SAFETY: attached; `text` ends with NUL; null for the end asks that all of it is a number, which it is.
    let made = unsafe { ffi::PyLong_FromString(text.as_ptr().cast(), std::ptr::null_mut(), 10) };
    if !made.is_null() {
        // SAFETY: a new reference.
        return unsafe { owned(py, made) };
    }
    let problem = gil::attach(|py| {
        let error = PyErr::fetch(py);
        if error.is_instance_of::<PyValueError>(py) {
            Problem::TooManyDigits(error.value(py).to_string())
        } else {
            Problem::Python(error)
        }
    });
    Err(problem.map_or_else(|| Fault::python(py), |problem| Fault::new(0, problem)))
}

/// The members of all containers that are open, in order. A dictionary's are name, value, name, value.
pub struct Values<'py> {
    py: Python<'py>,
    stack: Vec<Object<'py>>,
}

/// The memory of the last stack, empty, for the next: a small document needs no allocation for it.
struct Spare(UnsafeCell<Vec<*mut ffi::PyObject>>);

// SAFETY: taken and put back while attached; the GIL orders that.
unsafe impl Sync for Spare {}

static SPARE: Spare = Spare(UnsafeCell::new(Vec::new()));
const LARGEST_SPARE: usize = 1 << 14;

impl<'py> Values<'py> {
    #[inline]
    pub fn new(py: Python<'py>) -> Self {
        // SAFETY: attached, and nothing runs meanwhile. What was put back is empty, and a reference is a pointer.
        let stack = unsafe {
            let mut spare = ManuallyDrop::new(mem::take(&mut *SPARE.0.get()));
            Vec::from_raw_parts(spare.as_mut_ptr().cast(), 0, spare.capacity())
        };
        Self { py, stack }
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.stack.len()
    }

    #[inline(always)]
    pub fn push(&mut self, object: Object<'py>) {
        self.stack.push(object);
    }

    /// The one object that is left at the end.
    #[inline]
    pub fn into_only(mut self) -> Object<'py> {
        self.stack.pop().unwrap_or_else(|| none(self.py))
    }

    /// Replaces everything from `start` on by the list of it.
    #[inline(always)]
    pub fn make_list(&mut self, start: usize) -> Result<(), Fault> {
        let count = self.stack.len() - start;
        // SAFETY: attached; a new list of `count` empty places. Nothing runs until all of them are filled, from as many
        // references on the stack, which the list then owns: the stack forgets them.
        let list = unsafe {
            let list = owned(self.py, ffi::PyList_New(count.cast_signed()))?;
            let places = (*list.as_ptr().cast::<ffi::PyListObject>()).ob_item;
            let members = self.stack.as_ptr().add(start).cast::<*mut ffi::PyObject>();
            members.copy_to_nonoverlapping(places, count);
            self.stack.set_len(start);
            list
        };
        self.push(list);
        Ok(())
    }

    /// Replaces the names and values from `start` on by the dictionary of them; the last of equal names counts.
    #[inline(always)]
    pub fn make_dict(&mut self, start: usize) -> Result<(), Fault> {
        let count = (self.stack.len() - start) / 2;
        // SAFETY: attached; both give a new reference or null.
        let dict = unsafe {
            owned(
                self.py,
                if count <= DICT_MINIMUM {
                    ffi::PyDict_New()
                } else {
                    _PyDict_NewPresized(count.cast_signed())
                },
            )?
        };
        for (index, pair) in self.stack[start..].chunks_exact(2).enumerate() {
            // SAFETY: attached; `dict` is a dictionary, the other two are live; it takes references of its own.
            if unsafe { ffi::PyDict_SetItem(dict.as_ptr(), pair[0].as_ptr(), pair[1].as_ptr()) } < 0
            {
                return Err(Fault::python(self.py));
            }
            if index % OFFER_EVERY == OFFER_EVERY - 1 {
                gil::offer(self.py);
            }
        }
        self.stack.truncate(start);
        self.push(dict);
        Ok(())
    }
}

impl Drop for Values<'_> {
    #[inline]
    fn drop(&mut self) {
        self.stack.clear();
        if self.stack.capacity() <= LARGEST_SPARE {
            let mut stack = ManuallyDrop::new(mem::take(&mut self.stack));
            // SAFETY: as in `new`; a spare that a call inside this one put back is freed.
            unsafe {
                *SPARE.0.get() =
                    Vec::from_raw_parts(stack.as_mut_ptr().cast(), 0, stack.capacity());
            }
        }
    }
}
