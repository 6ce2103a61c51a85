//! Attaching to and detaching from the interpreter, and what may be dropped while detached. Knows no loop.
//!
//! Every place that attaches or detaches is in this file. Detached code may hold Python references only in [`Kept`].

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use pyo3::prelude::*;

use crate::clock::{self, Nanos};
use crate::counts::{self, Section};
use crate::ffi::python;

/// Nanoseconds between two offers that a sleeping thread can wake up for. Measured beside 1 MB documents on two busy cores: a
/// thread that sleeps 10 ms and counts keeps 76–78 % of its pace with 1.5 ms, 85–90 % with 0.5 ms.
const OFFER_INTERVAL: Nanos = 750_000;
const OFFER_LENGTH: Duration = Duration::from_micros(20);

thread_local! {
    /// This thread gave the interpreter up in [`detach`].
    static DETACHED: Cell<bool> = const { Cell::new(false) };
}

/// References released by detached threads, dropped by the next attached tick.
static DEFERRED: Mutex<Vec<python::Released>> = Mutex::new(Vec::new());
static DEFERRED_LENGTH: AtomicUsize = AtomicUsize::new(0);
static DETACHED_DROPS: AtomicU64 = AtomicU64::new(0);

/// Lets other threads run Python while `f` runs.
pub fn detach<T: Send>(py: Python<'_>, f: impl Send + FnOnce() -> T) -> T {
    counts::release();
    without(py, f)
}

fn without<T: Send>(py: Python<'_>, f: impl Send + FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            DETACHED.set(self.0);
        }
    }
    let _section = Section::open();
    py.detach(|| {
        let _restore = Restore(DETACHED.replace(true));
        f()
    })
}

/// Lets a thread that waits for the interpreter have it, in the midst of long work of ours.
///
/// Giving it up and asking for it again is not enough: a waiting thread needs longer to wake than we to ask, unless it has
/// waited for the whole switch interval (5 ms) before. So now and then we stay away for as long as waking takes. Where no other
/// thread has run Python, nobody waits, and the offer costs nothing.
pub fn offer(py: Python<'_>) {
    static LAST: AtomicI64 = AtomicI64::new(0);
    if python::is_only_thread(py) {
        return;
    }
    let now = clock::now();
    let yields = now.saturating_sub(LAST.load(Ordering::Relaxed)) > OFFER_INTERVAL;
    without(py, || {
        if yields {
            std::thread::sleep(OFFER_LENGTH);
        }
    });
    if yields {
        LAST.store(clock::now(), Ordering::Relaxed);
    }
}

/// Gives the interpreter up for as long as a thread that waits for it needs to wake.
pub fn step_aside(py: Python<'_>) {
    without(py, || std::thread::sleep(OFFER_LENGTH));
}

/// Runs `f` attached; `None` if the interpreter is shutting down.
pub fn attach<R>(f: impl FnOnce(Python<'_>) -> R) -> Option<R> {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            DETACHED.set(self.0);
        }
    }
    let _section = Section::open();
    Python::try_attach(|py| {
        let _restore = Restore(DETACHED.replace(false));
        f(py)
    })
}

/// Whether this thread may touch Python objects now.
pub fn is_attached() -> bool {
    !DETACHED.get() && python::thread_holds_gil()
}

/// How many references were dropped by detached code so far.
pub fn detached_drops() -> u64 {
    DETACHED_DROPS.load(Ordering::Relaxed)
}

/// Drops what detached threads have released; part of every attached tick.
pub fn drop_deferred(py: Python<'_>) {
    if DEFERRED_LENGTH.load(Ordering::Acquire) == 0 {
        return;
    }
    let released = {
        let mut deferred = DEFERRED
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        DEFERRED_LENGTH.store(0, Ordering::Release);
        std::mem::take(&mut *deferred)
    };
    for reference in released {
        reference.release(py);
    }
}

/// A Python reference that detached code may hold, move and drop.
pub struct Kept<T>(ManuallyDrop<Py<T>>);

impl<T> Kept<T> {
    /// Keeps `object`.
    pub fn new(object: Py<T>) -> Self {
        Self(ManuallyDrop::new(object))
    }

    /// The reference, for an attached thread.
    pub fn get(&self, _py: Python<'_>) -> &Py<T> {
        &self.0
    }

    /// The object, for an attached thread.
    pub fn bind<'a, 'py>(&'a self, py: Python<'py>) -> &'a Bound<'py, T> {
        self.0.bind(py)
    }

    /// A second reference to the object.
    #[must_use]
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        Self::new(self.0.clone_ref(py))
    }

    /// The bare reference.
    pub fn into_inner(self, _py: Python<'_>) -> Py<T> {
        let mut kept = ManuallyDrop::new(self);
        python::take(&mut kept.0)
    }
}

impl<T> From<Bound<'_, T>> for Kept<T> {
    fn from(object: Bound<'_, T>) -> Self {
        Self::new(object.unbind())
    }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        let released = python::Released::new(python::take(&mut self.0));
        if is_attached() {
            released.release_attached();
            return;
        }
        DETACHED_DROPS.fetch_add(1, Ordering::Relaxed);
        let mut deferred = DEFERRED
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        deferred.push(released);
        DEFERRED_LENGTH.store(deferred.len(), Ordering::Release);
    }
}
