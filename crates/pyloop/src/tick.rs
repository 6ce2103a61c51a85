//! The turn of the loop: the order of its phases and their budgets. Knows no protocol.
//!
//! One turn, attached: ask the kernel (and sleep, detached, if nothing is due) → due timers → jobs → the batch of
//! callbacks that were ready at its start → output that has gathered.

use pyo3::prelude::*;

use crate::clock;
use crate::core::Core;
use crate::counts;
use crate::debug;
use crate::ffi::handle::CANCELLED;
use crate::gil;
use crate::handle;
use crate::host::{self, Jobs};
use crate::park;
use crate::ready::Ready;

/// Jobs of one turn: at most so many …
const MOST_JOBS: usize = 64;
/// … and for no longer than this.
const MOST_JOBS_NS: clock::Nanos = 1_000_000;

/// Runs turns until `stop()` was called. `Err`: `SystemExit`, `KeyboardInterrupt`, or a failure of the exception handler.
pub(crate) fn run(py: Python<'_>, core: &Core) -> PyResult<()> {
    core.park.begin_run();
    let result = turn_round(py, core, &host::jobs());
    core.flush_dirty(py); // what ends the loop does not hold back what was written before
    result
}

fn turn_round(py: Python<'_>, core: &Core, jobs: &Jobs) -> PyResult<()> {
    loop {
        counts::turn();
        if core.ready.is_empty() || !core.park.may_skip() {
            wait(py, core, jobs)?;
        }
        run_jobs(py, core, jobs)?;
        run_batch(py, core)?;
        core.flush_dirty(py);
        core.take_raised()?;
        if core.stopping.get() {
            return Ok(());
        }
    }
}

fn wait(py: Python<'_>, core: &Core, jobs: &Jobs) -> PyResult<()> {
    core.take_inbox();
    core.sweep_timers();
    let busy = !core.ready.is_empty() || core.stopping.get() || !jobs.is_empty();
    park::poll(py, core, busy);
    gil::drop_deferred(py);
    py.check_signals()?;
    core.take_inbox();
    if !core.timers.borrow().is_empty() {
        core.fire_timers(clock::now());
    }
    core.take_raised()
}

fn run_jobs(py: Python<'_>, core: &Core, jobs: &Jobs) -> PyResult<()> {
    let waiting = jobs.len();
    if waiting == 0 {
        return Ok(());
    }
    let deadline = clock::now() + MOST_JOBS_NS;
    for done in 0..waiting.min(MOST_JOBS) {
        if done % 8 == 7 && clock::now() > deadline {
            break;
        }
        let Some(job) = jobs.take() else { break };
        core.shield(py, || job.run(py));
        core.take_raised()?;
    }
    Ok(())
}

/// Exactly what was ready at the start: what a callback adds waits for the next turn, after the kernel was asked.
fn run_batch(py: Python<'_>, core: &Core) -> PyResult<()> {
    for _ in 0..core.ready.len() {
        match core.ready.pop() {
            Some(Ready::Handle(handle)) if handle.has(CANCELLED) => {}
            Some(Ready::Handle(handle)) if core.is_debug() => debug::run(py, core, &handle)?,
            Some(Ready::Handle(handle)) => handle::run(py, &handle)?,
            Some(Ready::Native(job)) => {
                core.shield(py, || job.run(py));
                core.take_raised()?;
            }
            Some(Ready::Event(arrived)) => {
                core.poller().deliver(py, core, arrived);
                core.take_raised()?;
            }
            None => break,
        }
    }
    Ok(())
}
