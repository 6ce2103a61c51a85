//! Wake-ups from other threads: a queue and a three-state flag, so that a sleeping loop is woken once and no call is lost.
//! Knows neither Python nor Tokio nor descriptors: whoever gets `true` from [`Inbox::push`] or [`Inbox::notify`] wakes the loop.
//!
//! The loop's thread: `begin_park` → (`false`: there is work) or sleep → `end_park` → `take`.
//! Other threads: `push` or `notify` → `true`: wake it.

#[cfg(data_bridge_loom)]
use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU8, Ordering},
};
#[cfg(not(data_bridge_loom))]
use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU8, Ordering},
};

/// The loop is awake and will look at the inbox before it sleeps.
const RUNNING: u8 = 0;
/// The loop sleeps or is about to; the next notification must wake it.
const PARKED: u8 = 1;
/// Somebody has left something since the loop last looked.
const NOTIFIED: u8 = 2;

/// What other threads have left for the loop.
pub struct Inbox<T> {
    state: AtomicU8,
    /// Whether the queue has something: a hint for who has pushed before, not part of the protocol.
    filled: AtomicBool,
    queue: Mutex<Vec<T>>,
}

impl<T> Default for Inbox<T> {
    fn default() -> Self {
        Self {
            state: AtomicU8::new(RUNNING),
            filled: AtomicBool::new(false),
            queue: Mutex::new(Vec::new()),
        }
    }
}

impl<T> Inbox<T> {
    fn queue(&self) -> MutexGuard<'_, Vec<T>> {
        // A panic while the lock is held can only come from the allocator; the queue is whole even then.
        self.queue
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Leaves `item`. `true`: the caller must wake the loop.
    #[must_use]
    pub fn push(&self, item: T) -> bool {
        self.leave(item);
        self.notify()
    }

    /// Leaves `item`; the caller owes a [`Inbox::notify`].
    pub fn leave(&self, item: T) {
        let mut queue = self.queue();
        queue.push(item);
        self.filled.store(true, Ordering::Relaxed);
    }

    /// Says that there is something to look at, here or elsewhere. `true`: the caller must wake the loop.
    ///
    /// What lies elsewhere must be guarded by a lock that the loop's thread also holds whenever it calls
    /// `begin_park` or `take`; for Python's queues that is the GIL.
    #[must_use]
    #[inline]
    pub fn notify(&self) -> bool {
        // A mark that is still there was not yet taken by the loop, and `take` comes before its next look. The lock
        // in between (of the queue, or of what lies elsewhere) makes sure that this is no old mark.
        self.state.load(Ordering::Acquire) != NOTIFIED
            && self.state.swap(NOTIFIED, Ordering::AcqRel) == PARKED
    }

    /// Whether this thread, or one that it has heard from since, has pushed something that was not taken yet.
    #[inline]
    pub fn is_filled(&self) -> bool {
        self.filled.load(Ordering::Relaxed)
    }

    /// Whether somebody has left something since the loop last looked.
    pub fn is_notified(&self) -> bool {
        self.state.load(Ordering::Acquire) == NOTIFIED
    }

