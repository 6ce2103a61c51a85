//! Coroutine → Rust future, Rust future → awaitable. Takes the place of pyo3-async-runtimes: we own the loop, so this is short.
//!
//! A Rust future that waits for a coroutine holds no thread, a coroutine that waits for a Rust future holds no GIL.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use pyloop::gil::Kept;
use pyloop::host::{self, Job, Remote};
use pyo3::exceptions::PyBaseException;
use pyo3::intern;
use pyo3::prelude::*;
use tokio::sync::oneshot;

use crate::errors;
use crate::ffi::ThreadBound;
use crate::running::Running;
use crate::task::{Started, Tasks};

/// How a coroutine ended: its value, or the exception that it raised. May be held and dropped detached.
pub type Outcome = Result<Kept<PyAny>, Kept<PyBaseException>>;

/// `result` as something that may be held and dropped detached.
pub fn kept(py: Python<'_>, result: PyResult<Bound<'_, PyAny>>) -> Outcome {
    match result {
        Ok(value) => Ok(Kept::new(value.unbind())),
        Err(error) => Err(Kept::new(error.into_value(py))),
    }
}

/// The result that an outcome was made of.
pub fn unkept(py: Python<'_>, outcome: Outcome) -> PyResult<Bound<'_, PyAny>> {
    match outcome {
        Ok(value) => Ok(value.into_inner(py).into_bound(py)),
        Err(error) => Err(PyErr::from_value(
            error.into_inner(py).into_bound(py).into_any(),
        )),
    }
}

/// Runs coroutines for Rust on one event loop.
#[derive(Clone)]
pub struct Spawner {
    tasks: Rc<Tasks>,
    running: Rc<Running>,
}

impl Spawner {
    /// A spawner on `event_loop`, the loop of this thread.
    pub fn new(event_loop: &Bound<'_, PyAny>, running: Rc<Running>) -> PyResult<Self> {
        Ok(Self {
            tasks: Rc::new(Tasks::new(event_loop)?),
            running,
        })
    }

    /// Starts the coroutine that `make` gives, in the loop's next turn; the future is its outcome.
    ///
    /// To be called on the loop's own thread, attached or not. Dropping the future lets the coroutine go on.
    pub fn spawn<F>(&self, make: F) -> impl Future<Output = Outcome> + use<F>
    where
        F: for<'py> FnOnce(Python<'py>) -> PyResult<Bound<'py, PyAny>> + 'static,
    {
        let slot = Rc::new(Slot::default());
        let reply = Rc::clone(&slot);
        let spawner = self.clone();
        later(move |py| spawner.start(py, make, move |outcome| reply.fill(outcome)));
        Filled(slot)
    }

    fn start<F, R>(&self, py: Python<'_>, make: F, reply: R)
    where
        F: for<'py> FnOnce(Python<'py>) -> PyResult<Bound<'py, PyAny>>,
        R: FnOnce(Outcome) + 'static,
    {
        match make(py).and_then(|coroutine| self.tasks.start(py, &coroutine)) {
            Ok(Started::Finished(result)) => reply(kept(py, result)),
            Ok(Started::Running(task)) => {
                let reply: Box<dyn FnOnce(Outcome)> = Box::new(reply);
                let ending = Ending(ThreadBound::new((
                    Rc::clone(&self.running),
                    Cell::new(Some(reply)),
                )));
                if let Err(error) = self.running.hold(py, &task, ending) {
                    error.write_unraisable(py, Some(&task));
                }
            }
            Err(error) => reply(kept(py, Err(error))),
        }
    }
}

/// Starts a coroutine on `remote`'s loop from any thread; the future may be awaited on any thread too.
///
/// The oneshot's error means that the loop was closed before the coroutine ended.
pub fn spawn_remote<F>(remote: &Remote, make: F) -> oneshot::Receiver<Outcome>
where
    F: for<'py> FnOnce(Python<'py>) -> PyResult<Bound<'py, PyAny>> + Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    remote.call(Box::new(move |py| {
        let reply = move |outcome| drop(sender.send(outcome));
        let spawner = py
            .import("asyncio")
            .and_then(|asyncio| asyncio.call_method0("get_running_loop"))
            .and_then(|event_loop| Spawner::new(&event_loop, Rc::default()));
        match spawner {
            Ok(spawner) => spawner.start(py, make, reply),
            Err(error) => reply(kept(py, Err(error))),
        }
    }));
    receiver
}

/// Called with a spawned task when it is done.
#[pyclass(frozen, module = "data_bridge._native")]
struct Ending(ThreadBound<(Rc<Running>, Reply)>);

type Reply = Cell<Option<Box<dyn FnOnce(Outcome)>>>;

