//! The protocol above a transport: which reading interface it has, and calls of its methods. Knows no socket.

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;
use pyo3::{PyTraverseError, PyVisit};

use super::feed;
use super::reads::{self, Reads};
use super::tls::Tls;

/// A protocol. Its methods are looked up at each call, because programs replace them on the living object.
pub struct Receiver {
    protocol: Py<PyAny>,
    way: Way,
}

/// How what was read comes to the protocol.
pub enum Way {
    /// `data_received`
    Plain,
    /// `get_buffer` and `buffer_updated`
    Buffered,
    /// Straight into asyncio's `StreamReader`, which has these reads.
    Stream(Reads),
    /// Through asyncio's `SSLProtocol`, which is a buffered one.
    Tls(Py<Tls>),
}

impl Way {
    fn to(protocol: &Bound<'_, PyAny>) -> PyResult<Self> {
        static BUFFERED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let class = BUFFERED.import(protocol.py(), "asyncio.protocols", "BufferedProtocol")?;
        if feed::is_stream_protocol(protocol)? {
            return Ok(Self::Stream(reads::install(protocol)?));
        }
        if !protocol.is_instance(class)? {
            return Ok(Self::Plain);
        }
        Ok(Tls::over(protocol)?.map_or(Self::Buffered, |tls| Self::Tls(tls.unbind())))
    }

    fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::Plain => Self::Plain,
            Self::Buffered => Self::Buffered,
            Self::Stream(reads) => Self::Stream(reads.clone_ref(py)),
            Self::Tls(tls) => Self::Tls(tls.clone_ref(py)),
        }
    }
}

impl Receiver {
    /// Finds out once which interface `protocol` has.
    pub fn new(protocol: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self {
            way: Way::to(protocol)?,
            protocol: protocol.clone().unbind(),
        })
    }

    /// A second reference: a call may replace the receiver.
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        Self {
            protocol: self.protocol.clone_ref(py),
            way: self.way.clone_ref(py),
        }
    }

    /// How it is told.
    pub fn way(&self) -> &Way {
        &self.way
    }

    /// The protocol itself.
    pub fn protocol(&self) -> &Py<PyAny> {
        &self.protocol
    }

    /// `eof_received()`: whether the transport shall stay open for writing.
    pub fn eof_received(&self, py: Python<'_>) -> PyResult<bool> {
        if let Way::Stream(reads) = &self.way {
            reads.put_back(py)?;
        }
        let name = intern!(py, "eof_received");
        self.protocol.bind(py).call_method0(name)?.is_truthy()
    }

    /// The connection is over.
    pub fn let_go(&self, py: Python<'_>) -> PyResult<()> {
        match &self.way {
            Way::Tls(tls) => Tls::let_go(tls.bind(py)),
            _ => Ok(()),
        }
    }

    /// Shows the garbage collector what it holds.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.protocol)?;
        match &self.way {
            Way::Tls(tls) => visit.call(tls),
            Way::Plain | Way::Buffered | Way::Stream(_) => Ok(()),
        }
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
