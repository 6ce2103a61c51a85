//! What other crates may do with the loop of this thread: hand it Python-bound work, spawn futures, reach it from afar.
//! Knows no protocol.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use pyo3::prelude::*;

pub use crate::clock::Nanos;
use crate::core::{RemoteCall, Shared};
use crate::event_loop::EventLoop;
use crate::runtime;

/// Work that needs the interpreter. An error that it cannot handle goes to the loop's exception handler by its own hand,
/// or ends the loop through [`crate::core::Core::interrupt`].
pub trait Job {
    /// Runs once, attached, on the loop's thread.
    fn run(self: Rc<Self>, py: Python<'_>);
}

/// The jobs of one thread.
#[derive(Default)]
pub(crate) struct Jobs(RefCell<VecDeque<Rc<dyn Job>>>);

impl Jobs {
    /// The next one.
    pub(crate) fn take(&self) -> Option<Rc<dyn Job>> {
        self.0.borrow_mut().pop_front()
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Whether none waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

thread_local! {
    static JOBS: Rc<Jobs> = Rc::default();
}

/// Queues `job` for the next job phase of this thread's loop; from a Tokio task or from attached code.
pub fn push_job(job: Rc<dyn Job>) {
    JOBS.with(|jobs| jobs.0.borrow_mut().push_back(job));
    runtime::wake_turn();
}

/// The jobs of this thread.
pub(crate) fn jobs() -> Rc<Jobs> {
    JOBS.with(Rc::clone)
}

/// Drops the jobs that nobody will run any more.
pub(crate) fn drop_jobs() {
    let jobs = jobs().0.take();
    drop(jobs);
}

/// Runs `future` on this thread's Tokio runtime while the loop runs; the runtime is made if there is none yet.
///
/// The future starts in the loop's next turn and is dropped when the loop is closed. `RuntimeError` if the loop is
/// closed or belongs to another thread.
pub fn spawn<F>(py: Python<'_>, event_loop: &Bound<'_, EventLoop>, future: F) -> PyResult<()>
where
    F: Future<Output = ()> + 'static,
{
    let core = event_loop.get().core(py);
    core.check_usable()?;
    runtime::spawn(core, Box::pin(future))
}

/// Told of a loop's turns, with nanoseconds of the monotonic clock. Called on its thread, attached or not; implementations only
/// note it down.
pub trait Observer: Send + Sync {
    /// Whether the loop is with the kernel, by what was told last.
    fn is_waiting(&self) -> bool;
    /// It has done what was ready, and is about to ask the kernel.
    fn asks(&self, now: Nanos);
    /// It has asked, and goes on.
    fn goes_on(&self, now: Nanos);
    /// It was asleep in between, and wants the interpreter now.
    fn woke(&self, now: Nanos);
    /// It has the interpreter.
    fn attached(&self, now: Nanos);
}

/// Tells `observer` of the loop's turns from now on, or nobody.
pub fn observe(
    py: Python<'_>,
    event_loop: &Bound<'_, EventLoop>,
    observer: Option<Arc<dyn Observer>>,
) {
    event_loop.get().core(py).park.observe(observer);
}

/// Has `hook` called on this thread at the first poll of each turn of the runtime: inside it, detached or not.
pub fn on_turn(hook: fn()) {
    runtime::add_hook(hook);
}

/// A loop as seen from other threads.
#[derive(Clone)]
pub struct Remote(Arc<Shared>);

impl Remote {
    /// Has `call` run attached on the loop's thread, in order with `call_soon_threadsafe`. Needs no GIL.
    /// `false`: the loop is closed, and `call` was dropped.
    pub fn call(&self, call: RemoteCall) -> bool {
        self.0.send(call)
    }

    /// The same from a thread of a pool that is about to wait for its next call: the loop is woken then, so that it need
    /// not wait for the interpreter.
    pub fn leave(&self, call: RemoteCall) -> bool {
        self.0.leave(call)
    }
}

/// The loop's address for other threads.
pub fn remote(py: Python<'_>, event_loop: &Bound<'_, EventLoop>) -> Remote {
    Remote(event_loop.get().core(py).shared().clone())
}
