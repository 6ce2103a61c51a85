//! What streams await with every message: `StreamReader._wait_for_data()` and `StreamReaderProtocol._drain_helper()`
//! without a coroutine. Knows no transport.
//!
//! Each takes the place of asyncio's method on one object, like the `write` of `tls`. Objects refer to it, it refers to them
//! weakly, so that a forgotten reader is noticed at once, as asyncio's is. What is not plain is left to asyncio's method.

use std::cell::RefCell;

use pyo3::exceptions::{PyReferenceError, PyRuntimeError, PyStopIteration};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::iterator::PySendResult;
use pyo3::types::{PyIterator, PyNone, PyString, PyTuple, PyWeakrefMethods, PyWeakrefReference};
use pyo3::{PyTraverseError, PyVisit};

use super::attributes::Attributes;
use super::original::{Original, reader_of};
use crate::ffi::cell::GilCell;
use crate::ffi::python;

/// Puts both on the objects behind `protocol`, which is of asyncio's exact class.
pub fn install(protocol: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = protocol.py();
    let ours = Attributes::of(protocol)?;
    let Some(reader) = reader_of(py, &ours)? else {
        return Ok(());
    };
    let name = intern!(py, "_wait_for_data");
    let of_reader = Attributes::of(&reader)?;
    if !of_reader.has(name)? {
        let wait = Bound::new(py, DataWait::of(&reader)?)?;
        of_reader.set(name, wait.getattr(name)?)?;
    }
    let name = intern!(py, "_drain_helper");
    if !ours.has(name)? {
        let drain = Bound::new(py, Drain(PyWeakrefReference::new(protocol)?.unbind()))?;
        ours.set(name, drain.getattr(name)?)?;
    }
    Ok(())
}

fn alive<'py>(py: Python<'py>, weak: &Py<PyWeakrefReference>) -> PyResult<Bound<'py, PyAny>> {
    let gone = || PyReferenceError::new_err("the stream is gone: keep its reader and its writer");
    weak.bind(py).upgrade().ok_or_else(gone)
}

/// A reader's wait for data: the function and what it returns in one, because a reader has one wait at a time.
#[pyclass(frozen, module = "data_bridge._native")]
pub struct DataWait(GilCell<Wait>);

struct Wait {
    reader: Py<PyWeakrefReference>,
    stage: RefCell<Stage>,
}

enum Stage {
    Free,
    /// Called by the reader's method of that name, not awaited yet.
    Called(Py<PyString>),
    /// The reader's `_waiter` is awaited.
    Waiting(Py<PyIterator>),
    /// asyncio's own coroutine is awaited.
    Delegating(Py<PyIterator>),
}

impl DataWait {
    fn of(reader: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(GilCell::new(Wait {
            reader: PyWeakrefReference::new(reader)?.unbind(),
            stage: RefCell::new(Stage::Free),
        })))
    }
}

impl Wait {
    fn original<'py>(
        &self,
        py: Python<'py>,
        name: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let reader = alive(py, &self.reader)?;
        let class = Original::reader(py)?.class(py);
        class.call_method1(intern!(py, "_wait_for_data"), (reader, name))
    }

    fn set(&self, stage: Stage) -> Stage {
        self.stage.replace(stage)
    }

    /// What is awaited; the first time it begins.
    fn inner<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        let name = match &*self.stage.borrow() {
            Stage::Waiting(inner) | Stage::Delegating(inner) => {
                return Ok(inner.bind(py).clone());
            }
            Stage::Called(name) => name.bind(py).clone(),
            Stage::Free => {
                return Err(PyRuntimeError::new_err(
                    "cannot reuse already awaited coroutine",
                ));
            }
        };
        let begun = self.begin(py, &name);
        if begun.is_err() {
            drop(self.set(Stage::Free));
        }
        begun
    }

    fn begin<'py>(
        &self,
        py: Python<'py>,
        name: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyIterator>> {
        let reader = Attributes::of(&alive(py, &self.reader)?)?;
        let waiter = intern!(py, "_waiter");
        if !reader.get(waiter)?.is_none()
            || reader.is(intern!(py, "_eof"))?
            || reader.is(intern!(py, "_paused"))?
        {
            let inner = python::awaited(&self.original(py, name)?)?;
            drop(self.set(Stage::Delegating(inner.clone().unbind())));
            return Ok(inner);
        }
        let future = reader
            .get(intern!(py, "_loop"))?
            .call_method0(intern!(py, "create_future"))?;
        let inner = python::awaited(&future)?;
        reader.set(waiter, future)?;
        drop(self.set(Stage::Waiting(inner.clone().unbind())));
        Ok(inner)
    }

    /// The `finally` of asyncio's coroutine.
    fn end(&self, py: Python<'_>) -> PyResult<()> {
        let ended = self.set(Stage::Free);
        if matches!(ended, Stage::Waiting(_))
            && let Some(reader) = self.reader.bind(py).upgrade()
        {
            Attributes::of(&reader)?.set(intern!(py, "_waiter"), py.None())?;
        }
        Ok(())
    }

    /// One step; `None`: there is data, or the end.
    fn step<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self.inner(py)?.send(&PyNone::get(py)) {
            Ok(PySendResult::Next(yielded)) => Ok(Some(yielded)),
            Ok(PySendResult::Return(_)) => self.end(py).map(|()| None),
            Err(error) => {
                self.end(py)?;
                Err(error)
            }
        }
    }
}

