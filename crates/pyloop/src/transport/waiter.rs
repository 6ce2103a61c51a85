//! A future that waits for a transport. Knows no transport.

use std::rc::Rc;

use pyo3::intern;
use pyo3::prelude::*;

use crate::event_loop::EventLoop;
use crate::host::Job;

/// Completes `waiter` with nothing, unless it was cancelled meanwhile.
pub fn complete(waiter: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = waiter.py();
    // Hardly any is cancelled, so that is asked afterwards.
    match waiter.call_method1(intern!(py, "set_result"), (py.None(),)) {
        Err(error) if !waiter.call_method0(intern!(py, "cancelled"))?.is_truthy()? => Err(error),
        _ => Ok(()),
    }
}

/// [`complete`] in its turn among the callbacks.
pub struct Completion {
    pub event_loop: Py<EventLoop>,
    pub waiter: Py<PyAny>,
}

impl Job for Completion {
    fn run(self: Rc<Self>, py: Python<'_>) {
        let waiter = self.waiter.bind(py);
        if let Err(error) = complete(waiter) {
            let core = self.event_loop.get().core(py);
            let details = [("future", waiter)];
            core.report(py, error, "Exception in completing a future", &details);
        }
    }
}
