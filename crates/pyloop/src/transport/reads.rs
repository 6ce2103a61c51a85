//! The reads that stand on the `__dict__` of a `StreamReader` of asyncio's exact class. Knows no transport.

use pyo3::exceptions::PyReferenceError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};

use super::attributes::Attributes;
use super::original::reader_of;
use super::reading::{StreamRead, Wanted};

/// The reads of one `StreamReader`. Weak: a reader lives for as long as the program has it.
#[pyclass(frozen, module = "data_bridge._native")]
pub struct StreamReads {
    reader: Py<PyWeakrefReference>,
}

/// Puts the reads on the reader of a `StreamReaderProtocol`, if everything is as asyncio has made it.
pub fn install(protocol: &Bound<'_, PyAny>) -> PyResult<()> {
    static METHODS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = protocol.py();
    let Some(reader) = reader_of(py, &Attributes::of(protocol)?)? else {
        return Ok(());
    };
    let reads = StreamReads {
        reader: PyWeakrefReference::new(&reader)?.unbind(),
    };
    let install = METHODS.import(py, "data_bridge.stream_reads", "install")?;
    install.call1((reader, reads)).map(drop)
}

#[pymethods]
impl StreamReads {
    /// `read(n)`
    fn some(&self, py: Python<'_>, n: Py<PyAny>) -> PyResult<StreamRead> {
        self.read(py, Wanted::Some(n))
    }

    /// `readexactly(n)`
    fn exactly(&self, py: Python<'_>, n: Py<PyAny>) -> PyResult<StreamRead> {
        self.read(py, Wanted::Exactly(n))
    }

    /// `readuntil(separator)`
    fn until(&self, py: Python<'_>, separator: Py<PyAny>) -> PyResult<StreamRead> {
        self.read(py, Wanted::Until(separator))
    }

    /// `readline()`
    fn line(&self, py: Python<'_>) -> PyResult<StreamRead> {
        self.read(py, Wanted::Line)
    }
}

impl StreamReads {
    fn read(&self, py: Python<'_>, wanted: Wanted) -> PyResult<StreamRead> {
        let reader = self.reader.bind(py).upgrade().ok_or_else(|| {
            PyReferenceError::new_err(
                "the StreamReader is gone: keep a reference to it, or to its StreamWriter, while it is read from",
            )
        })?;
        Ok(StreamRead::new(reader, wanted))
    }
}
