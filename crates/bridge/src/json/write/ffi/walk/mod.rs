//! The walk through what a document consists of most: strings, numbers, constants, lists, tuples and dictionaries of the
//! exact built-in types. Everything else is handed to [`special`].

#![allow(clippy::inline_always)] // a value's dispatch belongs into the loop of its container: measured

mod containers;
mod layout;
mod numbers;
mod strings;

use pyloop::gil;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::buffer::{Buffer, Document, Into};
use super::kernel::{Kernel, kernel};
use super::planned::Last;
use super::text;
use crate::json::write::options::Settings;
use crate::json::write::special;
use crate::json::write::stop::{Cause, Stop, Written};

/// Containers inside of one another.
pub const DEPTH: u32 = 254;

/// Bytes after which a document offers the GIL for the first time, and then again and again.
const FIRST_OFFER: usize = 64 * 1024;
const NEXT_OFFER: usize = 256 * 1024;

pub(super) type Object = *mut ffi::PyObject;

/// Writes one document.
pub struct Writer<'a, 'py> {
    pub(super) py: Python<'py>,
    pub(super) buffer: Buffer,
    kernel: Kernel,
    ascii_bits: u32,
    pub(super) depth: u32,
    pub(super) last: Option<Last>,
    /// Calls of `default` inside of one another.
    pub(in crate::json) defaults: u32,
    pub(in crate::json) settings: Settings<'a, 'py>,
}

/// A counted reference to what is being walked.
pub(super) struct Held(pub(super) Object);

impl Held {
    /// # Safety
    /// `object` lives, and the thread is attached until the end of this value.
    #[inline]
    pub(super) unsafe fn new(object: Object) -> Self {
        // SAFETY: the caller says so.
        unsafe { ffi::Py_INCREF(object) };
        Self(object)
    }

    /// # Safety
    /// The reference is owned, and the thread is attached until the end of this value.
    pub(super) unsafe fn owned(object: Object) -> Self {
        Self(object)
    }
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this reference is ours.
        unsafe { ffi::Py_DECREF(self.0) }
    }
}

impl<'a, 'py> Writer<'a, 'py> {
    /// A writer of one document.
    #[inline]
    pub fn new(py: Python<'py>, into: Into, settings: Settings<'a, 'py>) -> Self {
        let mut buffer = Buffer::new(into);
        buffer.set_mark(FIRST_OFFER);
        Self {
            py,
            buffer,
            kernel: kernel(),
            ascii_bits: text::ascii_bits(py),
            depth: 0,
            last: None,
            defaults: 0,
            settings,
        }
    }

    /// What was written.
    pub fn buffer(&mut self) -> &mut Buffer {
        &mut self.buffer
    }

    /// The whole, for a response.
    pub fn finish(self) -> Document {
        self.buffer.finish()
    }

    /// Writes a value.
    #[inline]
    pub fn write(&mut self, object: &Bound<'py, PyAny>) -> Written {
        // SAFETY: a `Bound` is held by the caller for the whole call.
        unsafe {
            if self.is_pretty() {
                self.value::<true>(object.as_ptr())
            } else {
                self.value::<false>(object.as_ptr())
            }
        }
    }

    /// # Safety
    /// `object` lives until code runs.
    #[inline(always)]
    unsafe fn value<const PRETTY: bool>(&mut self, object: Object) -> Written {
        // SAFETY: the class says what the object is; what may run code holds the object first.
        unsafe {
            let class = ffi::Py_TYPE(object);
            if class == &raw mut ffi::PyUnicode_Type {
                self.text(object)
            } else if class == &raw mut ffi::PyLong_Type {
                self.integer(object)
            } else if class == &raw mut ffi::PyDict_Type {
                self.dict::<PRETTY, false>(object)
            } else if class == &raw mut ffi::PyFloat_Type {
                self.float(ffi::PyFloat_AS_DOUBLE(object))
            } else if class == &raw mut ffi::PyBool_Type {
                self.constant(object == ffi::Py_True())
            } else if object == ffi::Py_None() {
                Ok(self.buffer.literal(*b"null")?)
            } else if class == &raw mut ffi::PyList_Type {
                self.list::<PRETTY>(object)
            } else if class == &raw mut ffi::PyTuple_Type {
                self.tuple::<PRETTY>(object)
            } else {
                self.special(object)
            }
        }
    }

    /// # Safety
    /// `object` lives until code runs.
    #[cold]
    #[inline(never)]
    unsafe fn special(&mut self, object: Object) -> Written {
        // SAFETY: the caller says so; from here on the object is held.
        let object = unsafe { Bound::from_borrowed_ptr(self.py, object) };
        // What a document holds beside the built-in types runs code of `PyO3`, which has to know that it is attached.
        let written = gil::attach(|_| special::write(self, &object));
        written.unwrap_or_else(|| Err(Stop::new(Cause::Finalizing)))
    }

    /// Writes an object's attributes.
    pub fn attributes(&mut self, attributes: &Bound<'py, PyDict>) -> Written {
        // SAFETY: a dictionary, held by the caller.
        unsafe {
            if self.is_pretty() {
                self.dict::<true, true>(attributes.as_ptr())
            } else {
                self.dict::<false, true>(attributes.as_ptr())
            }
        }
    }

    /// Writes an instance of a subclass as the built-in type that it is based on.
    pub fn subclass(&mut self, object: &Bound<'py, PyAny>) -> Written {
        let pointer = object.as_ptr();
        // SAFETY: the flags say what the object is based on, and the caller holds it.
        unsafe {
            if ffi::PyUnicode_Check(pointer) != 0 {
                self.text(pointer)
            } else if ffi::PyLong_Check(pointer) != 0 {
                self.integer(pointer)
            } else if ffi::PyList_Check(pointer) != 0 && self.is_pretty() {
                self.list::<true>(pointer)
            } else if ffi::PyList_Check(pointer) != 0 {
                self.list::<false>(pointer)
            } else if ffi::PyDict_Check(pointer) == 0 {
                Err(Stop::unknown(object, None))
            } else if self.is_pretty() {
                self.dict::<true, false>(pointer)
            } else {
                self.dict::<false, false>(pointer)
            }
        }
    }

    /// Lets other threads have the GIL.
    #[cold]
    #[inline(never)]
    fn offer(&mut self) {
        self.buffer.set_mark(self.buffer.len() + NEXT_OFFER);
        gil::offer(self.py);
    }

    /// Offers the GIL where enough was written since the last time. Other code may run here.
    #[inline]
    pub fn offer_if_due(&mut self) {
        if self.buffer.is_past_mark() {
            self.offer();
        }
    }
}
