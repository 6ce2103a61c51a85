//! Wakers fired outside the runtime wait here for its next turn. Knows nothing of who sleeps.
//!
//! A Tokio waker that is fired on the runtime's thread but outside of a task takes the remote path: a lock and
//! a write to an eventfd, one more system call per request. Python answers from there, so its wake-ups are
//! collected and fired by the first poll of the next `block_on`, where they cost a push on the local queue.

use std::cell::{Cell, RefCell};
use std::task::Waker;

thread_local! {
    /// Set by the first `flush`: before that nobody promised to come back for what is collected.
    static COLLECTS: Cell<bool> = const { Cell::new(false) };
    static COLLECTED: RefCell<Vec<Waker>> = const { RefCell::new(Vec::new()) };
}

/// Wakes `waker`: at once from within a task (or on a thread that never flushes), else at the next [`flush`].
pub fn wake(waker: &Waker) {
    if COLLECTS.get() && tokio::task::try_id().is_none() {
        COLLECTED.with_borrow_mut(|list| list.push(waker.clone()));
    } else {
        waker.wake_by_ref();
    }
}

/// Fires what was collected on this thread. To be called in the first poll of each `block_on`.
pub fn flush() {
    COLLECTS.set(true);
    let mut fired = COLLECTED.take();
    fired.drain(..).for_each(Waker::wake);
    COLLECTED.with_borrow_mut(|list| {
        if list.is_empty() {
            *list = fired;
        }
    });
}

/// Whether wake-ups are waiting for [`flush`]; a loop about to park without a runtime turn asks this.
pub fn is_pending() -> bool {
    COLLECTED.with_borrow(|list| !list.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{flush, is_pending, wake};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn wakes_at_once_until_somebody_flushes() {
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        wake(&waker);
        assert_eq!(count.0.load(Ordering::Relaxed), 1);

        flush();
        wake(&waker);
        assert_eq!(
            count.0.load(Ordering::Relaxed),
            1,
            "deferred outside of a task"
        );
        assert!(is_pending());
        flush();
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
        assert!(!is_pending());
    }

    #[test]
    fn wakes_at_once_inside_a_task() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        flush();
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        runtime.block_on(async {
            tokio::spawn(async move { wake(&waker) }).await.unwrap();
        });
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }
}
