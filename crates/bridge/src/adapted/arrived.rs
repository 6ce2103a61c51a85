//! A request that found its operation, on its way into Python: values, then the call.

use std::rc::Rc;

use api::exchange::Exchange;
use bytes::Bytes;
use pyloop::host::Job;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use smallvec::SmallVec;

use super::answer::Owed;
use super::{Found, Shared};
use crate::asgi::Beginning;
use crate::call::pool;
use crate::ffi;
use crate::plan::{Direct, Mode};

/// A request that waits for the interpreter.
pub struct Arrived {
    shared: Rc<Shared>,
    exchange: Exchange,
    found: Found,
    /// The body, where the operation wants it.
    body: Option<Bytes>,
}

impl Job for Arrived {
    fn run(self: Rc<Self>, py: Python<'_>) {
        // The queue's reference was the only one.
        if let Some(own) = Rc::into_inner(self) {
            own.begin(py);
        }
    }
}

impl Arrived {
    /// `exchange` is to be answered by `found`.
    pub fn new(shared: Rc<Shared>, exchange: Exchange, found: Found, body: Option<Bytes>) -> Self {
        Self {
            shared,
            exchange,
            found,
            body,
        }
    }

    fn begin(self, py: Python<'_>) {
        if self.exchange.is_finished() {
            return; // Too late: it was answered in our place.
        }
        match (self.slots(py), &self.found.operation.direct) {
            (Ok(Some(slots)), Some(_)) => self.call(py, &slots),
            (Ok(Some(slots)), None) => self.take_steps(py, slots),
            // No user code ran: the app itself finds out what is wrong, and says so.
            (Ok(None) | Err(_), _) => {
                let beginning = Beginning {
                    body: self.body,
                    ..Beginning::default()
                };
                self.shared.app.call_now(py, self.exchange, beginning);
            }
        }
    }

    /// The values of parameters and body; `None` where the app itself has to decide about one.
    fn slots<'py>(&self, py: Python<'py>) -> PyResult<Option<Vec<Bound<'py, PyAny>>>> {
        let operation = &self.found.operation;
        let Some(mut slots) = operation.slots(py, &self.found.values)? else {
            return Ok(None);
        };
        if let (Some(accept), Some(body)) = (&operation.accept, &self.body) {
            let accepted = accept.bind(py).call1((PyBytes::new(py, body),))?;
            if operation.bodies == 1 {
                slots.push(accepted);
            } else {
                slots.extend(accepted.cast::<PyList>()?.iter());
            }
        }
        Ok(Some(slots))
    }

    /// T1: the user's function itself.
    fn call(self, py: Python<'_>, slots: &[Bound<'_, PyAny>]) {
        let operation = self.found.operation.clone();
        let shared = Rc::clone(&self.shared);
        let owed = self.owed(py);
        let Some(direct) = &operation.direct else {
            return;
        };
        let (owed, context) = match owed {
            Ok(owed) => owed,
            Err(error) => return error.write_unraisable(py, None),
        };
        let arguments = arguments(direct, slots);
        let (function, names) = (direct.function.bind(py), direct.names.bind(py));
        if direct.mode == Mode::Task {
            let coroutine = ffi::call(function, &arguments, names);
            owed.run(py, coroutine, &context);
        } else {
            let submit = shared.submit.bind(py);
            let complete = Box::new(move |py: Python<'_>, result: PyResult<Bound<'_, PyAny>>| {
                owed.complete(py, result);
            });
            pool::start(
                submit,
                shared.remote.clone(),
                function,
                arguments,
                names,
                complete,
            );
        }
    }

    /// T2: the dependencies and the endpoint, one after the other, in one coroutine.
    fn take_steps<'py>(self, py: Python<'py>, slots: Vec<Bound<'py, PyAny>>) {
        let shared = Rc::clone(&self.shared);
        let operation = self.found.operation.clone();
        match self.owed(py) {
            Ok((owed, context)) => {
                let coroutine = PyList::new(py, slots).and_then(|slots| {
                    let run = shared.python.run.bind(py);
                    run.call1((operation.plan.bind(py), slots))
                });
                owed.run(py, coroutine, &context);
            }
            Err(error) => error.write_unraisable(py, None),
        }
    }

    fn owed(self, py: Python<'_>) -> PyResult<(Owed, Bound<'_, PyAny>)> {
        let context = ffi::Context::copy_current(py)?.into_bound(py);
        let owed = Owed::new(self.shared, self.exchange, self.found, self.body, &context);
        Ok((owed, context))
    }
}

fn arguments<'py>(
    direct: &Direct,
    slots: &[Bound<'py, PyAny>],
) -> SmallVec<[Bound<'py, PyAny>; 6]> {
    let slot = |number: &usize| slots.get(*number).cloned();
    direct.slots.iter().filter_map(slot).collect()
}
