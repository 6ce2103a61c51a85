//! The tasks that run for requests: held so that none is collected half-way, listed for the shutdown.

use std::cell::RefCell;
use std::collections::HashMap;

use pyloop::gil::Kept;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;

/// Suspended tasks by identity.
#[derive(Default)]
pub struct Running(RefCell<HashMap<usize, Kept<PyAny>>>);

impl Running {
    /// Holds `task` until [`Running::release`]; `ending` is called with the task when it is done.
    pub fn hold<'py, T>(&self, py: Python<'py>, task: &Bound<'py, PyAny>, ending: T) -> PyResult<()>
    where
        T: pyo3::PyClass + Into<pyo3::PyClassInitializer<T>>,
    {
        task.call_method1(intern!(py, "add_done_callback"), (Bound::new(py, ending)?,))?;
        self.0
            .borrow_mut()
            .insert(task.as_ptr() as usize, Kept::new(task.clone().unbind()));
        Ok(())
    }

    /// `task` is done.
    pub fn release(&self, task: &Bound<'_, PyAny>) {
        let released = self.0.borrow_mut().remove(&(task.as_ptr() as usize));
        drop(released);
    }

    /// What still runs.
    pub fn list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.0.borrow().values().map(|task| task.bind(py)))
    }
}
