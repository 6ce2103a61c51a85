//! What `call_soon_threadsafe()` returns from Python 3.14 on: another thread's `cancel()` and `cancelled()` wait while
//! the callback runs, so that they know what became of it. Knows no queue.
//!
//! asyncio gives each such handle a lock, which its loop takes for the run. Here the handle says that somebody waits,
//! and the end of a run looks at that.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;

use crate::core::Core;
use crate::ffi::handle::{AWAITED, HandleRef, RUNNING, THREADSAFE};
use crate::ffi::python;
use crate::gil;

/// How many runs that somebody waited for have ended, in all loops of the process.
static ENDED: Mutex<u64> = Mutex::new(0);
static ENDING: Condvar = Condvar::new();

/// A signal handler of Python's runs at least so often while its thread waits.
const PATIENCE: Duration = Duration::from_millis(50);

/// Whether asyncio's class for this handle is `_ThreadSafeHandle`.
pub fn is_threadsafe(handle: &HandleRef) -> bool {
    handle.has(THREADSAFE) && python::is_at_least(14)
}

/// Waits until the callback has ended. The thread that runs it passes, as it would pass asyncio's re-entrant lock.
pub fn wait_for_run(py: Python<'_>, core: &Core, handle: &HandleRef) -> PyResult<()> {
    if core.running_thread.get() == Some(python::thread_ident()) || !is_threadsafe(handle) {
        return Ok(());
    }
    while handle.has(RUNNING) {
        handle.set(AWAITED, true);
        // Read while attached: the run cannot end, and count, before this thread waits.
        let seen = *ENDED.lock().unwrap_or_else(PoisonError::into_inner);
        gil::detach(py, || {
            let ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
            drop(ENDING.wait_timeout_while(ended, PATIENCE, |ended| *ended == seen));
        });
        py.check_signals()?;
    }
    Ok(())
}

/// Wakes those who wait for the end of a run.
#[cold]
pub fn run_ended() {
    *ENDED.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    ENDING.notify_all();
}
