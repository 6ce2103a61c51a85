//! The protocol above a transport: which of the two reading interfaces it has, and calls of its methods. Knows no socket.

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;

/// A protocol. Its methods are looked up at each call, because programs replace them on the living object.
pub struct Receiver {
    protocol: Py<PyAny>,
    buffered: bool,
}

impl Receiver {
    /// Finds out once which interface `protocol` has.
    pub fn new(protocol: &Bound<'_, PyAny>) -> PyResult<Self> {
        static BUFFERED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let class = BUFFERED.import(protocol.py(), "asyncio.protocols", "BufferedProtocol")?;
        Ok(Self {
            buffered: protocol.is_instance(class)?,
            protocol: protocol.clone().unbind(),
        })
    }

    /// Whether it lends its own buffer.
    pub fn is_buffered(&self) -> bool {
        self.buffered
    }

    /// The protocol itself.
    pub fn protocol(&self) -> &Py<PyAny> {
        &self.protocol
    }
}

/// `data_received(data)`
pub fn data_received(protocol: &Bound<'_, PyAny>, data: Bound<'_, PyBytes>) -> PyResult<()> {
    protocol
        .call_method1(intern!(protocol.py(), "data_received"), (data,))
        .map(drop)
}

/// `get_buffer(-1)`, which must not be empty.
pub fn get_buffer<'py>(protocol: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let buffer = protocol.call_method1(intern!(protocol.py(), "get_buffer"), (-1,))?;
    if buffer.len()? == 0 {
        return Err(PyRuntimeError::new_err(
            "get_buffer() returned an empty buffer",
        ));
    }
    Ok(buffer)
}

/// `buffer_updated(nbytes)`
pub fn buffer_updated(protocol: &Bound<'_, PyAny>, nbytes: usize) -> PyResult<()> {
    protocol
        .call_method1(intern!(protocol.py(), "buffer_updated"), (nbytes,))
        .map(drop)
}

/// `eof_received()`: whether the transport shall stay open for writing.
pub fn eof_received(protocol: &Bound<'_, PyAny>) -> PyResult<bool> {
    protocol
        .call_method0(intern!(protocol.py(), "eof_received"))?
        .is_truthy()
}