    /// Announces sleep. `false`: something was left meanwhile; do not sleep, look.
    #[must_use]
    pub fn begin_park(&self) -> bool {
        self.state
            .compare_exchange(RUNNING, PARKED, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// Ends a sleep, whatever ended it. What was left stays noted until [`Inbox::take`].
    pub fn end_park(&self) {
        // A notification that comes first keeps its mark.
        let _ = self
            .state
            .compare_exchange(PARKED, RUNNING, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Takes what was left, in order, and clears the mark.
    pub fn take(&self) -> Vec<T> {
        // The mark goes first: what is pushed after the swap sets it again, so it is seen by the next look at the latest.
        self.state.swap(RUNNING, Ordering::AcqRel);
        let mut queue = self.queue();
        self.filled.store(false, Ordering::Relaxed);
        std::mem::take(&mut *queue)
    }
}

#[cfg(all(test, not(data_bridge_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_running_loop_needs_no_waking() {
        let inbox = Inbox::default();
        assert!(!inbox.push(1));
        assert!(!inbox.push(2));
        assert!(inbox.is_notified());
        assert_eq!(inbox.take(), [1, 2]);
        assert!(!inbox.is_notified());
    }

    #[test]
    fn a_parked_loop_is_woken_once() {
        let inbox = Inbox::default();
        assert!(inbox.begin_park());
        assert!(inbox.push(1));
        assert!(!inbox.push(2));
        inbox.end_park();
        assert!(!inbox.begin_park(), "there is something to look at");
        assert_eq!(inbox.take(), [1, 2]);
        assert!(inbox.begin_park());
    }
}

/// `RUSTFLAGS="--cfg data_bridge_loom" cargo test -p loopcore`
#[cfg(all(test, data_bridge_loom))]
mod proof {
    use super::Inbox;
    use loom::sync::atomic::{AtomicUsize, Ordering};
    use loom::sync::{Arc, Condvar, Mutex};

    /// The eventfd: a counter that a sleeper waits on.
    #[derive(Default)]
    struct Bell {
        rung: Mutex<usize>,
        sleeper: Condvar,
    }

    impl Bell {
        fn ring(&self) {
            *self.rung.lock().unwrap() += 1;
            self.sleeper.notify_one();
        }

        /// Deadlocks, which loom reports, if nobody rings: a lost wake-up.
        fn sleep(&self) {
            let mut rung = self.rung.lock().unwrap();
            while *rung == 0 {
                rung = self.sleeper.wait(rung).unwrap();
            }
            *rung = 0;
        }
    }

    /// Each producer pushes its items; the loop sleeps and wakes until it has them all.
    fn deliver(sent: &'static [&'static [usize]], preemptions: Option<usize>) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = preemptions;
        model.check(move || {
            let inbox = Arc::new(Inbox::default());
            let bell = Arc::new(Bell::default());
            let producers: Vec<_> = sent
                .iter()
                .map(|items| {
                    let (inbox, bell) = (inbox.clone(), bell.clone());
                    loom::thread::spawn(move || {
                        for item in *items {
                            if inbox.push(*item) {
                                bell.ring();
                            }
                        }
                    })
                })
                .collect();
            let mut seen = Vec::new();
            let total: usize = sent.iter().map(|items| items.len()).sum();
            loop {
                seen.append(&mut inbox.take());
                if seen.len() == total {
                    break;
                }
                if inbox.begin_park() {
                    bell.sleep();
                    inbox.end_park();
                }
            }
            for items in sent {
                let received: Vec<_> = seen
                    .iter()
                    .filter(|item| items.contains(item))
                    .copied()
                    .collect();
                assert_eq!(received, *items);
            }
            for producer in producers {
                producer.join().unwrap();
            }
        });
    }

    /// Three preemptions: without a bound the model of three threads runs for an hour.
    #[test]
    fn no_push_of_two_producers_is_lost() {
        deliver(&[&[1], &[2]], Some(3));
    }

    #[test]
    fn a_producers_pushes_keep_their_order() {
        deliver(&[&[1, 2]], None);
    }

    #[test]
    fn a_notification_about_something_elsewhere_is_not_lost() {
        loom::model(|| {
            let inbox = Arc::new(Inbox::<usize>::default());
            let bell = Arc::new(Bell::default());
            let elsewhere = Arc::new(Mutex::new(false));
            let producer = {
                let (inbox, bell, elsewhere) = (inbox.clone(), bell.clone(), elsewhere.clone());
                loom::thread::spawn(move || {
                    let ring = {
                        let mut guarded = elsewhere.lock().unwrap();
                        *guarded = true;
                        inbox.notify()
                    };
                    if ring {
                        bell.ring();
                    }
                })
            };
            // The loop's thread holds the other lock except while it sleeps, as it holds the GIL.
            loop {
                let guarded = elsewhere.lock().unwrap();
                drop(inbox.take());
                if *guarded {
                    break;
                }
                let sleep = inbox.begin_park();
                drop(guarded);
                if sleep {
                    bell.sleep();
                    let _guarded = elsewhere.lock().unwrap();
                    inbox.end_park();
                }
            }
            producer.join().unwrap();
        });
    }

    #[test]
    fn one_sleep_is_rung_at_most_once() {
        loom::model(|| {
            let inbox = Arc::new(Inbox::default());
            let rings = Arc::new(AtomicUsize::new(0));
            assert!(inbox.begin_park());
            let producers: Vec<_> = (0..2)
                .map(|item| {
                    let (inbox, rings) = (inbox.clone(), rings.clone());
                    loom::thread::spawn(move || {
                        if inbox.push(item) {
                            rings.fetch_add(1, Ordering::Relaxed);
                        }
                    })
                })
                .collect();
            for producer in producers {
                producer.join().unwrap();
            }
            assert_eq!(rings.load(Ordering::Relaxed), 1);
            inbox.end_park();
            assert_eq!(inbox.take().len(), 2);
        });
    }
}
