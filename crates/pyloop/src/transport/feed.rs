//! The fast way into asyncio's `StreamReader`: what its `feed_data` does, without calling it. Knows no transport.
//!
//! Only for asyncio's own classes with nothing replaced on them; everything else is called as any protocol is.

use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyByteArray, PyByteArrayMethods, PyType, PyWeakrefMethods, PyWeakrefReference};

use super::attributes::Attributes;
use crate::ffi::{buffer, python};

/// A class of asyncio's, and the attributes that this file stands for.
struct Original {
    class: Py<PyType>,
    attributes: Vec<(&'static str, Py<PyAny>)>,
    /// The version of the class that was found to have them; 0: look again.
    version: AtomicU32,
}

impl Original {
    fn new(py: Python<'_>, class: &str, names: &[&'static str]) -> PyResult<Self> {
        let class = py
            .import("asyncio.streams")?
            .getattr(class)?
            .cast_into::<PyType>()?;
        let attribute = |name: &&'static str| Ok((*name, class.getattr(*name)?.unbind()));
        Ok(Self {
            attributes: names.iter().map(attribute).collect::<PyResult<_>>()?,
            class: class.unbind(),
            version: AtomicU32::new(0),
        })
    }

    fn protocol(py: Python<'_>) -> PyResult<&'static Self> {
        static PROTOCOL: PyOnceLock<Original> = PyOnceLock::new();
        PROTOCOL.get_or_try_init(py, || {
            Self::new(
                py,
                "StreamReaderProtocol",
                &["data_received", "_stream_reader"],
            )
        })
    }

    fn reader(py: Python<'_>) -> PyResult<&'static Self> {
        static READER: PyOnceLock<Original> = PyOnceLock::new();
        READER.get_or_try_init(py, || {
            Self::new(py, "StreamReader", &["feed_data", "_wakeup_waiter"])
        })
    }

    fn has_made(&self, object: &Bound<'_, PyAny>) -> bool {
        object.get_type().is(&self.class)
    }

    /// Whether nobody has replaced an attribute on the class.
    fn is_untouched(&self, py: Python<'_>) -> PyResult<bool> {
        let class = self.class.bind(py);
        let version = python::class_version(class);
        if version != 0 && version == self.version.load(Ordering::Relaxed) {
            return Ok(true);
        }
        for (name, original) in &self.attributes {
            if !class.getattr(*name)?.is(original) {
                return Ok(false);
            }
        }
        self.version
            .store(python::class_version(class), Ordering::Relaxed);
        Ok(true)
    }
}

/// Whether `protocol` is asyncio's own, so that [`feed`] is worth trying.
pub fn is_stream_protocol(protocol: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(Original::protocol(protocol.py())?.has_made(protocol))
}

/// `protocol.data_received(data)` of a [`is_stream_protocol`]. `false`: nothing was done, call the method.
pub fn feed(protocol: &Bound<'_, PyAny>, data: &[u8]) -> PyResult<bool> {
    let py = protocol.py();
    let ours = Attributes::of(protocol)?;
    if !Original::protocol(py)?.is_untouched(py)? || ours.has(intern!(py, "data_received"))? {
        return Ok(false);
    }
    let weak = ours.get(intern!(py, "_stream_reader_wr"))?;
    let Ok(weak) = weak.cast_exact::<PyWeakrefReference>() else {
        return Ok(false);
    };
    let Some(reader) = weak.upgrade() else {
        return Ok(false);
    };
    let original = Original::reader(py)?;
    if !original.has_made(&reader) || !original.is_untouched(py)? {
        return Ok(false);
    }
    let reader = Attributes::of(&reader)?;
    let held = reader.get(intern!(py, "_buffer"))?;
    let Ok(held) = held.cast_exact::<PyByteArray>() else {
        return Ok(false);
    };
    if reader.has(intern!(py, "feed_data"))? || reader.is(intern!(py, "_eof"))? {
        return Ok(false);
    }
    buffer::extend(held, data)?;
    wake_waiter(py, &reader)?;
    pause_if_full(py, &reader, held.len())?;
    Ok(true)
}

/// `_wakeup_waiter()`
fn wake_waiter<'py>(py: Python<'py>, reader: &Attributes<'py>) -> PyResult<()> {
    let waiter = reader.get(intern!(py, "_waiter"))?;
    if waiter.is_none() {
        return Ok(());
    }
    reader.set(intern!(py, "_waiter"), py.None())?;
    if !waiter.call_method0(intern!(py, "cancelled"))?.is_truthy()? {
        waiter.call_method1(intern!(py, "set_result"), (py.None(),))?;
    }
    Ok(())
}

/// More than twice the limit, and the transport pauses. Every transport that gets here can.
fn pause_if_full<'py>(py: Python<'py>, reader: &Attributes<'py>, length: usize) -> PyResult<()> {
    let limit = reader.get(intern!(py, "_limit"))?;
    // A limit may be any number: what is too large for a comparison of integers is never reached.
    if limit
        .extract::<usize>()
        .is_ok_and(|limit| length <= limit.saturating_mul(2))
    {
        return Ok(());
    }
    let transport = reader.get(intern!(py, "_transport"))?;
    let full = limit.mul(2)?.lt(length)?;
    if !full || transport.is_none() || reader.is(intern!(py, "_paused"))? {
        return Ok(());
    }
    transport.call_method0(intern!(py, "pause_reading"))?;
    reader.set(intern!(py, "_paused"), true)
}
