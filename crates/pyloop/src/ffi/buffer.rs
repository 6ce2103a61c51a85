//! Bytes into memory that belongs to a Python object. Knows no protocol.

use std::io;
use std::os::fd::RawFd;
use std::ptr::NonNull;

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes};

use super::lending::Filling;
use super::socket;

/// Reads once from `fd` into `target`, a writable contiguous buffer, and tells how much of how much was filled.
pub fn receive_into(fd: RawFd, target: &Bound<'_, PyAny>) -> PyResult<(io::Result<usize>, usize)> {
    receive_with(fd, target, 0)
}

/// [`receive_into`] that never waits, whatever mode the socket is in.
pub fn receive_into_now(
    fd: RawFd,
    target: &Bound<'_, PyAny>,
) -> PyResult<(io::Result<usize>, usize)> {
    receive_with(fd, target, libc::MSG_DONTWAIT)
}

fn receive_with(
    fd: RawFd,
    target: &Bound<'_, PyAny>,
    flags: i32,
) -> PyResult<(io::Result<usize>, usize)> {
    let buffer = PyBuffer::<u8>::get(target)?;
    let memory = buffer.as_slice_ptr().filter(|_| !buffer.readonly());
    let memory = memory.ok_or_else(|| PyBufferError::new_err("Object is not writable."))?;
    // SAFETY: the export is held until `buffer` is dropped below, it is contiguous and writable, and the thread stays
    // attached, so no other Python code runs meanwhile.
    let result = unsafe { socket::receive_raw(fd, memory, flags) };
    Ok((result, memory.len()))
}

/// Reads once from `fd` into a new `bytes` that has room for so much, cut to what came.
pub fn receive_new(
    py: Python<'_>,
    fd: RawFd,
    room: usize,
) -> PyResult<(io::Result<usize>, Bound<'_, PyBytes>)> {
    let mut data = Filling::new(py, room)?;
    // SAFETY: the memory is that of an object which nobody else knows yet, and the thread stays attached.
    let received = data.fill_raw(|memory| unsafe { socket::receive_raw(fd, memory, 0) });
    Ok((received, data.finish()?))
}

/// Sends once from `source`, a contiguous buffer, what lies behind `offset`; never waits.
pub fn send_from(
    fd: RawFd,
    source: &Bound<'_, PyAny>,
    offset: usize,
) -> PyResult<io::Result<usize>> {
    if let Ok(bytes) = source.cast::<PyBytes>() {
        let rest = bytes.as_bytes().get(offset..).unwrap_or_default();
        return Ok(socket::send_now(fd, rest)); // without an export, which costs more than looking
    }
    let buffer = PyBuffer::<u8>::get(source)?;
    let memory = buffer
        .as_slice_ptr()
        .ok_or_else(|| PyBufferError::new_err("Object is not contiguous."))?;
    let length = memory.len().saturating_sub(offset);
    // SAFETY: the offset stays inside the buffer or at its end.
    let start = unsafe { memory.cast::<u8>().add(memory.len() - length) };
    let rest = NonNull::slice_from_raw_parts(start, length);
    // SAFETY: the export is held until `buffer` is dropped, and the thread stays attached.
    Ok(unsafe { socket::send_raw(fd, rest) })
}

/// `target.extend(data)`
pub fn extend(target: &Bound<'_, PyByteArray>, data: &[u8]) -> PyResult<()> {
    let length = target.len();
    target.resize(length + data.len())?;
    // SAFETY: the thread stays attached and calls nothing while the slice lives, so nobody else touches the array.
    let bytes = unsafe { target.as_bytes_mut() };
    if let Some(tail) = bytes.get_mut(length..) {
        tail.copy_from_slice(data);
    }
    Ok(())
}

/// `target[:0] = data`
pub fn prepend(target: &Bound<'_, PyAny>, data: &Bound<'_, PyBytes>) -> PyResult<()> {
    // SAFETY: attached, live objects; an error is set where one is returned.
    match unsafe { ffi::PySequence_SetSlice(target.as_ptr(), 0, 0, data.as_ptr()) } {
        0 => Ok(()),
        _ => Err(PyErr::fetch(target.py())),
    }
}

/// `bytes(source[:n])`, which are then removed from `source`.
pub fn take<'py>(source: &Bound<'py, PyByteArray>, n: usize) -> PyResult<Bound<'py, PyBytes>> {
    let length = source.len();
    // SAFETY: the thread stays attached and `PyBytes::new` calls nothing while the slice lives, so nobody else touches the array.
    let held = unsafe { source.as_bytes() };
    let data = PyBytes::new(source.py(), held.get(..n).unwrap_or(held));
    if n >= length {
        source.resize(0)?;
        return Ok(data);
    }
    let end = n.cast_signed();
    // SAFETY: attached, a live object, and both ends lie inside it.
    if unsafe { ffi::PySequence_DelSlice(source.as_ptr(), 0, end) } < 0 {
        return Err(PyErr::fetch(source.py()));
    }
    Ok(data)
}
