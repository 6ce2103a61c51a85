//! A response that somebody owes: user code at work for it, and the way to the face when that is done.

use std::cell::RefCell;
use std::rc::Rc;

use api::exchange::Exchange;
use bytes::Bytes;
use pyloop::gil::Kept;
use pyo3::intern;
use pyo3::prelude::*;

use super::{Face, Shared};
use crate::errors;
use crate::ffi::ThreadBound;
use crate::leaving::Leaving;
use crate::plan::Found;
use crate::task::Started;

/// A response that somebody owes. Dropped without an answer, it is a 500.
pub struct Owed<F: Face> {
    pub shared: Rc<Shared<F>>,
    pub exchange: Exchange,
    pub found: Found,
    /// What was read of the body, for those who come after us.
    pub body: Option<Bytes>,
    /// The context that user code runs in, from its first line to its exception handlers.
    pub context: Kept<PyAny>,
    /// Ends the task that makes the answer, where nobody will want it.
    leaving: Option<Rc<Leaving>>,
}

impl<F: Face> Owed<F> {
    /// The response to `exchange`, which `found` will give.
    pub fn new(
        shared: Rc<Shared<F>>,
        exchange: Exchange,
        found: Found,
        context: &Bound<'_, PyAny>,
    ) -> Self {
        Self {
            shared,
            exchange,
            found,
            body: None,
            context: Kept::new(context.clone().unbind()),
            leaving: None,
        }
    }

    /// The same, with what was read of the request's body.
    pub fn with_body(self, body: Option<Bytes>) -> Self {
        Self { body, ..self }
    }

    /// Runs a coroutine as a task; its result is the answer.
    pub fn run(self, py: Python<'_>, coroutine: PyResult<Bound<'_, PyAny>>) {
        let context = self.context.bind(py).clone();
        let started = coroutine
            .and_then(|coroutine| self.shared.tasks.start_in(py, &coroutine, Some(&context)));
        match started {
            Ok(Started::Finished(result)) => F::answer(py, self, result),
            Ok(Started::Running(task)) => self.follow(py, &task),
            Err(error) => F::answer(py, self, Err(error)),
        }
    }

    fn follow(mut self, py: Python<'_>, task: &Bound<'_, PyAny>) {
        let policy = self.shared.policy_of(&self.found.operation);
        let cancels = policy.cancels(self.exchange.head().method());
        self.leaving = Some(Leaving::watch(&self.exchange, task, cancels));
        let running = Rc::clone(&self.shared.running);
        let answer: Answer = Box::new(move |task| {
            self.shared.running.release(task);
            let result = task.call_method0(intern!(task.py(), "result"));
            F::answer(task.py(), self, result);
        });
        let ending = Ending(ThreadBound::new(RefCell::new(Some(answer))));
        if let Err(error) = running.hold(py, task, ending) {
            error.write_unraisable(py, Some(task));
        }
    }
}

/// What is done with a task that is done.
type Answer = Box<dyn FnOnce(&Bound<'_, PyAny>)>;

/// Called when a suspended task is done.
#[pyclass(frozen, module = "data_bridge._native")]
struct Ending(ThreadBound<RefCell<Option<Answer>>>);

#[pymethods]
impl Ending {
    fn __call__(&self, task: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Some(answer) = self.0.get().ok_or_else(errors::foreign_thread)?.take() {
            answer(task);
        }
        Ok(())
    }
}
