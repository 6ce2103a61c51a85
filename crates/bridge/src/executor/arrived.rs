//! A request that found its operation, on its way into Python: values, then the call.

use std::rc::Rc;

use api::exchange::Exchange;
use bytes::Bytes;
use pyloop::host::Job;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use smallvec::SmallVec;

use super::{Face, Owed, Shared, pool};
use crate::ffi;
use crate::plan::{Direct, Found, Mode};
use crate::request_id;

/// The arguments of a call, in the order of their names.
pub type Arguments<'py> = SmallVec<[Bound<'py, PyAny>; 6]>;

/// The values of an operation's slots, in their order.
type Slots<'py> = Vec<Bound<'py, PyAny>>;

/// A request that waits for the interpreter.
pub struct Arrived<F: Face> {
    pub shared: Rc<Shared<F>>,
    pub exchange: Exchange,
    pub found: Found,
    /// The body, where the operation wants it and the plan has read it.
    pub body: Option<Bytes>,
}

impl<F: Face> Job for Arrived<F> {
    fn run(self: Rc<Self>, py: Python<'_>) {
        // The queue's reference was the only one.
        if let Some(own) = Rc::into_inner(self) {
            own.begin(py);
        }
    }
}

impl<F: Face> Arrived<F> {
    /// `exchange` is to be answered by `found`.
    pub fn new(
        shared: Rc<Shared<F>>,
        exchange: Exchange,
        found: Found,
        body: Option<Bytes>,
    ) -> Self {
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
        self.exchange.begin_work();
        match self.slots(py) {
            Ok(Some(slots)) => self.call(py, slots),
            // No user code ran: the reference finds out what is wrong, and says so.
            Ok(None) | Err(_) => F::refer(py, self),
        }
    }

    /// The values before the steps; `None` where the reference has to decide about one.
    fn slots<'py>(&self, py: Python<'py>) -> PyResult<Option<Slots<'py>>> {
        let operation = &self.found.operation;
        let Some(values) = self.found.values.as_ref().filter(|_| operation.is_native) else {
            return Ok(None);
        };
        let Some(mut slots) = operation.slots(py, values)? else {
            return Ok(None);
        };
        if let Some(accept) = &operation.accept {
            let Some(body) = &self.body else {
                return Ok(None);
            };
            let accepted = accept.bind(py).call1((PyBytes::new(py, body),))?;
            if operation.bodies == 1 {
                slots.push(accepted);
            } else {
                slots.extend(accepted.cast::<PyList>()?.iter());
            }
        }
        Ok(Some(slots))
    }

    fn call(self, py: Python<'_>, slots: Slots<'_>) {
        let shared = Rc::clone(&self.shared);
        let operation = self.found.operation.clone();
        let (owed, context) = match self.owed(py) {
            Ok(owed) => owed,
            Err(error) => return error.write_unraisable(py, None),
        };
        let Some(direct) = &operation.direct else {
            // T2: the dependencies and the endpoint, one after the other, in one coroutine.
            let coroutine = PyList::new(py, slots).and_then(|slots| {
                let run = shared.run.bind(py);
                run.call1((operation.plan.bind(py), slots))
            });
            return owed.run(py, coroutine);
        };
        // T1: the user's function itself.
        let arguments = arguments(direct, &slots);
        let (function, names) = (direct.function.bind(py), direct.names.bind(py));
        match direct.mode {
            Mode::Task => {
                let coroutine = ffi::call(function, &arguments, names);
                owed.run(py, coroutine);
            }
            Mode::Inline => {
                let called = context.run(py, || ffi::call(function, &arguments, names));
                F::answer(py, owed, called.flatten());
            }
            Mode::Thread => {
                let answer = Box::new(move |py: Python<'_>, result: PyResult<Bound<'_, PyAny>>| {
                    F::answer(py, owed, result);
                });
                let (submit, remote) = (shared.submit.bind(py), shared.remote.clone());
                pool::start(submit, remote, &context, function, arguments, names, answer);
            }
        }
    }

    /// The response that this request is owed, and the context in which user code makes it.
    pub fn owed(self, py: Python<'_>) -> PyResult<(Owed<F>, ffi::Context)> {
        let context = ffi::Context::copy_current(py)?;
        request_id::tell(py, &context, &self.exchange)?;
        let owed = Owed::new(self.shared, self.exchange, self.found, &context.bind(py))
            .with_body(self.body);
        Ok((owed, context))
    }
}

fn arguments<'py>(direct: &Direct, slots: &[Bound<'py, PyAny>]) -> Arguments<'py> {
    let slot = |number: &usize| slots.get(*number).cloned();
    direct.slots.iter().filter_map(slot).collect()
}
