//! The fast way into asyncio's `StreamReader`: what its `feed_data` does, without calling it. Knows no transport.
//!
//! Only for asyncio's own classes with nothing replaced on them; everything else is called as any protocol is.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyByteArrayMethods};

use super::attributes::{Attributes, name};
use super::original::{Original, reader_of};
use super::reads::Reads;
use super::waiter;
use crate::ffi::buffer;

/// Whether `protocol` is asyncio's own, so that [`feed`] is worth trying.
pub fn is_stream_protocol(protocol: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(Original::protocol(protocol.py())?.has_made(protocol))
}

/// `protocol.data_received(data)` of a [`is_stream_protocol`] with these reads. `false`: nothing was done, call the method.
pub fn feed(protocol: &Bound<'_, PyAny>, reads: &Reads, data: &[u8]) -> PyResult<bool> {
    let py = protocol.py();
    let reads = reads.get(py);
    if let Some(reads) = &reads {
        reads.get().put_back(py)?;
    }
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
    let limit = Limit::of(reader.get(name!("_limit"))?);
    let waiter = reader.get(name!("_waiter"))?;
    let handed = match &reads {
        Some(reads) if held.len() == 0 && !limit.is_passed(data.len())? => {
            reads.get().handover().hand(&waiter, data)
        }
        _ => None,
    };
    let rest = data.get(handed.unwrap_or(0)..).unwrap_or_default();
    if !rest.is_empty() {
        buffer::extend(held, rest)?;
    }
    if !waiter.is_none() {
        reader.set(name!("_waiter"), py.None())?;
        waiter::complete(&waiter)?;
    }
    if limit.is_passed(held.len())? {
        pause(py, &reader)?;
    }
    Ok(true)
}

/// Twice a reader's limit, from where on its transport pauses.
enum Limit<'py> {
    Usual(usize),
    /// It may be any number.
    Any(Bound<'py, PyAny>),
}

impl<'py> Limit<'py> {
    fn of(limit: Bound<'py, PyAny>) -> Self {
        match limit.extract::<usize>() {
            Ok(limit) => Self::Usual(limit.saturating_mul(2)),
            Err(_) => Self::Any(limit),
        }
    }

    fn is_passed(&self, length: usize) -> PyResult<bool> {
        match self {
            Self::Usual(double) => Ok(length > *double),
            Self::Any(limit) => limit.mul(2)?.lt(length),
        }
    }
}

/// The transport pauses, if it does not already. Every transport that gets here can.
fn pause<'py>(py: Python<'py>, reader: &Attributes<'py>) -> PyResult<()> {
    let transport = reader.get(name!("_transport"))?;
    if transport.is_none() || reader.is(name!("_paused"))? {
        return Ok(());
    }
    transport.call_method0(intern!(py, "pause_reading"))?;
    reader.set(name!("_paused"), true)
}
