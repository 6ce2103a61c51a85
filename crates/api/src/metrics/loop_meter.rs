//! What the event loop notes of its turns: how long it did not ask the kernel, how long it waited for the GIL.
//! Knows no loop; its thread calls, with nanoseconds of the monotonic clock.

use super::cells::{self, BUSY_SINCE, GIL, LAG, LINES_DROPPED, PANICS, SLOT};
use super::{histogram, lines_dropped_total, panics_total};
use crate::ffi::Words;
use std::sync::atomic::{AtomicU64, Ordering};

/// The words of one loop.
pub struct LoopMeter {
    words: Words<SLOT>,
    woken: AtomicU64,
    /// What the words have of the process's counts.
    panics: AtomicU64,
    lines_dropped: AtomicU64,
}

impl LoopMeter {
    pub(super) fn new(words: Words<SLOT>) -> Self {
        Self {
            words,
            woken: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            lines_dropped: AtomicU64::new(0),
        }
    }

    /// Whether the loop is with the kernel, as far as it has said.
    pub fn is_waiting(&self) -> bool {
        self.words[BUSY_SINCE].load(Ordering::Relaxed) == 0
    }

    /// The loop has asked the kernel, and goes on.
    pub fn goes_on(&self, now: u64) {
        self.words[BUSY_SINCE].store(now, Ordering::Relaxed);
    }

    /// It has slept, and wants the GIL now.
    pub fn woke(&self, now: u64) {
        self.woken.store(now, Ordering::Relaxed);
        self.goes_on(now);
    }

    /// It has the GIL.
    pub fn attached(&self, now: u64) {
        let waited = now.saturating_sub(self.woken.load(Ordering::Relaxed));
        self.observe(GIL, waited);
    }

    /// It is about to ask the kernel.
    pub fn asks(&self, now: u64) {
        let busy = &self.words[BUSY_SINCE];
        let since = busy.load(Ordering::Relaxed);
        busy.store(0, Ordering::Relaxed);
        self.take_counts();
        if since != 0 {
            self.observe(LAG, now.saturating_sub(since));
        }
    }

    /// Takes over what was counted where no server is known; in each turn, and once after the last.
    pub fn take_counts(&self) {
        self.pass_on(PANICS, &self.panics, panics_total());
        self.pass_on(LINES_DROPPED, &self.lines_dropped, lines_dropped_total());
    }

    /// Adds what a count of this process has grown by since it was `known`.
    fn pass_on(&self, at: usize, known: &AtomicU64, count: u64) {
        let before = known.load(Ordering::Relaxed);
        if count != before {
            known.store(count, Ordering::Relaxed);
            cells::add(&self.words[at], count - before);
        }
    }

    fn observe(&self, at: usize, nanoseconds: u64) {
        let words = &self.words[at..at + histogram::WORDS];
        histogram::observe_nanoseconds(words, nanoseconds);
    }
}
