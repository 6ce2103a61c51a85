//! The bytes of the argument, held for as long as they are read. Knows no JSON.
//!
//! Invariant: the slice that a [`Text`] gives does not change while the document is read, although other threads may run
//! meanwhile: `bytes` and `str` cannot change, and what can change is copied first.

use std::slice;

use pyo3::exceptions::{PyTypeError, PyUnicodeEncodeError};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};

use super::super::error::decode_error;
use crate::json::write::{ascii, ascii_bits};

/// A document's text.
pub enum Text<'a, 'py> {
    /// Of an object that the caller holds and nobody can change.
    Borrowed(&'a [u8]),
    /// A string's UTF-8.
    Encoded(Bound<'py, PyBytes>),
    /// What a buffer held when the call began.
    Copied(Vec<u8>),
}

impl<'a, 'py> Text<'a, 'py> {
    /// The text of what needs no preparation: `bytes`, and a string of ASCII alone.
    #[inline]
    pub fn immediate(data: &'a Bound<'py, PyAny>) -> Option<Self> {
        let pointer = data.as_ptr();
        // SAFETY: attached; a compact ASCII string is its own UTF-8, its length in characters is its length in bytes, and
        // the caller holds it for `'a`. So it is with `bytes`.
        unsafe {
            let (start, length) = if ffi::PyBytes_Check(pointer) != 0 {
                (
                    ffi::PyBytes_AS_STRING(pointer).cast::<u8>(),
                    ffi::PyBytes_Size(pointer).unsigned_abs(),
                )
            } else if ffi::PyUnicode_Check(pointer) != 0 {
                ascii(pointer, ascii_bits(data.py()))?
            } else {
                return None;
            };
            Some(Self::Borrowed(slice::from_raw_parts(start, length)))
        }
    }

    /// The text of everything else that has one.
    #[cold]
    pub fn prepared(data: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(string) = data.cast::<PyString>() {
            return encoded(string);
        }
        if data.is_instance_of::<PyByteArray>() || data.is_instance_of::<PyMemoryView>() {
            return Ok(Self::Copied(copy(data)?));
        }
        let class = data.get_type().qualname()?;
        Err(PyTypeError::new_err(format!(
            "the JSON document must be str, bytes, bytearray or memoryview, not {class}"
        )))
    }

    /// Its bytes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Encoded(bytes) => bytes.as_bytes(),
            Self::Copied(bytes) => bytes,
        }
    }
}

fn encoded<'a, 'py>(string: &Bound<'py, PyString>) -> PyResult<Text<'a, 'py>> {
    let py = string.py();
    match string.encode_utf8() {
        Ok(bytes) => Ok(Text::Encoded(bytes)),
        Err(error) if error.is_instance_of::<PyUnicodeEncodeError>(py) => {
            let position = error.value(py).getattr(intern!(py, "start"))?.extract()?;
            Err(decode_error(py, "Lone surrogate", string, position))
        }
        Err(error) => Err(error),
    }
}

/// What the buffer holds now.
fn copy(data: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let mut view = ffi::Py_buffer::new();
    // SAFETY: attached; on success the view describes `len` bytes in one piece, which stay where they are until it is
    // released. They are copied in one go, without anything else running.
    unsafe {
        if ffi::PyObject_GetBuffer(data.as_ptr(), &raw mut view, ffi::PyBUF_SIMPLE) < 0 {
            return Err(PyErr::fetch(data.py()));
        }
        let length = view.len.unsigned_abs();
        let mut bytes = Vec::with_capacity(length);
        if length > 0 {
            view.buf
                .cast::<u8>()
                .copy_to_nonoverlapping(bytes.as_mut_ptr(), length);
            bytes.set_len(length);
        }
        ffi::PyBuffer_Release(&raw mut view);
        Ok(bytes)
    }
}