#[pymethods]
impl DataWait {
    fn _wait_for_data<'py>(
        slf: &Bound<'py, Self>,
        func_name: Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let wait = slf.get().0.get(py);
        if !matches!(&*wait.stage.borrow(), Stage::Free)
            || !Original::reader(py)?.is_untouched(py)?
        {
            return wait.original(py, &func_name);
        }
        drop(wait.set(Stage::Called(func_name.unbind())));
        Ok(slf.clone().into_any())
    }

    fn __await__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.get(py).step(py)
    }

    fn send<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = value.py();
        let yielded = self.0.get(py).step(py)?;
        yielded.ok_or_else(|| PyStopIteration::new_err(()))
    }

    #[pyo3(signature = (*exception))]
    fn throw<'py>(&self, exception: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        let py = exception.py();
        let wait = self.0.get(py);
        let thrown = match wait.inner(py) {
            Ok(inner) => inner.call_method1(intern!(py, "throw"), exception.clone()),
            Err(error) => Err(error),
        };
        if thrown.is_err() {
            wait.end(py)?;
        }
        thrown
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let wait = self.0.get(py);
        let inner = match &*wait.stage.borrow() {
            Stage::Waiting(inner) | Stage::Delegating(inner) => Some(inner.bind(py).clone()),
            Stage::Free | Stage::Called(_) => None,
        };
        let closed = inner.map_or(Ok(()), |inner| {
            inner.call_method0(intern!(py, "close")).map(drop)
        });
        wait.end(py)?;
        closed
    }

    #[allow(clippy::needless_pass_by_value)] // the signature that PyO3 wants
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let wait = self.0.get_in_traverse(&visit);
        if let Ok(stage) = wait.stage.try_borrow()
            && let Stage::Waiting(inner) | Stage::Delegating(inner) = &*stage
        {
            visit.call(inner)?;
        }
        visit.call(&wait.reader)
    }

    fn __clear__(&self, py: Python<'_>) {
        drop(self.0.get(py).set(Stage::Free));
    }
}

/// A protocol's `_drain_helper()`: the function, and what it returns where there is nothing to wait for.
#[pyclass(frozen, module = "data_bridge._native")]
pub struct Drain(Py<PyWeakrefReference>);

#[pymethods]
impl Drain {
    fn _drain_helper<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let protocol = alive(py, &slf.get().0)?;
        let state = Attributes::of(&protocol)?;
        let original = Original::protocol(py)?;
        if state.is(intern!(py, "_connection_lost"))?
            || state.is(intern!(py, "_paused"))?
            || !original.is_untouched(py)?
        {
            let class = original.class(py);
            return class.call_method1(intern!(py, "_drain_helper"), (protocol,));
        }
        Ok(slf.clone().into_any())
    }

    fn __await__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    #[allow(clippy::unused_self)]
    fn __next__(&self) -> Option<Py<PyAny>> {
        None
    }

    #[allow(clippy::needless_pass_by_value)] // the signature that PyO3 wants
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0)
    }
}
