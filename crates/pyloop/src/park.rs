//! The one wait: when the loop asks the kernel, and when it sleeps. Knows the order of neither callbacks nor phases.
//!
//! Without native work the loop waits in its own epoll set; with it, that set is nested in Tokio's, and Tokio waits.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::sync::Arc;

use pyo3::prelude::*;

use crate::clock::{self, Nanos};
use crate::core::Core;
use crate::ffi::epoll::{self, TimerFd, epoll_event};
use crate::ffi::sys::{COARSE_SLICE, coarse_ticks};
use crate::gil;
use crate::host::{self, Observer};
use crate::poller::{BATCH, Events, Interest, Mode, Source};
use crate::runtime::{self, Turn};

/// asyncio's upper bound of one wait: a day.
const LONGEST: Nanos = 24 * 3600 * 1_000_000_000;
/// After so many fruitless polls in a row, beside ready callbacks, polls are spaced out by time.
const QUIET: u32 = 16;
/// About what `COARSE_SLICE` ticks are.
const SLICE: Nanos = 50_000;
/// A sleep of fewer ticks than this, some 4 µs, was none.
const NO_SLEEP: u64 = COARSE_SLICE / 10;
/// Of the time that getting the interpreter back took, the loop keeps it at most this part while it waits for more to do …
const HELD_PART: Nanos = 16;
/// … and never for longer than this: a client on the same machine has asked again by then.
const LONGEST_HOLD: Nanos = 200_000;

/// The loop's deadline as a descriptor, for when Tokio waits.
struct Alarm;

impl Source for Alarm {
    fn only_queues(&self) -> bool {
        true
    }

    fn ready(&self, _py: Python<'_>, core: &Core, _events: Events) {
        core.park.armed.set(None);
    }
}

/// What the loop remembers between its waits.
pub(crate) struct Park {
    events: RefCell<Vec<epoll_event>>,
    quiet: Cell<u32>,
    last_poll: Cell<u64>,
    /// The last look at the set left something that no edge will report again.
    unfinished: Cell<bool>,
    /// Another thread wants the interpreter too: getting it back took long. It is given up only when nothing has become
    /// ready for so many nanoseconds. Else nothing.
    hold: Cell<Option<Nanos>>,
    /// The last sleep was none: what it waited for was there already. The next one is preceded by a look.
    crowded: Cell<bool>,
    alarm: RefCell<Option<TimerFd>>,
    armed: Cell<Option<Nanos>>,
    observer: RefCell<Option<Arc<dyn Observer>>>,
}

impl Default for Park {
    fn default() -> Self {
        Self {
            events: RefCell::new(vec![epoll_event { events: 0, u64: 0 }; BATCH]),
            quiet: Cell::new(0),
            last_poll: Cell::new(0),
            unfinished: Cell::new(true),
            hold: Cell::new(None),
            crowded: Cell::new(true),
            alarm: RefCell::default(),
            armed: Cell::new(None),
            observer: RefCell::default(),
        }
    }
}

impl Park {
    /// Whether Tokio does the waiting.
    pub(crate) fn is_hosted(&self) -> bool {
        self.alarm.borrow().is_some()
    }

    /// From now on Tokio does the waiting.
    pub(crate) fn set_hosted(&self, core: &Core) -> PyResult<()> {
        let alarm = TimerFd::new()?;
        core.poller().register(
            alarm.as_raw_fd(),
            Mode::Edge,
            Interest::READ,
            Rc::new(Alarm),
        )?;
        self.alarm.replace(Some(alarm));
        Ok(())
    }

    /// Whom to tell of the turns.
    pub(crate) fn observe(&self, observer: Option<Arc<dyn Observer>>) {
        drop(self.observer.replace(observer));
    }

    fn tell(&self, news: impl FnOnce(&dyn Observer)) {
        if let Some(observer) = &*self.observer.borrow() {
            news(&**observer);
        }
    }

    /// Gives the alarm's descriptor back; for the end of the loop.
    pub(crate) fn close(&self) {
        drop(self.alarm.take());
    }

    /// A new run of the loop asks the kernel first.
    pub(crate) fn begin_run(&self) {
        self.quiet.set(0);
        self.unfinished.set(true);
    }

    /// Whether a chain of callbacks may go on without asking the kernel: sixteen polls in a row found nothing,
    /// and the last one is less than about 50 µs ago.
    #[inline]
    pub(crate) fn may_skip(&self) -> bool {
        self.quiet.get() >= QUIET
            && coarse_ticks().wrapping_sub(self.last_poll.get()) < COARSE_SLICE
    }
}

