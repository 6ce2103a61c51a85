//! A coroutine as a real `asyncio.Task`: eager where the interpreter can, so that what never suspends is finished inline.

use std::iter::once;

use pyloop::gil::Kept;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyTuple};
use smallvec::SmallVec;

use crate::ffi;

/// Starts coroutines on one event loop.
pub struct Tasks {
    event_loop: Kept<PyAny>,
    task_type: Kept<PyAny>,
    /// What [`Tasks::start`] says to `task_type` beside the coroutine, and the names of that.
    options: Vec<Kept<PyAny>>,
    names: Kept<PyTuple>,
}

/// A coroutine that was started.
pub enum Started<'py> {
    /// It finished in its first step.
    Finished(PyResult<Bound<'py, PyAny>>),
    /// It is suspended; the task has to be held until it is done.
    Running(Bound<'py, PyAny>),
}

impl Tasks {
    /// Tasks of `event_loop`, which must be the loop of the thread that will start them.
    pub fn new(event_loop: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = event_loop.py();
        let mut options = vec![Kept::new(event_loop.clone().unbind())];
        let mut names = vec![intern!(py, "loop")];
        if py.version_info() >= (3, 12) {
            options.push(Kept::new(
                PyBool::new(py, true).to_owned().into_any().unbind(),
            ));
            names.push(intern!(py, "eager_start"));
        }
        names.push(intern!(py, "context"));
        Ok(Self {
            event_loop: Kept::new(event_loop.clone().unbind()),
            task_type: Kept::new(py.import("asyncio")?.getattr("Task")?.unbind()),
            options,
            names: Kept::new(PyTuple::new(py, names)?.unbind()),
        })
    }

    /// Starts `coroutine`: eagerly, or as the user's task factory does it where one is set.
    pub fn start<'py>(
        &self,
        py: Python<'py>,
        coroutine: &Bound<'py, PyAny>,
    ) -> PyResult<Started<'py>> {
        self.start_in(py, coroutine, None)
    }

    /// [`Tasks::start`] in `context`; without one, in a copy of the current one.
    pub fn start_in<'py>(
        &self,
        py: Python<'py>,
        coroutine: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Started<'py>> {
        let event_loop = self.event_loop.bind(py);
        let factory = event_loop.call_method0(intern!(py, "get_task_factory"))?;
        let task = if factory.is_none() {
            let options = self.options.iter().map(|option| option.bind(py).clone());
            let context = context.map_or_else(|| py.None().into_bound(py), Clone::clone);
            let arguments: SmallVec<[Bound<'py, PyAny>; 4]> = once(coroutine.clone())
                .chain(options)
                .chain(once(context))
                .collect();
            ffi::call(self.task_type.bind(py), &arguments, self.names.bind(py))?
        } else {
            let options = PyDict::new(py);
            if let Some(context) = context {
                options.set_item(intern!(py, "context"), context)?;
            }
            let create_task = event_loop.getattr(intern!(py, "create_task"))?;
            create_task.call((coroutine,), Some(&options))?
        };
        if task.call_method0(intern!(py, "done"))?.is_truthy()? {
            return Ok(Started::Finished(task.call_method0(intern!(py, "result"))));
        }
        Ok(Started::Running(task))
    }
}
