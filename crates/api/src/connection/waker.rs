//! Room for one waker of somebody who waits.

use std::cell::RefCell;
use std::task::Waker;

/// Remembers the last waker that was registered.
#[derive(Default)]
pub(crate) struct WakerSlot(RefCell<Option<Waker>>);

impl WakerSlot {
    /// Remembers `waker` instead of the one before.
    pub(crate) fn register(&self, waker: &Waker) {
        if !self.holds(waker) {
            self.0.replace(Some(waker.clone()));
        }
    }

    /// Whether it is `waker` that is remembered.
    pub(crate) fn holds(&self, waker: &Waker) -> bool {
        let known = self.0.borrow();
        known.as_ref().is_some_and(|known| known.will_wake(waker))
    }

    /// Wakes whoever was registered, who stays registered.
    pub(crate) fn wake(&self) {
        if let Some(waker) = &*self.0.borrow() {
            crate::wake::wake(waker);
        }
    }

    /// Takes the waker out.
    pub(crate) fn take(&self) -> Option<Waker> {
        self.0.take()
    }
}
