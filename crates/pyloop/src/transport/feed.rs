//! The fast way into asyncio's `StreamReader`: what its `feed_data` does, without calling it. Knows no transport.
//!
//! Only for asyncio's own classes with nothing replaced on them; everything else is called as any protocol is.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyByteArray, PyByteArrayMethods, PyWeakrefMethods, PyWeakrefReference};

use crate::ffi::{buffer, python};

/// asyncio's classes, and the functions that this file stands for.
struct Originals {
    protocol: Py<PyAny>,
    data_received: Py<PyAny>,
    reader: Py<PyAny>,
    feed_data: Py<PyAny>,
}

impl Originals {
    fn get(py: Python<'_>) -> PyResult<&'static Self> {
        static ORIGINALS: PyOnceLock<Originals> = PyOnceLock::new();
        ORIGINALS.get_or_try_init(py, || {
            let streams = py.import("asyncio.streams")?;
            let protocol = streams.getattr("StreamReaderProtocol")?;
            let reader = streams.getattr("StreamReader")?;
            Ok(Self {
                data_received: protocol.getattr("data_received")?.unbind(),
                protocol: protocol.unbind(),
                feed_data: reader.getattr("feed_data")?.unbind(),
                reader: reader.unbind(),
            })
        })
    }
}

/// Whether `protocol` is asyncio's own, so that [`feed`] is worth trying.
pub fn is_stream_protocol(protocol: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(protocol
        .get_type()
        .is(&Originals::get(protocol.py())?.protocol))
}

/// `protocol.data_received(data)` of a [`is_stream_protocol`]. `false`: nothing was done, call the method.
pub fn feed(protocol: &Bound<'_, PyAny>, data: &[u8]) -> PyResult<bool> {
    let py = protocol.py();
    let originals = Originals::get(py)?;
    if !python::calls(
        protocol,
        intern!(py, "data_received"),
        &originals.data_received,
    )? {
        return Ok(false);
    }
    let weak = protocol.getattr(intern!(py, "_stream_reader_wr"))?;
    let Ok(weak) = weak.cast_exact::<PyWeakrefReference>() else {
        return Ok(false);
    };
    let Some(reader) = weak.upgrade() else {
        return Ok(false);
    };
    let plain = reader.get_type().is(&originals.reader)
        && python::calls(&reader, intern!(py, "feed_data"), &originals.feed_data)?
        && !reader.getattr(intern!(py, "_eof"))?.is_truthy()?;
    if !plain {
        return Ok(false);
    }
    let held = reader.getattr(intern!(py, "_buffer"))?;
    let Ok(held) = held.cast_exact::<PyByteArray>() else {
        return Ok(false);
    };
    buffer::extend(held, data)?;
    wake_waiter(&reader)?;
    pause_if_full(&reader, held.len())?;
    Ok(true)
}

/// `_wakeup_waiter()`
fn wake_waiter(reader: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = reader.py();
    let waiter = reader.getattr(intern!(py, "_waiter"))?;
    if waiter.is_none() {
        return Ok(());
    }
    reader.setattr(intern!(py, "_waiter"), py.None())?;
    if !waiter.call_method0(intern!(py, "cancelled"))?.is_truthy()? {
        waiter.call_method1(intern!(py, "set_result"), (py.None(),))?;
    }
    Ok(())
}

/// More than twice the limit, and the transport pauses. Every transport that gets here can.
fn pause_if_full(reader: &Bound<'_, PyAny>, length: usize) -> PyResult<()> {
    let py = reader.py();
    let limit = reader.getattr(intern!(py, "_limit"))?;
    // A limit may be any number: what is too large for a comparison of integers is never reached.
    if limit
        .extract::<usize>()
        .is_ok_and(|limit| length <= limit.saturating_mul(2))
    {
        return Ok(());
    }
    let transport = reader.getattr(intern!(py, "_transport"))?;
    let full = length > 0 && limit.mul(2)?.lt(length)?;
    if !full || transport.is_none() || reader.getattr(intern!(py, "_paused"))?.is_truthy()? {
        return Ok(());
    }
    transport.call_method0(intern!(py, "pause_reading"))?;
    reader.setattr(intern!(py, "_paused"), true)
}
