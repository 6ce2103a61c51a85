//! The Tokio runtimes of this thread, one for each loop that has native work, and the turns that drive them.
//! Knows no Python objects: all of this runs detached, and is reached through a thread-local because it is not `Send`.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::io::unix::AsyncFd;
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

use crate::core::{Core, Shared};
use crate::ffi::epoll;
use crate::gil;
use crate::host;

type LocalFuture = Pin<Box<dyn Future<Output = ()>>>;

/// The runtime of one loop.
struct Hosted {
    loop_id: u64,
    /// The loop's own epoll set, nested in Tokio's. Dropped before the runtime.
    nested: AsyncFd<OwnedFd>,
    /// Futures spawned by attached code: they start inside the next turn, where waking costs no system call.
    spawned: RefCell<Vec<LocalFuture>>,
    runtime: LocalRuntime,
}

thread_local! {
    static RUNTIMES: RefCell<Vec<Rc<Hosted>>> = const { RefCell::new(Vec::new()) };
    static HOOKS: RefCell<Vec<fn()>> = const { RefCell::new(Vec::new()) };
    /// Wakes the turn that this thread is in or will be in next.
    static TURN: RefCell<Option<Waker>> = const { RefCell::new(None) };
    /// A turn is being driven right now.
    static TURNING: Cell<bool> = const { Cell::new(false) };
}

/// What a turn waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Native work that is ready runs, then the turn ends.
    Yield,
    /// The turn lasts until Python has something to do.
    Wait,
}

fn find(loop_id: u64) -> Option<Rc<Hosted>> {
    RUNTIMES.with_borrow(|runtimes| {
        runtimes
            .iter()
            .find(|hosted| hosted.loop_id == loop_id)
            .cloned()
    })
}

pub(crate) fn add_hook(hook: fn()) {
    HOOKS.with_borrow_mut(|hooks| {
        if !hooks.iter().any(|known| std::ptr::fn_addr_eq(*known, hook)) {
            hooks.push(hook);
        }
    });
}

/// Ends the current turn, if this thread is in one.
pub(crate) fn wake_turn() {
    if TURNING.get() {
        TURN.with_borrow(|turn| turn.as_ref().inspect(|waker| waker.wake_by_ref()).is_some());
    }
}

/// Has `future` start in the next turn of the loop's runtime, which is made if there is none.
pub(crate) fn spawn(core: &Core, future: LocalFuture) -> PyResult<()> {
    let hosted = match find(core.id()) {
        Some(hosted) => hosted,
        None => start(core)?,
    };
    if TURNING.get() {
        drop(tokio::task::spawn_local(future));
    } else {
        hosted.spawned.borrow_mut().push(future);
    }
    Ok(())
}

fn start(core: &Core) -> PyResult<Rc<Hosted>> {
    if core.runs_elsewhere() || core.park.is_hosted() {
        return Err(PyRuntimeError::new_err(
            "native work must be started on the thread that runs the event loop",
        ));
    }
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    let nested = {
        let _inside = runtime.enter();
        epoll::nest(core.poller().duplicate()?)?
    };
    let hosted = Rc::new(Hosted {
        loop_id: core.id(),
        nested,
        spawned: RefCell::default(),
        runtime,
    });
    RUNTIMES.with_borrow_mut(|runtimes| runtimes.push(hosted.clone()));
    core.park.set_hosted(core)?;
    Ok(hosted)
}

/// Whether the loop's runtime, if it has one, lives on this thread.
pub(crate) fn is_here(core: &Core) -> bool {
    !core.park.is_hosted() || find(core.id()).is_some()
}

/// Ends the runtime of a loop, with all its tasks; on the runtime's own thread, detached.
pub(crate) fn stop(py: Python<'_>, loop_id: u64) {
    let known = find(loop_id).is_some();
    if !known {
        return;
    }
    gil::detach(py, || {
        let position = |runtimes: &Vec<Rc<Hosted>>| {
            runtimes.iter().position(|hosted| hosted.loop_id == loop_id)
        };
        let hosted = RUNTIMES
            .with_borrow_mut(|runtimes| position(runtimes).map(|at| runtimes.swap_remove(at)));
        TURN.set(None);
        drop(hosted);
    });
    host::drop_jobs();
}

/// Leaves the runtimes of a forked child alone: they share their descriptors with the parent.
pub(crate) fn forget_all() {
    std::mem::forget(RUNTIMES.take());
    TURN.set(None);
    TURNING.set(false);
}

/// Drives the loop's runtime for one turn. `true`: the nested epoll set has something to report.
///
/// Takes a number and shared state only, so that it can run detached.
pub(crate) fn drive(loop_id: u64, shared: &Arc<Shared>, turn: Turn) -> bool {
    let Some(hosted) = find(loop_id) else {
        return true;
    };
    TURNING.set(true);
    let mut begun = false;
    let mut readable = false;
    hosted.runtime.block_on(poll_fn(|context| {
        let first = !std::mem::replace(&mut begun, true);
        if first {
            begin_turn(&hosted, context);
        }
        readable |= take_readiness(&hosted, context);
        match turn {
            Turn::Wait if readable || has_python_work(shared) => Poll::Ready(()),
            Turn::Yield if !first => Poll::Ready(()),
            Turn::Yield => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Turn::Wait => Poll::Pending,
        }
    }));
    TURNING.set(false);
    readable
}

fn has_python_work(shared: &Shared) -> bool {
    !host::jobs().is_empty() || shared.inbox().is_notified()
}

/// Whether the nested set became readable. The mark is cleared before the set is asked, so that what comes in between
/// is reported again.
fn take_readiness(hosted: &Hosted, context: &mut Context<'_>) -> bool {
    match hosted.nested.poll_read_ready(context) {
        Poll::Ready(Ok(mut guard)) => {
            guard.clear_ready();
            true
        }
        Poll::Ready(Err(_)) => true,
        Poll::Pending => false,
    }
}

fn begin_turn(hosted: &Hosted, context: &Context<'_>) {
    TURN.with_borrow_mut(|waker| match waker {
        Some(waker) => waker.clone_from(context.waker()),
        None => *waker = Some(context.waker().clone()),
    });
    let hooks = HOOKS.with_borrow(Clone::clone);
    for hook in hooks {
        hook();
    }
    for future in hosted.spawned.take() {
        drop(tokio::task::spawn_local(future));
    }
}
