//! Reading a socket straight into memory that a Python object lends. Knows no protocol.

use std::io;
use std::os::fd::RawFd;

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyBufferError;
use pyo3::prelude::*;

use super::socket;

/// Reads once from `fd` into `target`, a writable contiguous buffer, and tells how much of how much was filled.
pub fn receive_into(fd: RawFd, target: &Bound<'_, PyAny>) -> PyResult<(io::Result<usize>, usize)> {
    let buffer = PyBuffer::<u8>::get(target)?;
    let memory = buffer.as_slice_ptr().filter(|_| !buffer.readonly());
    let memory = memory.ok_or_else(|| PyBufferError::new_err("Object is not writable."))?;
    // SAFETY: the export is held until `buffer` is dropped below, it is contiguous and writable, and the thread stays
    // attached, so no other Python code runs meanwhile.
    let result = unsafe { socket::receive_raw(fd, memory) };
    Ok((result, memory.len()))
}
