//! The deadlines of a server's connections, in one coarse wheel. Knows nothing of what a deadline means.
//!
//! Setting a deadline later (a keep-alive time-out after each request) is one store: the wheel finds out when the
//! slot of the earlier deadline comes round, and files the entry anew. Nothing is allocated per request.

use crate::connection::WakerSlot;
use crate::faults;
use crate::metrics::contain;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// How long each phase of a connection may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// From accept to the end of the TLS handshake, where there is one.
    pub handshake: Duration,
    /// From accept or handshake (or from the first byte of a later request) to the end of the head; also for silent
    /// connections.
    pub header: Duration,
    /// An idle connection between two requests.
    pub keep_alive: Duration,
    /// Without a byte of a request body that somebody waits for.
    pub body_stall: Duration,
    /// The slowest pace of a body, in bytes per second of waiting for it; 0 lets it be as slow as it likes.
    pub body_rate: u32,
    /// For how long a slow body is waited for before its pace counts.
    pub body_grace: Duration,
    /// From the head of a request until its response has to begin; `None` for as long as it takes. A service may
    /// set another one for an exchange. What is too late is answered with 504.
    pub answer: Option<Duration>,
    /// Without the client taking a byte of what is queued for it.
    pub write_stall: Duration,
    /// From the client's FIN until it counts as gone although a half-close looks the same.
    pub disconnect_grace: Duration,
    /// Without a byte of what an answered client still sends, which is read so that no reset overtakes the answer; at most
    /// `body_stall` in all.
    pub linger: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            body_stall: Duration::from_secs(30),
            body_rate: 500,
            body_grace: Duration::from_secs(10),
            answer: None,
            write_stall: Duration::from_secs(30),
            disconnect_grace: Duration::from_millis(500),
            linger: Duration::from_secs(2),
        }
    }
}

/// Milliseconds since the wheel was made.
pub(crate) type Millis = u64;

/// A deadline that never comes.
pub(crate) const NEVER: Millis = Millis::MAX;

const SLOT: Millis = 20;
const SLOTS: usize = 1024;

/// The wheel: slot `n` holds what was filed for the milliseconds `n * SLOT..` of some round.
pub(crate) struct Wheel {
    origin: Instant,
    slots: RefCell<Vec<Vec<Rc<Entry>>>>,
    /// The slot number (not reduced to the round) that is swept next.
    next_slot: Cell<u64>,
    /// The slot number the driver sleeps for; filing something earlier wakes it through `driver`.
    sleeps_until: Cell<u64>,
    driver: WakerSlot,
}

struct Entry {
    due: Cell<Millis>,
    /// The slot number it stands in, `NEVER` while it stands nowhere.
    slot: Cell<u64>,
    /// Its index within the slot.
    place: Cell<usize>,
    waker: RefCell<Waker>,
}

impl Wheel {
    /// Makes the wheel and spawns its driver on the current local runtime; the driver ends with the last handle.
    pub(crate) fn start() -> Rc<Self> {
        let wheel = Rc::new(Self {
            origin: Instant::now(),
            slots: RefCell::new(vec![Vec::new(); SLOTS]),
            next_slot: Cell::new(0),
            sleeps_until: Cell::new(NEVER),
            driver: WakerSlot::default(),
        });
        tokio::task::spawn_local(drive(Rc::downgrade(&wheel)));
        wheel
    }

    /// The time now, on the wheel's clock.
    pub(crate) fn now(&self) -> Millis {
        self.at(Instant::now())
    }

    /// A moment on the wheel's clock.
    pub(crate) fn at(&self, moment: Instant) -> Millis {
        let since = moment.saturating_duration_since(self.origin);
        Millis::try_from(since.as_millis()).unwrap_or(NEVER - 1)
    }

    fn file(&self, entry: Rc<Entry>, due: Millis) {
        let slot = (due / SLOT + 1).max(self.next_slot.get());
        let mut slots = self.slots.borrow_mut();
        let list = &mut slots[index(slot)];
        entry.slot.set(slot);
        entry.place.set(list.len());
        list.push(entry);
        if slot < self.sleeps_until.get() {
            self.driver.wake();
        }
    }

    fn unfile(&self, entry: &Entry) {
        let slot = entry.slot.replace(NEVER);
        if slot == NEVER {
            return;
        }
        let mut slots = self.slots.borrow_mut();
        let list = &mut slots[index(slot)];
        let place = entry.place.get();
        list.swap_remove(place);
        if let Some(moved) = list.get(place) {
            moved.place.set(place);
        }
    }

    /// Wakes everything due, and files what was moved.
    fn sweep(&self) {
        let now = self.now();
        let last = now / SLOT;
        let first = self.next_slot.replace(last + 1);
        for slot in first..=last.min(first + SLOTS as u64 - 1) {
            let passed = std::mem::take(&mut self.slots.borrow_mut()[index(slot)]);
            for entry in passed {
                entry.slot.set(NEVER);
                let due = entry.due.get();
                if due <= now {
                    entry.waker.borrow().wake_by_ref();
                } else if due != NEVER {
                    self.file(entry, due);
                }
            }
        }
    }

