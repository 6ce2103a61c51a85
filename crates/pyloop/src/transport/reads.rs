//! What a `StreamReader`'s reads take from its buffer, in one step each. Knows no transport and no coroutine.
//!
//! The coroutines are in `data_bridge/stream_reads.py`, on the `__dict__` of readers of asyncio's exact class. Only what is plain is done
//! here; an answer of `None` leaves the whole read to asyncio's own method, before anything was taken.

use pyo3::exceptions::PyReferenceError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyByteArray, PyByteArrayMethods, PyBytes, PyInt, PyWeakrefMethods, PyWeakrefReference,
};

use super::arrival::Arrival;
use super::attributes::Attributes;
use super::original::{Original, reader_of};
use crate::ffi::buffer;

/// The reads of one `StreamReader`. Weak: a reader lives for as long as the program has it.
#[pyclass(frozen, module = "data_bridge._native")]
pub struct StreamReads {
    reader: Py<PyWeakrefReference>,
}

/// What a read has come to.
#[derive(IntoPyObject)]
enum Taken<'py> {
    /// The data.
    Data(Bound<'py, PyBytes>),
    /// There is too little.
    Wait(Arrival),
    /// Nothing was done: call asyncio's method.
    Unusual(Option<()>),
}

const UNUSUAL: PyResult<Taken<'_>> = Ok(Taken::Unusual(None));

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
    /// `readexactly(n)`
    fn exactly<'py>(&self, py: Python<'py>, n: &Bound<'py, PyAny>) -> PyResult<Taken<'py>> {
        match (self.plain(py)?, amount(n)) {
            (Some(reader), Some(n)) if reader.held() < n => reader.wait(0),
            (Some(reader), Some(n)) => reader.take(n),
            _ => UNUSUAL,
        }
    }

    /// `read(n)`
    fn some<'py>(&self, py: Python<'py>, n: &Bound<'py, PyAny>) -> PyResult<Taken<'py>> {
        match (self.plain(py)?, amount(n)) {
            (Some(reader), Some(_)) if reader.held() == 0 => reader.wait(0),
            (Some(reader), Some(n)) => reader.take(reader.held().min(n)),
            _ => UNUSUAL,
        }
    }

    /// `readuntil(separator)`; the first `passed` bytes were looked at before.
    fn until<'py>(
        &self,
        py: Python<'py>,
        separator: &Bound<'py, PyAny>,
        passed: usize,
    ) -> PyResult<Taken<'py>> {
        match (self.plain(py)?, separator.cast_exact::<PyBytes>()) {
            (Some(reader), Ok(separator)) if !separator.as_bytes().is_empty() => {
                reader.take_until(separator, passed)
            }
            _ => UNUSUAL,
        }
    }

    /// The reader itself.
    fn reader<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.reader.bind(py).upgrade().ok_or_else(|| {
            PyReferenceError::new_err(
                "the StreamReader is gone: keep a reference to it, or to its StreamWriter, while it is read from",
            )
        })
    }
}

impl StreamReads {
    /// The reader, if it is as asyncio has made it and has no exception to raise.
    fn plain<'py>(&self, py: Python<'py>) -> PyResult<Option<Plain<'py>>> {
        let Some(reader) = self.reader.bind(py).upgrade() else {
            return Ok(None);
        };
        if !Original::reader(py)?.is_untouched(py)? {
            return Ok(None);
        }
        let state = Attributes::of(&reader)?;
        let Ok(buffer) = state.get(intern!(py, "_buffer"))?.cast_into_exact() else {
            return Ok(None);
        };
        let fails = !state.get(intern!(py, "_exception"))?.is_none();
        Ok((!fails).then_some(Plain {
            reader,
            state,
            buffer,
        }))
    }
}

/// A reader of which nothing unusual is known.
struct Plain<'py> {
    reader: Bound<'py, PyAny>,
    state: Attributes<'py>,
    buffer: Bound<'py, PyByteArray>,
}

impl<'py> Plain<'py> {
    /// How many bytes have come and were not read yet.
    fn held(&self) -> usize {
        self.buffer.len()
    }

    fn wait(&self, passed: usize) -> PyResult<Taken<'py>> {
        let py = self.reader.py();
        let waits = !self.state.is(intern!(py, "_eof"))?
            && self.state.get(intern!(py, "_waiter"))?.is_none()
            && !self.state.has(intern!(py, "_wait_for_data"))?;
        if waits {
            Arrival::new(&self.state, passed).map(Taken::Wait)
        } else {
            UNUSUAL
        }
    }

    /// The first `n` bytes of at least as many.
    fn take(&self, n: usize) -> PyResult<Taken<'py>> {
        let py = self.reader.py();
        let data = buffer::take(&self.buffer, n)?;
        if self.state.is(intern!(py, "_paused"))? {
            self.reader
                .call_method0(intern!(py, "_maybe_resume_transport"))?;
        }
        Ok(Taken::Data(data))
    }

    fn take_until(&self, separator: &Bound<'py, PyBytes>, passed: usize) -> PyResult<Taken<'py>> {
        let py = self.reader.py();
        let Ok(limit) = self.state.get(intern!(py, "_limit"))?.extract::<usize>() else {
            return UNUSUAL; // a limit may be any number
        };
        let length = separator.as_bytes().len();
        let find = self
            .buffer
            .call_method1(intern!(py, "find"), (separator, passed))?;
        match find.extract::<usize>() {
            Ok(start) if start <= limit => self.take(start + length),
            Ok(_) => UNUSUAL,
            Err(_) => match (self.held() + 1).saturating_sub(length) {
                passed if passed <= limit => self.wait(passed),
                _ => UNUSUAL,
            },
        }
    }
}

/// A number of bytes that is neither nothing nor everything.
fn amount(n: &Bound<'_, PyAny>) -> Option<usize> {
    let n = n.cast_exact::<PyInt>().ok()?;
    n.extract().ok().filter(|n| *n > 0)
}
