//! The fast way into asyncio's `StreamReader`: what its `feed_data` does, without calling it. Knows no transport.
//!
//! Only for asyncio's own classes with nothing replaced on them; everything else is called as any protocol is.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyByteArrayMethods};

use super::attributes::{Attributes, name};
use super::original::{Original, reader_of};
use crate::ffi::buffer;

/// Whether `protocol` is asyncio's own, so that [`feed`] is worth trying.
pub fn is_stream_protocol(protocol: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(Original::protocol(protocol.py())?.has_made(protocol))
}

/// `protocol.data_received(data)` of a [`is_stream_protocol`]. `false`: nothing was done, call the method.
pub fn feed(protocol: &Bound<'_, PyAny>, data: &[u8]) -> PyResult<bool> {
    let py = protocol.py();
    let ours = Attributes::of(protocol)?;
    if ours.has(name!("data_received"))? {
        return Ok(false);
    }
    let Some(reader) = reader_of(py, &ours)? else {
        return Ok(false);
    };
    let reader = Attributes::of(&reader)?;
    let held = reader.get(name!("_buffer"))?;
    let Ok(held) = held.cast_exact::<PyByteArray>() else {
        return Ok(false);
    };
    if reader.has(name!("feed_data"))? || reader.is(name!("_eof"))? {
        return Ok(false);
    }
    buffer::extend(held, data)?;
    wake_waiter(py, &reader)?;
    pause_if_full(py, &reader, held.len())?;
    Ok(true)
}

/// `_wakeup_waiter()`
fn wake_waiter<'py>(py: Python<'py>, reader: &Attributes<'py>) -> PyResult<()> {
    let waiter = reader.get(name!("_waiter"))?;
    if waiter.is_none() {
        return Ok(());
    }
    reader.set(name!("_waiter"), py.None())?;
    // Hardly any is cancelled, so that is asked afterwards.
    match waiter.call_method1(intern!(py, "set_result"), (py.None(),)) {
        Err(error) if !waiter.call_method0(intern!(py, "cancelled"))?.is_truthy()? => Err(error),
        _ => Ok(()),
    }
}

/// More than twice the limit, and the transport pauses. Every transport that gets here can.
fn pause_if_full<'py>(py: Python<'py>, reader: &Attributes<'py>, length: usize) -> PyResult<()> {
    let limit = reader.get(name!("_limit"))?;
    // A limit may be any number: what is too large for a comparison of integers is never reached.
    if limit
        .extract::<usize>()
        .is_ok_and(|limit| length <= limit.saturating_mul(2))
    {
        return Ok(());
    }
    let transport = reader.get(name!("_transport"))?;
    let full = limit.mul(2)?.lt(length)?;
    if !full || transport.is_none() || reader.is(name!("_paused"))? {
        return Ok(());
    }
    transport.call_method0(intern!(py, "pause_reading"))?;
    reader.set(name!("_paused"), true)
}
