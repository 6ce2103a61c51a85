//! What every transport does when it opens: the class that it claims, and whom it tells. Knows no socket.

use std::rc::Rc;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};

use super::waiter::Completion;
use crate::event_loop::EventLoop;
use crate::host::Job;

/// The class that transports claim to be, so that they are instances of asyncio's `bases`: a native object cannot have a
/// Python class with slots for its base.
pub fn claimed_class<'py>(
    py: Python<'py>,
    class: &'static PyOnceLock<Py<PyAny>>,
    name: &str,
    bases: &[&str],
) -> PyResult<Bound<'py, PyAny>> {
    let class = class.get_or_try_init(py, || {
        let module = py.import("asyncio.transports")?;
        let bases: Vec<_> = bases
            .iter()
            .map(|base| module.getattr(*base))
            .collect::<PyResult<_>>()?;
        let body = PyDict::new(py);
        body.set_item("__slots__", ())?;
        body.set_item("__module__", "data_bridge._native")?;
        py.get_type::<PyType>()
            .call1((name, PyTuple::new(py, bases)?, body))
            .map(Bound::unbind)
    })?;
    Ok(class.bind(py).clone())
}

/// Whom a new transport tells, in the turn after this one.
pub struct Audience<'a, 'py> {
    /// Hears `connection_made`.
    pub protocol: &'a Bound<'py, PyAny>,
    /// The context of all callbacks; `None`: the current one.
    pub context: Option<&'a Bound<'py, PyAny>>,
    /// A future, completed last.
    pub waiter: Option<&'a Bound<'py, PyAny>>,
}

impl<'py> Audience<'_, 'py> {
    /// In asyncio's order: `connection_made`, then reading begins, then the waiter wakes.
    pub fn tell(
        &self,
        event_loop: &Bound<'py, EventLoop>,
        transport: Bound<'py, PyAny>,
        begin: Rc<dyn Job>,
    ) -> PyResult<()> {
        let py = transport.py();
        let core = event_loop.get().core(py);
        let connection_made = self.protocol.getattr(intern!(py, "connection_made"))?;
        core.call_soon(py, &connection_made, &[transport], self.context)?;
        core.push_native(begin);
        if let Some(waiter) = self.waiter {
            core.push_native(Rc::new(Completion {
                event_loop: event_loop.clone().unbind(),
                waiter: waiter.clone().unbind(),
            }));
        }
        Ok(())
    }
}