    /// The first slot from the next one on that holds anything, within one round.
    fn next_occupied(&self) -> Option<u64> {
        let slots = self.slots.borrow();
        let next = self.next_slot.get();
        (next..next + SLOTS as u64).find(|&slot| !slots[index(slot)].is_empty())
    }

    fn poll_turn(&self, mut sleep: Pin<&mut Sleep>, cx: &mut Context<'_>) {
        faults::here("timer");
        loop {
            self.sweep();
            let Some(slot) = self.next_occupied() else {
                self.sleeps_until.set(NEVER);
                return;
            };
            self.sleeps_until.set(slot);
            let at = self.origin + Duration::from_millis(slot * SLOT);
            sleep.as_mut().reset(at);
            if sleep.as_mut().poll(cx).is_pending() {
                return;
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the remainder is below SLOTS"
)]
fn index(slot: u64) -> usize {
    (slot % SLOTS as u64) as usize
}

async fn drive(wheel: Weak<Wheel>) {
    let mut sleep = pin!(sleep_until(Instant::now()));
    poll_fn(|cx| {
        let Some(wheel) = wheel.upgrade() else {
            return Poll::Ready(());
        };
        wheel.driver.register(cx.waker());
        let turned = contain("timer", || wheel.poll_turn(sleep.as_mut(), cx));
        if turned.is_none() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await;
}

impl Drop for Wheel {
    fn drop(&mut self) {
        self.driver.wake();
    }
}

/// One sleeper's deadline: it wakes `waker` once, some time (at most two slots) after it is due.
pub(crate) struct Deadline {
    wheel: Rc<Wheel>,
    entry: Rc<Entry>,
}

impl Deadline {
    /// A deadline that is not set yet.
    pub(crate) fn new(wheel: &Rc<Wheel>, waker: Waker) -> Self {
        let entry = Rc::new(Entry {
            due: Cell::new(NEVER),
            slot: Cell::new(NEVER),
            place: Cell::new(0),
            waker: RefCell::new(waker),
        });
        Self {
            wheel: Rc::clone(wheel),
            entry,
        }
    }

    /// Moves the deadline. Later than before is one store; earlier files it anew.
    pub(crate) fn set(&self, due: Millis) {
        self.entry.due.set(due);
        if due != NEVER && due / SLOT + 1 < self.entry.slot.get() {
            self.wheel.unfile(&self.entry);
            self.wheel.file(Rc::clone(&self.entry), due);
        }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        self.wheel.unfile(&self.entry);
    }
}

#[cfg(test)]
mod tests {
    use super::{Deadline, NEVER, Wheel};
    use std::future::poll_fn;
    use std::rc::Rc;
    use std::task::Poll;
    use std::time::Duration;
    use tokio::runtime::{Builder, LocalOptions};

    async fn sleep_for(wheel: &Rc<Wheel>, moves: &[u64]) -> u64 {
        let from = wheel.now();
        let mut deadline = None;
        poll_fn(|cx| {
            let made = deadline.is_none();
            let deadline = deadline.get_or_insert_with(|| Deadline::new(wheel, cx.waker().clone()));
            if made {
                for by in moves {
                    deadline.set(from + by);
                }
            }
            let due = from + moves[moves.len() - 1];
            if wheel.now() >= due {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        wheel.now() - from
    }

    fn run<F: Future>(future: F) -> F::Output {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .build_local(LocalOptions::default())
            .unwrap();
        runtime.block_on(future)
    }

    #[test]
    fn wakes_soon_after_it_is_due_however_it_was_moved() {
        run(async {
            let wheel = Wheel::start();
            for moves in [&[50][..], &[30, 90], &[500, 60], &[30_000, 10, 70]] {
                let due = moves[moves.len() - 1];
                let slept = tokio::time::timeout(Duration::from_secs(5), sleep_for(&wheel, moves))
                    .await
                    .unwrap();
                assert!(slept >= due, "{slept} < {due}");
            }
        });
    }

    #[test]
    fn a_dropped_deadline_leaves_no_entry() {
        run(async {
            let wheel = Wheel::start();
            let all = || wheel.slots.borrow().iter().map(Vec::len).sum::<usize>();
            let waker = std::task::Waker::noop().clone();
            let deadlines: Vec<_> = (0..100)
                .map(|n| {
                    let deadline = Deadline::new(&wheel, waker.clone());
                    deadline.set(1000 + n % 7);
                    deadline
                })
                .collect();
            assert_eq!(all(), 100);
            for (n, deadline) in deadlines.into_iter().enumerate() {
                if n % 2 == 0 {
                    deadline.set(NEVER);
                }
                drop(deadline);
            }
            assert_eq!(all(), 0);
        });
    }
}