#[pymethods]
impl Ending {
    fn __call__(&self, py: Python<'_>, task: &Bound<'_, PyAny>) -> PyResult<()> {
        let (running, reply) = self.0.get().ok_or_else(errors::foreign_thread)?;
        running.release(task);
        if let Some(reply) = reply.take() {
            reply(kept(py, task.call_method0(intern!(py, "result"))));
        }
        Ok(())
    }
}

/// One outcome on its way within a thread.
#[derive(Default)]
struct Slot {
    outcome: Cell<Option<Outcome>>,
    waker: Cell<Option<Waker>>,
}

impl Slot {
    fn fill(&self, outcome: Outcome) {
        self.outcome.set(Some(outcome));
        if let Some(waker) = self.waker.take() {
            api::wake::wake(&waker);
        }
    }
}

struct Filled(Rc<Slot>);

impl Future for Filled {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        if let Some(outcome) = self.0.outcome.take() {
            return Poll::Ready(outcome);
        }
        self.0.waker.set(Some(context.waker().clone()));
        Poll::Pending
    }
}

/// A Rust future as an `asyncio.Future` of `event_loop`; `into_python` makes its value when Python has its turn.
///
/// Cancelling the asyncio future drops the Rust future. Errors: what the event loop says where it is closed or foreign.
pub fn awaitable<'py, T, C>(
    event_loop: &Bound<'py, PyAny>,
    future: impl Future<Output = T> + 'static,
    into_python: C,
) -> PyResult<Bound<'py, PyAny>>
where
    T: 'static,
    C: for<'a> FnOnce(Python<'a>, T) -> PyResult<Bound<'a, PyAny>> + 'static,
{
    let py = event_loop.py();
    let promise = event_loop.call_method0(intern!(py, "create_future"))?;
    let abandoned = Rc::new(Abandoned::default());
    promise.call_method1(
        intern!(py, "add_done_callback"),
        (Bound::new(
            py,
            Abandon(ThreadBound::new(Rc::clone(&abandoned))),
        )?,),
    )?;
    let resolve = Kept::new(promise.clone().unbind());
    let task = async move {
        let mut future = std::pin::pin!(future);
        let ended = std::future::poll_fn(|context| abandoned.poll(context, future.as_mut())).await;
        later(move |py| {
            if let Some(value) = ended {
                settle(resolve.bind(py), into_python(py, value));
            }
            drop(resolve);
        });
    };
    host::spawn(py, event_loop.cast()?, task)?;
    Ok(promise)
}

fn settle(promise: &Bound<'_, PyAny>, value: PyResult<Bound<'_, PyAny>>) {
    let py = promise.py();
    let settled = promise
        .call_method0(intern!(py, "done"))
        .and_then(|done| done.is_truthy())
        .and_then(|done| match value {
            _ if done => Ok(()),
            Ok(value) => promise
                .call_method1(intern!(py, "set_result"), (value,))
                .map(drop),
            Err(error) => promise
                .call_method1(intern!(py, "set_exception"), (error.into_value(py),))
                .map(drop),
        });
    if let Err(error) = settled {
        error.write_unraisable(py, Some(promise));
    }
}

/// Whether Python still wants the value.
#[derive(Default)]
struct Abandoned {
    is: Cell<bool>,
    waker: Cell<Option<Waker>>,
}

impl Abandoned {
    fn poll<F: Future>(
        &self,
        context: &mut Context<'_>,
        future: Pin<&mut F>,
    ) -> Poll<Option<F::Output>> {
        if self.is.get() {
            return Poll::Ready(None);
        }
        let polled = future.poll(context);
        if polled.is_pending() {
            self.waker.set(Some(context.waker().clone()));
        }
        polled.map(Some)
    }
}

/// Called when the asyncio future is done: by us, or because somebody cancelled it.
#[pyclass(frozen, module = "data_bridge._native")]
struct Abandon(ThreadBound<Rc<Abandoned>>);

#[pymethods]
impl Abandon {
    fn __call__(&self, _promise: &Bound<'_, PyAny>) -> PyResult<()> {
        let abandoned = self.0.get().ok_or_else(errors::foreign_thread)?;
        abandoned.is.set(true);
        if let Some(waker) = abandoned.waker.take() {
            api::wake::wake(&waker);
        }
        Ok(())
    }
}

/// Runs `work` attached, in the loop's next job phase.
pub fn later(work: impl FnOnce(Python<'_>) + 'static) {
    host::push_job(Rc::new(Once(RefCell::new(Some(work)))));
}

struct Once<F>(RefCell<Option<F>>);

impl<F: FnOnce(Python<'_>)> Job for Once<F> {
    fn run(self: Rc<Self>, py: Python<'_>) {
        if let Some(work) = self.0.take() {
            work(py);
        }
    }
}
