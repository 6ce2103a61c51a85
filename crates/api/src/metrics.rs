//! What the process counts about itself: panics here, caught at a border; requests and all else on a [`Board`].

mod board;
mod cells;
mod histogram;
mod loop_meter;
mod meter;
mod monitor;
mod rows;
mod station;
mod summary;
mod text;

pub use board::{Board, State};
pub use loop_meter::LoopMeter;
pub use meter::Meter;
pub(crate) use meter::Standing;
pub use monitor::{Fronted, Monitor};
pub use rows::UNMATCHED;
pub use station::Station;
pub use summary::Summary;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

static PANICS: AtomicU64 = AtomicU64::new(0);

/// Panics caught so far in this process, at every border together.
pub fn panics_total() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// Counts a panic that was caught on the other side of a border.
pub(crate) fn panicked() {
    PANICS.fetch_add(1, Ordering::Relaxed);
}

static LINES_DROPPED: AtomicU64 = AtomicU64::new(0);

/// Lines of the access log that this process has thrown away.
pub(crate) fn lines_dropped_total() -> u64 {
    LINES_DROPPED.load(Ordering::Relaxed)
}

pub(crate) fn lines_dropped(count: u64) {
    LINES_DROPPED.fetch_add(count, Ordering::Relaxed);
}

/// Runs `f`; a panic is counted and logged under the name of the border it was caught at, and `None` comes back.
///
/// What `f` touched may be half changed after a panic: the caller must end the exchange or connection it belongs to.
pub fn contain<R>(border: &'static str, f: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(value) => Some(value),
        Err(payload) => {
            panicked();
            let message = message_of(&*payload);
            tracing::error!(border, message, "panic caught");
            // A payload may panic again in its own drop.
            if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                std::mem::forget(second);
            }
            None
        }
    }
}

fn message_of(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}

#[cfg(test)]
mod tests {
    use super::{contain, panics_total};

    #[test]
    fn counts_what_it_contains() {
        let before = panics_total();
        assert_eq!(contain("test", || 7), Some(7));
        assert_eq!(contain("test", || -> u8 { panic!("boom") }), None);
        assert!(panics_total() > before);
    }
}
