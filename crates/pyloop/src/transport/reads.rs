//! The reads that stand on the `__dict__` of a `StreamReader` of asyncio's exact class. Knows no transport.

use pyo3::exceptions::PyReferenceError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};
use pyo3::{PyTraverseError, PyVisit};

use super::attributes::{Attributes, name};
use super::handover::Handover;
use super::original::reader_of;
use super::reading::{StreamRead, Wanted};
use crate::ffi::buffer;

/// The reads of one `StreamReader`. Weak: a reader lives for as long as the program has it.
#[pyclass(frozen, weakref, module = "data_bridge._native")]
pub struct StreamReads {
    reader: Py<PyWeakrefReference>,
    handover: Handover,
}

/// A transport's reference to the reads of the protocol above it, if there are any. Weak: what waits in them is kept by the
/// program, and not by a connection that lives.
pub struct Reads(Option<Py<PyWeakrefReference>>);

impl Reads {
    pub const fn none() -> Self {
        Self(None)
    }

    pub fn get<'py>(&self, py: Python<'py>) -> Option<Bound<'py, StreamReads>> {
        let reads = self.0.as_ref()?.bind(py).upgrade()?;
        reads.cast_into().ok()
    }

    /// Nothing that was handed over is missing in the buffer any more.
    pub fn put_back(&self, py: Python<'_>) -> PyResult<()> {
        match self.get(py) {
            Some(reads) => reads.get().put_back(py),
            None => Ok(()),
        }
    }

    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        Self(self.0.as_ref().map(|reads| reads.clone_ref(py)))
    }
}

/// Puts the reads on the reader of a `StreamReaderProtocol`, if everything is as asyncio has made it.
pub fn install(protocol: &Bound<'_, PyAny>) -> PyResult<Reads> {
    let py = protocol.py();
    let Some(reader) = reader_of(py, &Attributes::of(protocol)?)? else {
        return Ok(Reads::none());
    };
    let reads = installed(&reader)?.map_or_else(|| install_on(&reader), Ok)?;
    Ok(Reads(Some(PyWeakrefReference::new(&reads)?.unbind())))
}

fn install_on<'py>(reader: &Bound<'py, PyAny>) -> PyResult<Bound<'py, StreamReads>> {
    static METHODS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = reader.py();
    let reads = StreamReads {
        reader: PyWeakrefReference::new(reader)?.unbind(),
        handover: Handover::new(),
    };
    let reads = Bound::new(py, reads)?;
    let install = METHODS.import(py, "data_bridge.stream_reads", "install")?;
    install.call1((reader, &reads))?;
    Ok(reads)
}

/// Those that a reader has since its protocol was set before, as `start_tls()` does.
fn installed<'py>(reader: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, StreamReads>>> {
    let attributes = Attributes::of(reader)?;
    if !attributes.has(name!("read"))? {
        return Ok(None);
    }
    let method = attributes.get(name!("read"))?;
    let reads = method.getattr_opt(intern!(reader.py(), "__self__"))?;
    Ok(reads.and_then(|reads| reads.cast_into().ok()))
}

#[pymethods]
impl StreamReads {
    /// `read(n)`
    fn some(slf: &Bound<'_, Self>, n: Py<PyAny>) -> PyResult<StreamRead> {
        read(slf, Wanted::Some(n))
    }

    /// `readexactly(n)`
    fn exactly(slf: &Bound<'_, Self>, n: Py<PyAny>) -> PyResult<StreamRead> {
        read(slf, Wanted::Exactly(n))
    }

    /// `readuntil(separator)`
    fn until(slf: &Bound<'_, Self>, separator: Py<PyAny>) -> PyResult<StreamRead> {
        read(slf, Wanted::Until(separator))
    }

    /// `readline()`
    fn line(slf: &Bound<'_, Self>) -> PyResult<StreamRead> {
        read(slf, Wanted::Line)
    }

    #[allow(clippy::needless_pass_by_value)] // the signature that PyO3 wants
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.handover.traverse(&visit)
    }

    fn __clear__(slf: &Bound<'_, Self>) {
        slf.get().handover.clear(slf.py());
    }
}

fn read(reads: &Bound<'_, StreamReads>, wanted: Wanted) -> PyResult<StreamRead> {
    let reader = reads.get().reader.bind(reads.py()).upgrade().ok_or_else(|| {
        PyReferenceError::new_err(
            "the StreamReader is gone: keep a reference to it, or to its StreamWriter, while it is read from",
        )
    })?;
    Ok(StreamRead::new(reader, reads.clone(), wanted))
}

impl StreamReads {
    /// Where what comes is handed to the read that waits.
    pub fn handover(&self) -> &Handover {
        &self.handover
    }

    /// What was handed to a read that has not gone on yet is in the buffer again.
    pub fn put_back(&self, py: Python<'_>) -> PyResult<()> {
        let Some(data) = self.handover.back(py) else {
            return Ok(());
        };
        match self.reader.bind(py).upgrade() {
            Some(reader) => {
                let buffer = Attributes::of(&reader)?.get(name!("_buffer"))?;
                buffer::prepend(&buffer, data.bind(py))
            }
            None => Ok(()),
        }
    }
}
