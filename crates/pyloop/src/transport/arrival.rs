//! The wait of a `StreamReader`'s read, as asyncio's `_wait_for_data()` has it. Knows neither buffer nor transport.

use pyo3::exceptions::PyStopIteration;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::{PyTraverseError, PyVisit, intern};

use super::attributes::Attributes;

/// Awaited at once: done when `feed_data()` or `feed_eof()` wakes the reader's waiter.
#[pyclass(module = "data_bridge._native")]
pub struct Arrival {
    /// So many bytes need not be looked at again.
    #[pyo3(get)]
    passed: usize,
    /// The reader's attributes and its waiter, until the wait is over.
    waiting: Option<(Py<PyDict>, Py<PyAny>)>,
    has_begun: bool,
}

impl Arrival {
    /// Of data in the reader with these attributes, which is not at its end and has nobody else waiting.
    pub fn new(state: &Attributes<'_>, passed: usize) -> PyResult<Self> {
        let py = state.dict().py();
        if state.is(intern!(py, "_paused"))? {
            state.set(intern!(py, "_paused"), false)?;
            let transport = state.get(intern!(py, "_transport"))?;
            transport.call_method0(intern!(py, "resume_reading"))?;
        }
        let owner = state.get(intern!(py, "_loop"))?;
        let future = owner.call_method0(intern!(py, "create_future"))?;
        state.set(intern!(py, "_waiter"), &future)?;
        Ok(Self {
            passed,
            waiting: Some((state.dict().clone().unbind(), future.unbind())),
            has_begun: false,
        })
    }

    /// The wait is over, however it ended: nobody waits in the reader. The future, the first time.
    fn end<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some((state, future)) = self.waiting.take() else {
            return Ok(None);
        };
        let (state, name) = (state.bind(py), intern!(py, "_waiter"));
        if state
            .get_item(name)?
            .is_some_and(|waiter| waiter.is(&future))
        {
            state.set_item(name, py.None())?;
        }
        Ok(Some(future.into_bound(py)))
    }
}

#[pymethods]
impl Arrival {
    fn __await__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    /// Gives the task the future to wait for; the second time, raises what that future has.
    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        if !std::mem::replace(&mut self.has_begun, true)
            && let Some((_, future)) = &self.waiting
        {
            let future = future.bind(py);
            future.setattr(intern!(py, "_asyncio_future_blocking"), true)?;
            return Ok(Some(future.clone()));
        }
        if let Some(future) = self.end(py)? {
            future.call_method0(intern!(py, "result"))?;
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
        self.end(py)?;
        Err(PyErr::from_value(value.unwrap_or(kind)))
    }

    fn close(&mut self, py: Python<'_>) -> PyResult<()> {
        self.end(py).map(drop)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Some((state, future)) = &self.waiting else {
            return Ok(());
        };
        visit.call(state)?;
        visit.call(future)
    }

    fn __clear__(&mut self) {
        self.waiting = None;
    }
}
