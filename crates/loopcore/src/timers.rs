//! Timers: a heap of deadlines. Knows nothing of callbacks.
//!
//! A cancelled timer stays in the heap until it reaches the head, or until more than half of more than a hundred are
//! cancelled, as in asyncio; only the timer that was pushed last leaves at once.

/// Nanoseconds of a monotonic clock.
pub type Nanos = i64;

/// Below this number of timers the cancelled ones are not swept out (asyncio's `_MIN_SCHEDULED_TIMER_HANDLES`).
const SWEEP_ABOVE: usize = 100;
/// Children of a node: a flat heap touches fewer cache lines.
const ARITY: usize = 4;

struct Entry<T> {
    when: Nanos,
    sequence: u64,
    payload: T,
}

impl<T> Entry<T> {
    fn key(&self) -> (Nanos, u64) {
        (self.when, self.sequence)
    }
}

/// Deadlines with their payloads; equal deadlines leave in the order of their arrival.
pub struct Timers<T> {
    heap: Vec<Entry<T>>,
    sequence: u64,
    cancelled: usize,
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self {
            heap: Vec::new(),
            sequence: 0,
            cancelled: 0,
        }
    }
}

impl<T> Timers<T> {
    /// Whether there is none, cancelled or not.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.heap.iter().map(|entry| &entry.payload)
    }

    /// The earliest deadline, cancelled or not.
    pub fn first(&self) -> Option<Nanos> {
        self.heap.first().map(|entry| entry.when)
    }

    /// Adds a timer.
    pub fn push(&mut self, when: Nanos, payload: T) {
        self.sequence += 1;
        self.heap.push(Entry {
            when,
            sequence: self.sequence,
            payload,
        });
        self.sift_up(self.heap.len() - 1);
    }

    /// Takes the earliest timer if `now` has reached its deadline.
    pub fn pop_due(&mut self, now: Nanos) -> Option<T> {
        if self.first()? > now {
            return None;
        }
        self.pop()
    }

    /// Notes that the timer with this payload was cancelled. Gives it back if it left the heap at once.
    pub fn cancel(&mut self, is_it: impl Fn(&T) -> bool) -> Option<T> {
        // The last leaf can go without breaking the order: a time-out that is set and cancelled costs no sweep.
        if self.heap.last().is_some_and(|entry| is_it(&entry.payload)) {
            return self.heap.pop().map(|entry| entry.payload);
        }
        self.cancelled += 1;
        None
    }

    /// Takes the cancelled timers out: those at the head, or all of them when they are many.
    pub fn sweep(&mut self, is_cancelled: impl Fn(&T) -> bool, mut removed: impl FnMut(T)) {
        if self.cancelled == 0 {
            return;
        }
        if self.heap.len() > SWEEP_ABOVE && self.cancelled * 2 > self.heap.len() {
            for entry in self
                .heap
                .extract_if(.., |entry| is_cancelled(&entry.payload))
            {
                removed(entry.payload);
            }
            self.cancelled = 0;
            for index in (0..=self.heap.len() / ARITY).rev() {
                self.sift_down(index);
            }
            return;
        }
        while self
            .heap
            .first()
            .is_some_and(|entry| is_cancelled(&entry.payload))
        {
            if let Some(payload) = self.pop() {
                self.cancelled = self.cancelled.saturating_sub(1);
                removed(payload);
            }
        }
    }

    /// Notes that a cancelled timer left by [`Timers::pop_due`].
    pub fn cancelled_left(&mut self) {
        self.cancelled = self.cancelled.saturating_sub(1);
    }

    /// Takes everything out.
    pub fn drain(&mut self) -> Vec<T> {
        self.cancelled = 0;
        std::mem::take(&mut self.heap)
            .into_iter()
            .map(|entry| entry.payload)
            .collect()
    }

    fn pop(&mut self) -> Option<T> {
        if self.heap.is_empty() {
            return None;
        }
        let entry = self.heap.swap_remove(0);
        self.sift_down(0);
        Some(entry.payload)
    }

    fn sift_up(&mut self, mut index: usize) {
        while index > 0 {
            let parent = (index - 1) / ARITY;
            if self.heap[parent].key() <= self.heap[index].key() {
                return;
            }
            self.heap.swap(parent, index);
            index = parent;
        }
    }

    fn sift_down(&mut self, mut index: usize) {
        loop {
            let first = index * ARITY + 1;
            let children = first..(first + ARITY).min(self.heap.len());
            let Some(least) = children.min_by_key(|child| self.heap[*child].key()) else {
                return;
            };
            if self.heap[index].key() <= self.heap[least].key() {
                return;
            }
            self.heap.swap(index, least);
            index = least;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::collections::HashSet;

    /// Deterministic noise.
    struct Noise(u64);

    impl Noise {
        fn next(&mut self, below: u64) -> u64 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % below
        }
    }

    #[test]
    fn leave_by_deadline_then_by_arrival() {
        let mut noise = Noise(7);
        let mut timers = Timers::default();
        let mut expected = Vec::new();
        for arrival in 0..1000_u64 {
            let when = i64::try_from(noise.next(50)).unwrap();
            timers.push(when, (when, arrival));
            expected.push((when, arrival));
        }
        expected.sort_unstable();
        let left: Vec<_> = std::iter::from_fn(|| timers.pop_due(i64::MAX)).collect();
        assert_eq!(left, expected);
    }

    #[test]
    fn nothing_leaves_before_its_deadline() {
        let mut timers = Timers::default();
        timers.push(10, "a");
        assert_eq!(timers.pop_due(9), None);
        assert_eq!(timers.pop_due(10), Some("a"));
        assert!(timers.is_empty());
    }

    #[test]
    fn set_and_cancel_leaves_nothing_behind() {
        let mut timers = Timers::default();
        timers.push(1, 0);
        for number in 1..1000 {
            timers.push(i64::from(number) + 5, number);
            assert_eq!(timers.cancel(|n| *n == number), Some(number));
        }
        assert_eq!(timers.heap.len(), 1);
    }

    #[test]
    fn many_cancelled_are_swept_and_the_rest_keep_their_order() {
        let mut noise = Noise(42);
        let mut timers = Timers::default();
        let cancelled = RefCell::new(HashSet::new());
        for number in 0..1000_u64 {
            timers.push(i64::try_from(noise.next(10_000)).unwrap(), number);
        }
        for number in 0..600 {
            if timers.cancel(|n| *n == number).is_none() {
                cancelled.borrow_mut().insert(number);
            }
        }
        let mut removed = 0;
        timers.sweep(|n| cancelled.borrow().contains(n), |_| removed += 1);
        assert_eq!(removed, cancelled.borrow().len());
        assert_eq!(timers.heap.len(), 400);
        let mut last = 0;
        while let Some(first) = timers.first() {
            assert!(first >= last);
            last = first;
            assert!(timers.pop_due(i64::MAX).unwrap() >= 600);
        }
    }

    #[test]
    fn few_cancelled_leave_only_from_the_head() {
        let mut timers = Timers::default();
        for number in 0..20 {
            timers.push(number, number);
        }
        assert_eq!(timers.cancel(|n| *n == 0), None);
        assert_eq!(timers.cancel(|n| *n == 5), None);
        timers.sweep(|n| matches!(n, 0 | 5), drop);
        assert_eq!(timers.first(), Some(1));
        assert_eq!(timers.heap.len(), 19);
    }
}
