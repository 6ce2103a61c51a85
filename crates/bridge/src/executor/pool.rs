//! A `def` function in one of the app's threads. Knows an executor by its `submit` alone, and that its threads
//! wait in a `WorkQueue`.

use std::cell::RefCell;
use std::sync::Arc;

use pyloop::gil::Kept;
use pyloop::host::Remote;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::arrived::Arguments;
use crate::coroutine::{Outcome, kept, unkept};
use crate::ffi::{self, ThreadBound};

/// What is to be done with a call's result, on the loop's thread.
pub type Complete = Box<dyn FnOnce(Python<'_>, PyResult<Bound<'_, PyAny>>)>;

/// Has a thread of the executor whose `submit` this is call `function` with `arguments`, the last of which have the
/// `names`, in a copy of `context`; the result goes to `complete` on the loop's thread, which `remote` reaches.
pub fn start<'py>(
    submit: &Bound<'py, PyAny>,
    remote: Remote,
    context: &ffi::Context,
    function: &Bound<'py, PyAny>,
    arguments: Arguments<'py>,
    names: &Bound<'py, PyTuple>,
    complete: Complete,
) {
    let py = submit.py();
    let ticket = Ticket::new(complete);
    let submitted = context.copy(py).and_then(|context| {
        let call = ThreadCall {
            function: Kept::from(function.clone()),
            arguments: arguments.into_iter().map(Kept::from).collect(),
            names: Kept::from(names.clone()),
            context,
            remote,
            ticket: ticket.clone(),
        };
        submit.call1((Bound::new(py, call)?,))
    });
    if let Err(error) = submitted {
        ticket.redeem(py, Err(error));
    }
}

/// What the loop's thread will do with a result. Other threads may hold the ticket, only the loop's may redeem it.
#[derive(Clone)]
struct Ticket(Arc<ThreadBound<RefCell<Option<Complete>>>>);

impl Ticket {
    fn new(complete: Complete) -> Self {
        Self(Arc::new(ThreadBound::new(RefCell::new(Some(complete)))))
    }

    fn redeem(&self, py: Python<'_>, result: PyResult<Bound<'_, PyAny>>) {
        if let Some(complete) = self.0.get().and_then(RefCell::take) {
            complete(py, result);
        }
    }
}

/// A call with its arguments and its context, to be made once, by another thread.
#[pyclass(frozen, module = "data_bridge._native")]
struct ThreadCall {
    function: Kept<PyAny>,
    arguments: Vec<Kept<PyAny>>,
    names: Kept<PyTuple>,
    context: ffi::Context,
    remote: Remote,
    ticket: Ticket,
}

#[pymethods]
impl ThreadCall {
    /// From 3.14 on the pool's threads pass a context of theirs.
    #[pyo3(signature = (*_context))]
    fn run(&self, py: Python<'_>, _context: &Bound<'_, PyTuple>) {
        let arguments: Arguments<'_> = self
            .arguments
            .iter()
            .map(|argument| argument.bind(py).clone())
            .collect();
        let called = self.context.run(py, || {
            ffi::call(self.function.bind(py), &arguments, self.names.bind(py))
        });
        let outcome: Outcome = kept(py, called.flatten());
        let ticket = self.ticket.clone();
        // Where the loop is closed, so is the connection: nobody waits for the outcome.
        self.remote
            .leave(Box::new(move |py| ticket.redeem(py, unkept(py, outcome))));
    }
}
