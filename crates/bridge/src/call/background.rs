//! What a handler left to be done after its response. Knows no exchange.

use std::rc::Rc;
use std::sync::Arc;

use pyo3::intern;
use pyo3::prelude::*;

use super::Own;
use crate::coroutine::awaitable;
use crate::errors;
use crate::executor::Shared;
use crate::ffi::ThreadBound;
use crate::plan::Operation;
use crate::task::Started;

/// Has `work` (a callable that gives an awaitable) done as a task, once the response's bytes are on their way.
pub fn start(shared: &Rc<Shared<Own>>, operation: &Arc<Operation>, work: &Bound<'_, PyAny>) {
    let py = work.py();
    if is_empty(work) {
        return;
    }
    let event_loop = shared.face.event_loop.bind(py);
    // A response is written in the runtime's next turn; the task waits for that, held from now on.
    let sent = awaitable(event_loop, tokio::task::yield_now(), |py, ()| {
        Ok(py.None().into_bound(py))
    });
    let started = sent
        .and_then(|sent| shared.face.python.after.bind(py).call1((sent, work)))
        .and_then(|coroutine| shared.tasks.start(py, &coroutine));
    let owner = Owner {
        shared: Rc::clone(shared),
        operation: Arc::clone(operation),
    };
    match started {
        Ok(Started::Running(task)) => {
            let running = Rc::clone(&shared.running);
            if let Err(error) = running.hold(py, &task, Ending(ThreadBound::new(owner))) {
                error.write_unraisable(py, Some(&task));
            }
        }
        Ok(Started::Finished(result)) => owner.ended(py, result.map(drop)),
        Err(error) => owner.ended(py, Err(error)),
    }
}

/// Whether it is a list of tasks without any.
fn is_empty(work: &Bound<'_, PyAny>) -> bool {
    let tasks = work.getattr_opt(intern!(work.py(), "tasks"));
    matches!(tasks, Ok(Some(tasks)) if tasks.len().is_ok_and(|length| length == 0))
}

/// Whose work it is.
struct Owner {
    shared: Rc<Shared<Own>>,
    operation: Arc<Operation>,
}

impl Owner {
    fn ended(&self, py: Python<'_>, result: PyResult<()>) {
        let Err(error) = result else { return };
        if errors::is_farewell(py, &error) {
            return;
        }
        let call = self.operation.plan.bind(py);
        if let Err(unreported) = self
            .shared
            .face
            .python
            .report
            .bind(py)
            .call1((call, error.value(py)))
        {
            unreported.write_unraisable(py, Some(call));
        }
    }
}

/// Called when the work is done.
#[pyclass(frozen, module = "data_bridge._native")]
struct Ending(ThreadBound<Owner>);

#[pymethods]
impl Ending {
    fn __call__(&self, py: Python<'_>, task: &Bound<'_, PyAny>) -> PyResult<()> {
        let owner = self.0.get().ok_or_else(errors::foreign_thread)?;
        owner.shared.running.release(task);
        owner.ended(py, task.call_method0(intern!(py, "result")).map(drop));
        Ok(())
    }
}
