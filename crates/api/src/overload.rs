//! How many requests may be at work at once, and who waits for a place. Knows neither connections nor bytes.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

/// The bound on requests at work, and on those that wait until one of them ends.
#[derive(Debug, Clone, Copy)]
pub struct Overload {
    /// Requests at work at once; `None` sets no bound. Idle connections do not count.
    pub at_work: Option<NonZeroUsize>,
    /// Requests that may wait for their turn; one more is refused with 503.
    pub queue: usize,
    /// How long one of them waits at most; then it is refused with 503.
    pub wait: Duration,
}

impl Default for Overload {
    fn default() -> Self {
        Self {
            at_work: None,
            queue: 1000,
            wait: Duration::from_secs(5),
        }
    }
}

impl Overload {
    /// What a refused client is told to wait, in whole seconds (`Retry-After`, RFC 9110 §10.2.3).
    pub(crate) fn retry_after(&self) -> u64 {
        self.wait.as_secs().max(1)
    }
}

/// The places of one server, and the queue for them, first come, first served.
pub(crate) struct Places {
    free: Cell<usize>,
    room: usize,
    queue: RefCell<VecDeque<Rc<Waiting>>>,
}

struct Waiting {
    /// A place was set aside for it.
    granted: Cell<bool>,
    waker: Waker,
}

/// What [`Places::enter`] gives.
pub(crate) enum Entry {
    Place(Place),
    Queued(Ticket),
    /// The queue is full as well.
    Full,
}

/// A place. Dropping it lets the first of the queue in.
pub(crate) struct Place(Rc<Places>);

/// A stand in the queue. Dropping it leaves the queue.
pub(crate) struct Ticket {
    places: Rc<Places>,
    waiting: Rc<Waiting>,
}

impl Places {
    /// Nothing where no bound is set.
    pub(crate) fn new(overload: &Overload) -> Option<Rc<Self>> {
        overload.at_work.map(|at_work| {
            Rc::new(Self {
                free: Cell::new(at_work.get()),
                room: overload.queue,
                queue: RefCell::default(),
            })
        })
    }

    /// A place, or a stand in the queue whose turn `waker` hears of.
    pub(crate) fn enter(self: &Rc<Self>, waker: &Waker) -> Entry {
        let free = self.free.get();
        if free > 0 {
            self.free.set(free - 1);
            return Entry::Place(Place(Rc::clone(self)));
        }
        let mut queue = self.queue.borrow_mut();
        if queue.len() >= self.room {
            return Entry::Full;
        }
        let waiting = Rc::new(Waiting {
            granted: Cell::new(false),
            waker: waker.clone(),
        });
        queue.push_back(Rc::clone(&waiting));
        Entry::Queued(Ticket {
            places: Rc::clone(self),
            waiting,
        })
    }

    fn release(&self) {
        let first = self.queue.borrow_mut().pop_front();
        match first {
            Some(first) => {
                first.granted.set(true);
                crate::wake::wake(&first.waker);
            }
            None => self.free.set(self.free.get() + 1),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl Ticket {
    /// The place, once it is this one's turn.
    pub(crate) fn redeem(&self) -> Option<Place> {
        let granted = self.waiting.granted.replace(false);
        granted.then(|| Place(Rc::clone(&self.places)))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.waiting.granted.get() {
            self.places.release();
        } else {
            let mut queue = self.places.queue.borrow_mut();
            queue.retain(|other| !Rc::ptr_eq(other, &self.waiting));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Overload, Place, Places, Ticket};
    use std::num::NonZeroUsize;
    use std::rc::Rc;
    use std::task::Waker;

    fn places(at_work: usize, queue: usize) -> Rc<Places> {
        let overload = Overload {
            at_work: NonZeroUsize::new(at_work),
            queue,
            ..Overload::default()
        };
        Places::new(&overload).unwrap()
    }

    fn place(places: &Rc<Places>) -> Place {
        match places.enter(Waker::noop()) {
            Entry::Place(place) => place,
            Entry::Queued(_) | Entry::Full => panic!("no place was free"),
        }
    }

    fn ticket(places: &Rc<Places>) -> Ticket {
        match places.enter(Waker::noop()) {
            Entry::Queued(ticket) => ticket,
            Entry::Place(_) | Entry::Full => panic!("not queued"),
        }
    }

    #[test]
    fn without_a_bound_there_is_nothing_to_count() {
        assert!(Places::new(&Overload::default()).is_none());
    }

    #[test]
    fn the_queue_is_served_in_order_and_is_bounded() {
        let places = places(1, 2);
        let first = place(&places);
        let (second, third) = (ticket(&places), ticket(&places));
        assert!(matches!(places.enter(Waker::noop()), Entry::Full));
        assert!(second.redeem().is_none());
        drop(first);
        assert!(third.redeem().is_none());
        let working = second.redeem().unwrap();
        assert!(second.redeem().is_none());
        drop(second);
        assert!(third.redeem().is_none());
        drop(working);
        assert!(third.redeem().is_some());
        drop(third);
        drop(place(&places));
    }

    #[test]
    fn whoever_leaves_the_queue_hands_on_what_was_set_aside() {
        let places = places(1, 3);
        let working = place(&places);
        let (second, third, fourth) = (ticket(&places), ticket(&places), ticket(&places));
        drop(third);
        drop(working);
        drop(second);
        assert!(fourth.redeem().is_some());
        drop(place(&places));
    }
}
