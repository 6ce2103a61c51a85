//! Wake-ups that a thread owes to loops: those that it makes once it has given the interpreter up. Knows no queue.
//!
//! A loop that is woken while the waking thread still holds the interpreter wakes for nothing: it has to wait for that.

use std::cell::RefCell;
use std::sync::Arc;

use crate::core::Shared;

/// The loops that this thread owes a wake-up; they have it at the latest when the thread ends.
#[derive(Default)]
struct Owed(RefCell<Vec<Arc<Shared>>>);

impl Owed {
    fn pay(&self) {
        for shared in self.0.take() {
            shared.notify();
        }
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        self.pay();
    }
}

thread_local! {
    static OWED: Owed = Owed::default();
}

/// Has the loop woken by this thread's next [`pay`], or at once where the thread is about to end.
pub fn owe(shared: &Arc<Shared>) {
    if OWED
        .try_with(|owed| owed.0.borrow_mut().push(shared.clone()))
        .is_err()
    {
        shared.notify();
    }
}

/// Wakes those that are owed it.
pub fn pay() {
    // A thread that is about to end has paid.
    let _ = OWED.try_with(Owed::pay);
}
