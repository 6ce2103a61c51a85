//! One read of a `StreamReader`, awaited by a coroutine of `data_bridge/stream_reads.py`. Knows no buffer.

use pyo3::exceptions::PyStopIteration;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3::{PyTraverseError, PyVisit};

use super::attributes::Attributes;
use super::reads::StreamReads;
use super::supply::{Plain, Supply, end_wait};

/// What is read, and the method's argument as it was given.
pub enum Wanted {
    Some(Py<PyAny>),
    Exactly(Py<PyAny>),
    Until(Py<PyAny>),
    Line,
}

impl Wanted {
    fn take<'py>(
        &self,
        py: Python<'py>,
        plain: &Plain<'_, 'py>,
        passed: &mut usize,
    ) -> PyResult<Supply<'py>> {
        match self {
            Self::Some(n) => plain.some(n.bind(py)),
            Self::Exactly(n) => plain.exactly(n.bind(py)),
            Self::Until(separator) => plain.until(separator.bind(py), passed),
            Self::Line => plain.until(PyBytes::new(py, b"\n").as_any(), passed),
        }
    }
}

enum Progress {
    /// Nothing was done yet.
    New,
    /// For this future, the reader's waiter.
    Waiting(Py<PyAny>),
    /// The wait is over.
    Woken,
    /// With these bytes.
    Done(Py<PyBytes>),
}

/// What is read from.
struct Source {
    reader: Py<PyAny>,
    reads: Py<StreamReads>,
}

/// One read: awaited, and then asked for its data. If it has none, asyncio's own method is to do the whole read.
#[pyclass(module = "data_bridge._native")]
pub struct StreamRead {
    /// `None` once the garbage collector has found it to be part of a cycle.
    source: Option<Source>,
    wanted: Wanted,
    /// So many bytes were searched for the separator and need not be again.
    passed: usize,
    progress: Progress,
}

impl StreamRead {
    /// A read of `reader` that has not begun.
    pub fn new(reader: Bound<'_, PyAny>, reads: Bound<'_, StreamReads>, wanted: Wanted) -> Self {
        Self {
            source: Some(Source {
                reader: reader.unbind(),
                reads: reads.unbind(),
            }),
            wanted,
            passed: 0,
            progress: Progress::New,
        }
    }

    fn source<'py>(&self, py: Python<'py>) -> Option<(Bound<'py, PyAny>, Bound<'py, StreamReads>)> {
        let source = self.source.as_ref()?;
        Some((
            source.reader.bind(py).clone(),
            source.reads.bind(py).clone(),
        ))
    }

    /// The wait is over, however it ended; what it brought is in the buffer.
    fn end_wait<'py>(
        &mut self,
        state: &Attributes<'py>,
        reads: &Bound<'py, StreamReads>,
    ) -> PyResult<()> {
        let py = reads.py();
        reads.get().put_back(py)?;
        if let Progress::Waiting(future) = &self.progress {
            reads.get().handover().clear(py);
            end_wait(state, future.bind(py))?;
            self.progress = Progress::Woken;
        }
        Ok(())
    }
}

#[pymethods]
impl StreamRead {
    fn __await__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    /// Gives the task the next future to wait for.
    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some((reader, reads)) = self.source(py) else {
            return Ok(None);
        };
        if let Progress::Waiting(future) = &self.progress
            && let Some(data) = reads.get().handover().take(future.bind(py))
        {
            self.progress = Progress::Done(data);
            return Ok(None);
        }
        let state = Attributes::of(&reader)?;
        self.end_wait(&state, &reads)?;
        let has_waited = matches!(self.progress, Progress::Woken);
        let Some(plain) = Plain::of(&reader, state, has_waited)? else {
            return Ok(None);
        };
        match self.wanted.take(py, &plain, &mut self.passed)? {
            Supply::Data(data) => self.progress = Progress::Done(data.unbind()),
            Supply::Wait(future, portion) => {
                if let Some(portion) = portion {
                    reads.get().handover().expect(&future, portion);
                }
                future.setattr(intern!(py, "_asyncio_future_blocking"), true)?;
                self.progress = Progress::Waiting(future.clone().unbind());
                return Ok(Some(future));
            }
            Supply::Unusual => {}
        }
        Ok(None)
    }

    /// [`Self::__next__`] of a coroutine that is driven by hand, with whatever value.
    fn send<'py>(
        &mut self,
        py: Python<'py>,
        _value: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let future = self.__next__(py)?;
        future.ok_or_else(|| PyStopIteration::new_err(()))
    }

    #[pyo3(signature = (kind, value=None, _traceback=None))]
    fn throw(
        &mut self,
        py: Python<'_>,
        kind: Bound<'_, PyAny>,
        value: Option<Bound<'_, PyAny>>,
        _traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        self.close(py)?;
        Err(PyErr::from_value(value.unwrap_or(kind)))
    }

    fn close(&mut self, py: Python<'_>) -> PyResult<()> {
        match self.source(py) {
            Some((reader, reads)) => self.end_wait(&Attributes::of(&reader)?, &reads),
            None => Ok(()),
        }
    }

    /// What was read; `None`: nothing was done.
    #[getter]
    fn data(&self, py: Python<'_>) -> Option<Py<PyBytes>> {
        match &self.progress {
            Progress::Done(data) => Some(data.clone_ref(py)),
            _ => None,
        }
    }

    #[getter]
    fn reader(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let source = self.source.as_ref()?;
        Some(source.reader.clone_ref(py))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some(source) = &self.source {
            visit.call(&source.reader)?;
            visit.call(&source.reads)?;
        }
        match &self.wanted {
            Wanted::Some(argument) | Wanted::Exactly(argument) | Wanted::Until(argument) => {
                visit.call(argument)?;
            }
            Wanted::Line => {}
        }
        match &self.progress {
            Progress::Waiting(future) => visit.call(future),
            Progress::New | Progress::Woken | Progress::Done(_) => Ok(()),
        }
    }

    fn __clear__(&mut self) {
        self.source = None;
        self.wanted = Wanted::Line;
        self.progress = Progress::New;
    }
}
