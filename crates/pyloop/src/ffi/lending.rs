//! Native memory lent to a Python function for one call, without a copy. Knows neither sockets nor protocols.
//!
//! The functions lent to must be ones that keep no view: `ssl`'s are, and what they are is checked by who calls them.

use std::ffi::c_int;
use std::io;
use std::ptr::NonNull;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3::{ffi, intern};

unsafe extern "C" {
    /// Documented, but not in `PyO3`'s bindings.
    fn _PyBytes_Resize(bytes: *mut *mut ffi::PyObject, size: ffi::Py_ssize_t) -> c_int;
}

/// Calls `f` with a view of memory that lives for the call only: afterwards, a view that somebody has kept is empty.
///
/// # Safety
/// `memory` is valid for `length` bytes during the call; with `flags` that let the view be written, nobody else looks at it.
unsafe fn lend<'py, T>(
    py: Python<'py>,
    memory: *mut u8,
    length: usize,
    flags: i32,
    f: impl FnOnce(&Bound<'py, PyAny>) -> PyResult<T>,
) -> PyResult<T> {
    // SAFETY: the caller's promise; the view comes back owned, or null with an error set.
    let view = unsafe {
        let view = ffi::PyMemoryView_FromMemory(memory.cast(), length.cast_signed(), flags);
        Bound::from_owned_ptr_or_err(py, view)?
    };
    let result = f(&view);
    view.call_method0(intern!(py, "release"))?;
    result
}

/// Calls `f` with a view of `data`, which is not copied.
pub fn lend_bytes<'py, T>(
    py: Python<'py>,
    data: &[u8],
    f: impl FnOnce(&Bound<'py, PyAny>) -> PyResult<T>,
) -> PyResult<T> {
    // SAFETY: `data` is borrowed for the call, and the view is read-only.
    unsafe { lend(py, data.as_ptr().cast_mut(), data.len(), ffi::PyBUF_READ, f) }
}

/// A `bytes` in the making: `capacity` bytes, of which the first `filled` have their value.
pub struct Filling<'py> {
    bytes: Bound<'py, PyBytes>,
    capacity: usize,
    filled: usize,
}

impl<'py> Filling<'py> {
    /// Nothing yet, with room for `capacity` bytes.
    pub fn new(py: Python<'py>, capacity: usize) -> PyResult<Self> {
        // SAFETY: a fresh object or null with an error set; its content is written before anybody else knows it.
        let bytes = unsafe {
            let raw = ffi::PyBytes_FromStringAndSize(std::ptr::null(), capacity.cast_signed());
            Bound::from_owned_ptr_or_err(py, raw)?.cast_into_unchecked()
        };
        Ok(Self {
            bytes,
            capacity,
            filled: 0,
        })
    }

    /// Has `f` fill the rest from its start, and say how much it has filled.
    pub fn fill(
        &mut self,
        f: impl FnOnce(&Bound<'py, PyAny>) -> PyResult<usize>,
    ) -> PyResult<usize> {
        let room = self.capacity - self.filled;
        // SAFETY: the rest of an object that nobody else knows yet.
        let count = unsafe {
            let memory = ffi::PyBytes_AsString(self.bytes.as_ptr()).cast::<u8>();
            lend(
                self.bytes.py(),
                memory.add(self.filled),
                room,
                ffi::PyBUF_WRITE,
                f,
            )?
        };
        let count = count.min(room);
        self.filled += count;
        Ok(count)
    }

    /// [`Filling::fill`] by a function that only writes to the memory, and only during the call.
    pub fn fill_raw(
        &mut self,
        f: impl FnOnce(NonNull<[u8]>) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let room = self.capacity - self.filled;
        // SAFETY: within an object that nobody else knows yet; never null.
        let rest = unsafe {
            let memory = ffi::PyBytes_AsString(self.bytes.as_ptr()).cast::<u8>();
            NonNull::new_unchecked(memory.add(self.filled))
        };
        let count = f(NonNull::slice_from_raw_parts(rest, room))?.min(room);
        self.filled += count;
        Ok(count)
    }

    /// Whether no room is left.
    pub fn is_full(&self) -> bool {
        self.filled == self.capacity
    }

    /// What was filled.
    pub fn finish(self) -> PyResult<Bound<'py, PyBytes>> {
        let py = self.bytes.py();
        let mut raw = self.bytes.into_ptr();
        // SAFETY: the only reference; it comes back moved, or null with an error set and the old one released.
        unsafe {
            _PyBytes_Resize(&raw mut raw, self.filled.cast_signed());
            Ok(Bound::from_owned_ptr_or_err(py, raw)?.cast_into_unchecked())
        }
    }
}
