//! What `await receive()` and `await send()` wait on: coroutines without a frame. Knows neither protocols nor messages.

use std::cell::RefCell;
use std::rc::Rc;

use pyloop::gil::Kept;
use pyo3::exceptions::PyStopIteration;
use pyo3::intern;
use pyo3::prelude::*;

use crate::errors;
use crate::ffi::ThreadBound;

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// The next message of `receive()`.
    Message,
    /// Room in the response's buffer.
    Room,
}

/// What a coroutine may wait for.
pub trait Awaited {
    /// The value that ends the wait; `None` where there is none yet.
    fn value<'py>(&self, py: Python<'py>, what: For) -> PyResult<Option<Bound<'py, PyAny>>>;
    /// `future` is resolved when [`Awaited::value`] should be asked again.
    fn wait(&self, what: For, future: Kept<PyAny>);
}

/// A coroutine (by `collections.abc.Coroutine`) that ends with a message of `receive()` or with `None` for `send()`.
///
/// A message is taken from the connection in the step that returns it, so that a cancelled `receive()` loses nothing.
#[pyclass(frozen, module = "data_bridge._native")]
pub struct Waiting(ThreadBound<State>);

struct State {
    source: Rc<dyn Awaited>,
    what: For,
    create_future: Kept<PyAny>,
    /// The iterator of the asyncio future that this coroutine is suspended on.
    inner: RefCell<Option<Kept<PyAny>>>,
}

impl Waiting {
    /// Waits for `what` of `source`; `create_future` is the loop's method.
    pub fn new(source: Rc<dyn Awaited>, what: For, create_future: Kept<PyAny>) -> Self {
        Self(ThreadBound::new(State {
            source,
            what,
            create_future,
            inner: RefCell::new(None),
        }))
    }
}

impl State {
    /// One step: `Ok(Some(yielded))` suspends, `Err(StopIteration)` returns.
    fn step<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        loop {
            let suspended = self
                .inner
                .borrow()
                .as_ref()
                .map(|inner| inner.bind(py).clone());
            if let Some(inner) = suspended {
                match inner.call_method0(intern!(py, "__next__")) {
                    Ok(yielded) => return Ok(Some(yielded)),
                    Err(error) if error.is_instance_of::<PyStopIteration>(py) => {
                        drop(self.inner.take());
                    }
                    Err(error) => {
                        self.inner.take();
                        return Err(error);
                    }
                }
            }
            if let Some(value) = self.source.value(py, self.what)? {
                return Err(stop_with(py, &value));
            }
            let future = self.create_future.bind(py).call0()?;
            self.source
                .wait(self.what, Kept::new(future.clone().unbind()));
            let inner = future.call_method0(intern!(py, "__await__"))?;
            self.inner.replace(Some(Kept::new(inner.unbind())));
        }
    }
}

/// Lets every waiting task look again. A future that is done already (its task was cancelled) is passed over.
pub fn resolve(py: Python<'_>, waiting: &RefCell<Vec<Kept<PyAny>>>) {
    for future in waiting.take() {
        let future = future.bind(py);
        let outcome = future
            .call_method0(intern!(py, "done"))
            .and_then(|done| done.is_truthy())
            .and_then(|done| {
                if done {
                    Ok(())
                } else {
                    future
                        .call_method1(intern!(py, "set_result"), (py.None(),))
                        .map(drop)
                }
            });
        if let Err(error) = outcome {
            error.write_unraisable(py, Some(future));
        }
    }
}

fn stop_with(py: Python<'_>, value: &Bound<'_, PyAny>) -> PyErr {
    match py.get_type::<PyStopIteration>().call1((value,)) {
        Ok(stop) => PyErr::from_value(stop),
        Err(error) => error,
    }
}

#[pymethods]
impl Waiting {
    fn __await__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.get().ok_or_else(errors::foreign_thread)?.step(py)
    }

    /// Resumes the coroutine; its value arrives as `StopIteration`, as PEP 492 says.
    fn send<'py>(
        &self,
        py: Python<'py>,
        _value: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.__next__(py)
    }

    /// Raises `kind` where the coroutine is suspended.
    #[pyo3(signature = (kind, value=None, traceback=None))]
    fn throw(
        &self,
        kind: &Bound<'_, PyAny>,
        value: Option<&Bound<'_, PyAny>>,
        traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let _ = traceback;
        self.close();
        let raised = match value {
            Some(value) if kind.is_callable() && !value.is_none() => kind.call1((value,))?,
            _ if kind.is_callable() => kind.call0()?,
            _ => kind.clone(),
        };
        Err(PyErr::from_value(raised))
    }

    /// Gives up waiting.
    fn close(&self) {
        if let Some(state) = self.0.get() {
            state.inner.take();
        }
    }
}

/// The awaitable of a `send()` that is done: one for all of them.
#[pyclass(frozen, module = "data_bridge._native")]
pub struct Done;

#[pymethods]
impl Done {
    fn __await__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[expect(clippy::unused_self, reason = "Python calls it as a method")]
    fn __next__(&self) -> Option<()> {
        None
    }

    /// Ends at once.
    #[expect(clippy::unused_self, reason = "Python calls it as a method")]
    fn send(&self, _value: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(PyStopIteration::new_err(()))
    }

    /// Raises `raised`.
    #[pyo3(signature = (raised, _value=None, _traceback=None))]
    #[expect(clippy::unused_self, reason = "Python calls it as a method")]
    fn throw(
        &self,
        raised: Bound<'_, PyAny>,
        _value: Option<Bound<'_, PyAny>>,
        _traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        Err(PyErr::from_value(raised))
    }

    /// There is nothing to give up.
    #[expect(clippy::unused_self, reason = "Python calls it as a method")]
    fn close(&self) {}
}
