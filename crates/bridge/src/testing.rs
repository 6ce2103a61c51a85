//! What only tests call: the Rust side of the bridge, driven from Python. Built with the feature `testing` alone.

#![expect(
    clippy::needless_pass_by_value,
    reason = "PyO3 hands arguments over by value"
)]

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use pyloop::counts;
use pyloop::gil::{self, Kept};
use pyo3::exceptions::{PyLookupError, PyRuntimeError};
use pyo3::prelude::*;

use crate::coroutine::{Outcome, Spawner, awaitable, spawn_remote};
use crate::json::{model, write};

/// Has Rust spawn `count` coroutines of `make()` at once; the awaitable gives how many ended well.
#[pyfunction]
pub fn spawn_many<'py>(
    event_loop: &Bound<'py, PyAny>,
    make: Py<PyAny>,
    count: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let py = event_loop.py();
    let spawner = Spawner::new(event_loop, Rc::default())?;
    let mut waiting: Vec<Pin<Box<dyn Future<Output = Outcome>>>> = Vec::with_capacity(count);
    for _ in 0..count {
        let make = Kept::new(make.clone_ref(py));
        waiting.push(Box::pin(spawner.spawn(move |py| make.bind(py).call0())));
    }
    let all = async move {
        let mut well = 0_usize;
        std::future::poll_fn(|context| {
            waiting.retain_mut(|future| match future.as_mut().poll(context) {
                Poll::Ready(outcome) => {
                    well += usize::from(outcome.is_ok());
                    false
                }
                Poll::Pending => true,
            });
            if waiting.is_empty() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        well
    };
    awaitable(event_loop, all, |py, well| {
        Ok(well.into_pyobject(py)?.into_any())
    })
}

/// Spawns the coroutine of `make()` from a thread of Rust's own, which blocks for the outcome; gives that outcome.
#[pyfunction]
pub fn spawn_from_thread<'py>(
    event_loop: &Bound<'py, PyAny>,
    make: Py<PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = event_loop.py();
    let remote = pyloop::host::remote(py, event_loop.cast()?);
    let make = Kept::new(make);
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let outcome = spawn_remote(&remote, move |py| make.bind(py).call0()).blocking_recv();
        drop(sender.send(outcome));
    });
    awaitable(event_loop, receiver, |py, outcome| match outcome {
        Ok(Ok(Ok(value))) => Ok(value.bind(py).clone()),
        Ok(Ok(Err(error))) => Err(PyErr::from_value(error.bind(py).clone().into_any())),
        _ => Err(PyRuntimeError::new_err("the loop was closed")),
    })
}

/// A Rust future that sleeps; an awaitable of its length.
#[pyfunction]
pub fn sleep<'py>(event_loop: &Bound<'py, PyAny>, seconds: f64) -> PyResult<Bound<'py, PyAny>> {
    let slept = async move {
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        seconds
    };
    awaitable(event_loop, slept, |py, seconds| {
        Ok(seconds.into_pyobject(py)?.into_any())
    })
}

/// Drops a reference to `object` in a detached thread of Rust's own.
#[pyfunction]
pub fn drop_detached(py: Python<'_>, object: Py<PyAny>) -> PyResult<()> {
    let kept = Kept::new(object);
    let thread = std::thread::spawn(move || drop(kept));
    gil::detach(py, || thread.join()).map_err(|_| PyRuntimeError::new_err("the thread panicked"))
}

/// Drops a bare `Py` reference in a detached thread: the mistake that the test build must abort on.
#[pyfunction]
pub fn drop_detached_without_wrapper(py: Python<'_>, object: Py<PyAny>) -> PyResult<()> {
    let thread = std::thread::spawn(move || drop(object));
    gil::detach(py, || thread.join()).map_err(|_| PyRuntimeError::new_err("the thread panicked"))
}

/// How many turns this thread's loops made since this was last asked, how often they gave the interpreter up, and the
/// most of one turn.
#[pyfunction]
pub fn take_turns() -> (u64, u64, u64) {
    let counted = counts::take_turns();
    (counted.turns, counted.releases, counted.most)
}

/// How many attached or detached sections are open, in all threads.
#[pyfunction]
pub fn open_sections() -> i64 {
    counts::open_sections()
}

/// How many references were dropped detached so far.
#[pyfunction]
pub fn detached_drops() -> u64 {
    gil::detached_drops()
}

/// Panics in a job of the loop, as a bug of the bridge would.
#[pyfunction]
pub fn panic_in_job() {
    crate::coroutine::later(|_py| panic!("injected into a job"));
}

/// Gives the loop native work that never ends, so that Tokio does its waiting.
#[pyfunction]
pub fn occupy(event_loop: &Bound<'_, PyAny>) -> PyResult<()> {
    pyloop::host::spawn(event_loop.py(), event_loop.cast()?, std::future::pending())
}

/// What each kernel of this processor makes of a text inside of a JSON string, by the kernel's name.
#[pyfunction]
pub fn escape_with_each(text: &str) -> Vec<(&'static str, Cow<'static, [u8]>)> {
    let copies = write::copy_with_each(text).into_iter();
    copies.map(|(name, copy)| (name, copy.into())).collect()
}

/// `value` as its core schema's plan writes it; `None` where that leaves it to Pydantic, `LookupError` without a plan.
#[pyfunction]
#[pyo3(signature = (schema, value, *, by_alias=None, exclude_none=false, exclude_unset=false))]
pub fn planned_body(
    schema: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
    by_alias: Option<bool>,
    exclude_none: bool,
    exclude_unset: bool,
) -> PyResult<Option<Cow<'static, [u8]>>> {
    let wishes = model::Wishes {
        by_alias,
        exclude_none,
        exclude_unset,
    };
    let plan = model::read(schema, wishes)?;
    let plan = plan.ok_or_else(|| PyLookupError::new_err("the schema has no plan"))?;
    let body = model::body(&plan, value)?;
    Ok(body.map(|document| document.as_slice().to_vec().into()))
}