/// Asks the kernel what happened, and sleeps until something does unless `busy`. Tells the sources.
pub(crate) fn poll(py: Python<'_>, core: &Core, busy: bool) {
    core.park.tell(|observer| observer.asks(clock::now()));
    let mut events = core.park.events.take();
    let count = if core.park.is_hosted() {
        poll_hosted(py, core, busy, &mut events)
    } else {
        poll_own(py, core, busy, &mut events)
    };
    core.park.tell(|observer| {
        if observer.is_waiting() {
            observer.goes_on(clock::now());
        }
    });
    let level = core.poller().dispatch(py, core, &events[..count]);
    core.park.unfinished.set(level || count == events.len());
    core.park.quiet.set(if busy && count == 0 {
        core.park.quiet.get().saturating_add(1)
    } else {
        0
    });
    if core.park.quiet.get() >= QUIET {
        core.park.last_poll.set(coarse_ticks());
    }
    core.park.events.replace(events);
}

/// Looks at the set without waiting.
fn look(core: &Core, events: &mut [epoll_event]) -> usize {
    counted(core, epoll::wait(core.poller().epoll_fd(), events, Some(0)))
}

/// An interruption by a signal is looked after by the tick; any other error ends the loop.
fn counted(core: &Core, result: io::Result<usize>) -> usize {
    result.unwrap_or_else(|error| {
        if error.kind() != io::ErrorKind::Interrupted {
            core.interrupt(error.into());
        }
        0
    })
}

/// Runs `sleep` detached, between the announcements to other threads, and learns from how long it took.
fn sleep<T: Send>(py: Python<'_>, core: &Core, sleep: impl Send + FnOnce() -> T) -> T {
    let observer = core.park.observer.borrow().clone();
    let (slept, began, ended) = gil::detach(py, || {
        let began = coarse_ticks();
        let slept = sleep();
        let ended = coarse_ticks();
        if let Some(observer) = &observer {
            observer.woke(clock::now());
        }
        (slept, began, ended)
    });
    if let Some(observer) = &observer {
        observer.attached(clock::now());
    }
    core.shared().inbox().end_park();
    core.park.crowded.set(ended.wrapping_sub(began) < NO_SLEEP);
    core.park
        .hold
        .set(hold_after(coarse_ticks().wrapping_sub(ended)));
    slept
}

/// How long to hold the interpreter after getting it back took so many ticks.
fn hold_after(ticks: u64) -> Option<Nanos> {
    let slices = Nanos::try_from(ticks / COARSE_SLICE).unwrap_or(Nanos::MAX);
    (slices > 0).then(|| (slices.saturating_mul(SLICE) / HELD_PART).min(LONGEST_HOLD))
}

fn poll_own(py: Python<'_>, core: &Core, busy: bool, events: &mut [epoll_event]) -> usize {
    let hold = core.park.hold.get();
    if busy || core.park.crowded.get() || hold.is_some() {
        let count = look(core, events);
        if busy || count > 0 {
            return count;
        }
    }
    let first = core.timers.borrow().first();
    let timeout = first.map(|when| (when - clock::now()).min(LONGEST));
    if timeout.is_some_and(|ns| ns <= 0) {
        // Due timers do not keep others waiting: the look may have been left out.
        return look(core, events);
    }
    if let Some(hold) = hold {
        let hold = timeout.map_or(hold, |timeout| timeout.min(hold));
        match epoll::wait(core.poller().epoll_fd(), events, Some(hold)) {
            Ok(0) => {}
            result => return counted(core, result), // a signal's handler runs before the loop sleeps
        }
    }
    if !core.shared().inbox().begin_park() {
        return 0;
    }
    let set = core.poller().epoll_fd();
    let result = sleep(py, core, || epoll::wait(set, events, timeout));
    counted(core, result)
}

fn poll_hosted(py: Python<'_>, core: &Core, busy: bool, events: &mut [epoll_event]) -> usize {
    let (id, shared) = (core.id(), core.shared());
    let mut readable = core.park.unfinished.get();
    if busy || core.park.hold.get().is_some() {
        readable |= runtime::drive(id, shared, Turn::Yield);
    }
    if readable {
        let count = look(core, events);
        if count > 0 {
            return count;
        }
    }
    if busy || !host::jobs().is_empty() {
        return 0;
    }
    match core.timers.borrow().first() {
        Some(when) if when <= clock::now() => return 0,
        Some(when) => arm(core, when),
        None => {}
    }
    if !shared.inbox().begin_park() {
        return 0;
    }
    if sleep(py, core, || runtime::drive(id, shared, Turn::Wait)) {
        look(core, events)
    } else {
        0
    }
}

/// Sets the alarm, unless it will ring early enough anyway.
fn arm(core: &Core, when: Nanos) {
    if core.park.armed.get().is_some_and(|armed| armed <= when) {
        return;
    }
    if let Some(alarm) = core.park.alarm.borrow().as_ref()
        && alarm.set(Some(when)).is_ok()
    {
        core.park.armed.set(Some(when));
    }
}
