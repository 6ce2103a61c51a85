//! What the threads of a pool have to do, in order, and their results' way back. Knows neither threads nor what the items are.

use std::cell::RefCell;
use std::collections::VecDeque;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit, intern};

use crate::event_loop::EventLoop;
use crate::ffi::cell::GilCell;
use crate::ffi::semaphore::Semaphore;
use crate::{gil, owed};

/// The queue of a `ThreadPoolExecutor`, as far as that uses a `queue.SimpleQueue`.
#[pyclass(frozen, module = "data_bridge._native")]
pub struct WorkQueue {
    items: GilCell<RefCell<VecDeque<Py<PyAny>>>>,
    /// As many may pass as there are items that nobody is about to take.
    ready: Semaphore,
}

#[pymethods]
impl WorkQueue {
    #[new]
    fn new() -> Self {
        Self {
            items: GilCell::new(RefCell::default()),
            ready: Semaphore::default(),
        }
    }

    /// Puts an item last.
    fn put(&self, py: Python<'_>, item: Py<PyAny>) {
        self.items.get(py).borrow_mut().push_back(item);
        self.ready.post();
    }

    /// Waits for an item and takes it, once whoever this thread has left something for was woken.
    #[pyo3(signature = (block = true))]
    fn get(&self, py: Python<'_>, block: bool) -> PyResult<Py<PyAny>> {
        if !block {
            return self.get_nowait(py);
        }
        loop {
            if !self.ready.try_wait() {
                gil::detach(py, || {
                    owed::pay();
                    self.ready.wait();
                });
            }
            if let Some(item) = self.take(py) {
                return Ok(item);
            }
        }
    }

    /// Takes an item; raises `queue.Empty` where there is none.
    fn get_nowait(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        static EMPTY: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        if self.ready.try_wait()
            && let Some(item) = self.take(py)
        {
            return Ok(item);
        }
        Err(PyErr::from_value(
            EMPTY.import(py, "queue", "Empty")?.call0()?,
        ))
    }

    /// Whether there is nothing to take.
    fn empty(&self, py: Python<'_>) -> bool {
        self.qsize(py) == 0
    }

    /// How many items wait.
    fn qsize(&self, py: Python<'_>) -> usize {
        self.items.get(py).borrow().len()
    }

    /// As `event_loop.call_soon_threadsafe()`, by a thread that is about to come back for its next item: only then is the
    /// loop woken, so that it need not wait for the interpreter.
    #[pyo3(signature = (event_loop, callback, *args))]
    #[staticmethod]
    fn leave(
        py: Python<'_>,
        event_loop: &Bound<'_, PyAny>,
        callback: Bound<'_, PyAny>,
        args: &Bound<'_, PyTuple>,
    ) -> PyResult<()> {
        let Ok(ours) = event_loop.cast::<EventLoop>() else {
            let all: Vec<_> = std::iter::once(callback).chain(args).collect();
            let call = intern!(py, "call_soon_threadsafe");
            return event_loop
                .call_method1(call, PyTuple::new(py, all)?)
                .map(drop);
        };
        let core = ours.get().core(py);
        let args: Vec<_> = args.iter().collect();
        // What came through the inbox before goes first.
        core.take_inbox_if_filled();
        core.call_soon(py, &callback, &args, None)?;
        owed::owe(core.shared());
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(items) = self.items.get_in_traverse(&visit).try_borrow() else {
            return Ok(());
        };
        items.iter().try_for_each(|item| visit.call(item))
    }

    fn __clear__(&self, py: Python<'_>) {
        drop(self.items.get(py).take());
    }
}

impl WorkQueue {
    fn take(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.items.get(py).borrow_mut().pop_front()
    }
}
