//! Back pressure: the protocol pauses above the upper mark of a write buffer and goes on at the lower one. Knows no
//! socket and no buffer.

use std::cell::{Cell, RefCell};

use pyo3::prelude::*;

use super::flow::Limits;
use crate::core::Core;
use crate::ffi::context;
use crate::handle;

/// Who talks about what.
pub struct Parties<'a, 'py> {
    /// The loop that reports a protocol's failure.
    pub core: &'a Core,
    /// Whose buffer it is.
    pub transport: &'a Bound<'py, PyAny>,
    /// Who has to pause; gone after `connection_lost`.
    pub protocol: Option<Bound<'py, PyAny>>,
    /// Where it hears that it may go on; `None`: a copy of the context in which it had to pause.
    pub context: Option<&'a Py<PyAny>>,
}

/// The marks, and on which side of them the protocol was left.
#[derive(Default)]
pub struct Pressure {
    /// The marks.
    pub limits: Cell<Limits>,
    paused: Cell<bool>,
    /// Where the protocol hears that it may go on.
    context: RefCell<Option<Py<PyAny>>>,
}

impl Pressure {
    /// The buffer holds `size` bytes now, maybe more than before.
    pub fn raised(&self, parties: &Parties<'_, '_>, size: usize) -> PyResult<()> {
        if size <= self.limits.get().high() || self.paused.replace(true) {
            return Ok(());
        }
        let py = parties.transport.py();
        let context = match parties.context {
            Some(context) => context.clone_ref(py),
            None => context::copy_current(py)?,
        };
        drop(self.context.replace(Some(context)));
        parties.tell("pause_writing", "protocol.pause_writing() failed")
    }

    /// The buffer holds `size` bytes now, maybe fewer than before.
    pub fn sunk(&self, parties: &Parties<'_, '_>, size: usize) {
        if size > self.limits.get().low() || !self.paused.replace(false) {
            return;
        }
        let tell = || parties.tell("resume_writing", "protocol.resume_writing() failed");
        let told = match self.context.take() {
            Some(context) => {
                context::run_in(context.bind(parties.transport.py()), tell).and_then(|told| told)
            }
            None => tell(),
        };
        if let Err(error) = told {
            parties.core.interrupt(error);
        }
    }

    /// Whether the protocol was left paused.
    pub fn is_on(&self) -> bool {
        self.paused.get()
    }

    /// The context is not needed any more.
    pub fn forget(&self) {
        drop(self.context.take());
    }

    /// Shows the garbage collector what is held.
    pub fn traverse(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        match self.context.try_borrow() {
            Ok(context) => visit.call(&*context),
            Err(_) => Ok(()),
        }
    }
}

impl Parties<'_, '_> {
    /// `Err`: only what must end the loop.
    fn tell(&self, method: &str, failure: &str) -> PyResult<()> {
        let Some(protocol) = &self.protocol else {
            return Ok(());
        };
        let py = protocol.py();
        match protocol.call_method0(method) {
            Ok(_) => Ok(()),
            Err(error) if handle::ends_the_loop(py, &error) => Err(error),
            Err(error) => {
                let details = [("transport", self.transport), ("protocol", protocol)];
                self.core.report(py, error, failure, &details);
                Ok(())
            }
        }
    }
}
