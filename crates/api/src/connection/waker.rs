//! Room for one waker of somebody who waits.

use std::cell::RefCell;
use std::task::Waker;

/// Remembers the last waker that was registered.
#[derive(Default)]
pub(crate) struct WakerSlot(RefCell<Option<Waker>>);

impl WakerSlot {
    /// Remembers `waker` instead of the one before.
    pub(crate) fn register(&self, waker: &Waker) {
        let mut slot = self.0.borrow_mut();
        if !slot.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *slot = Some(waker.clone());
        }
    }

    /// Takes the waker out.
    pub(crate) fn take(&self) -> Option<Waker> {
        self.0.take()
    }
}
