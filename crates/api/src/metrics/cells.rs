//! Where each figure of a process stands among its words of shared memory, and how one is changed. Data only.
//!
//! Every word has one writer, so that a load and a store do; readers are other threads and processes.

use super::histogram;
use super::rows;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the process is doing, a [`super::State`].
pub(super) const STATE: usize = 0;
/// Since when (nanoseconds of the monotonic clock) the loop has not asked the kernel; 0 while it waits there.
pub(super) const BUSY_SINCE: usize = 1;
/// When the board was made, in nanoseconds of the monotonic clock; of the first process.
pub(super) const BEGAN: usize = 2;
/// How many rows there are.
pub(super) const ROW_COUNT: usize = 3;

/// From here on words of several processes add up.
pub(super) const SUMMED: usize = 8;
/// Open connections, one word for each [`super::Standing`].
pub(super) const CONNECTIONS: usize = 8;
/// Requests whose response is not complete.
pub(super) const IN_FLIGHT: usize = 16;
/// What is forgotten when another process takes the slot over ends here; counters follow.
pub(super) const COUNTERS: usize = 24;
pub(super) const ACCEPTED: usize = 24;
pub(super) const RECEIVED: usize = 25;
pub(super) const SENT: usize = 26;
pub(super) const PANICS: usize = 27;
/// Of the access log.
pub(super) const LINES_DROPPED: usize = 28;
/// Workers that were replaced, by [`RESTART_REASONS`]; of the master.
pub(super) const RESTARTS: usize = 32;
pub(super) const QUEUE: usize = 64;
pub(super) const LAG: usize = QUEUE + histogram::WORDS;
pub(super) const GIL: usize = LAG + histogram::WORDS;
/// The rows begin on a page of their own.
pub(super) const HEAD: usize = 512;

/// The words of one process.
pub(super) const SLOT: usize = HEAD + rows::MOST * rows::WORDS;

/// Why workers are replaced.
pub(super) const RESTART_REASONS: [&str; 4] = ["ended", "stuck", "spent", "asked"];

const _: () = assert!(GIL + histogram::WORDS <= HEAD);

/// Adds to a word of this thread's.
#[inline]
pub(super) fn add(word: &AtomicU64, count: u64) {
    word.store(
        word.load(Ordering::Relaxed).wrapping_add(count),
        Ordering::Relaxed,
    );
}
