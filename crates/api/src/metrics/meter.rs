//! What one process counts while it serves: plain stores into its words. Knows neither names nor other processes.

use super::State;
use super::cells::{self, SLOT, add};
use super::histogram;
use super::rows::{self, Index, Number};
use crate::ffi::Words;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The counters of one server, on its thread.
pub struct Meter {
    words: Words<SLOT>,
    index: RefCell<Index>,
}

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Handshake,
    Idle,
    Active,
    Closing,
    WebSocket,
    Http2,
    /// It is not open.
    Gone,
}

impl Meter {
    pub(super) fn new(words: Words<SLOT>) -> Self {
        let index = RefCell::new(Index::of(&*words));
        Self { words, index }
    }

    /// What probes are to hear of this process.
    pub fn set_state(&self, state: State) {
        let word = &self.words[cells::STATE];
        // What ends does not begin again.
        if state as u64 > word.load(Ordering::Relaxed) || state == State::Free {
            word.store(state as u64, Ordering::Relaxed);
        }
    }

    /// The row of a route and a method.
    pub(crate) fn row(&self, route: &Arc<str>, method: &[u8]) -> Number {
        self.index.borrow_mut().find(&*self.words, route, method)
    }

    /// The row of a route by its text; none for one that is too long to be kept whole.
    pub(crate) fn row_of(&self, route: &str, method: &[u8]) -> Option<Number> {
        let index = &mut *self.index.borrow_mut();
        rows::fits(route).then(|| index.find_text(&*self.words, route, method))
    }

    /// The row of what an app answers whose routes are not known.
    pub(crate) fn app_row(&self, method: &[u8]) -> Number {
        self.row(&rows::APP, method)
    }

    /// A response is complete, or never will be.
    pub(crate) fn answered(&self, row: Number, status: u16, took: Duration) {
        rows::answered(&*self.words, row, status, took);
    }

    /// What came was no request.
    pub(crate) fn refused(&self, status: u16) {
        let row = self.row(&rows::REFUSED, b"");
        self.answered(row, status, Duration::ZERO);
    }

    /// A request has waited so long before anything was done for it.
    pub(crate) fn queued(&self, waited: Duration) {
        let at = cells::QUEUE;
        histogram::observe(&self.words[at..at + histogram::WORDS], waited);
    }

    pub(crate) fn in_flight(&self, count: usize) {
        self.words[cells::IN_FLIGHT].store(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn accepted(&self) {
        add(&self.words[cells::ACCEPTED], 1);
    }

    pub(crate) fn received(&self, bytes: usize) {
        add(&self.words[cells::RECEIVED], bytes as u64);
    }

    pub(crate) fn sent(&self, bytes: usize) {
        add(&self.words[cells::SENT], bytes as u64);
    }

    /// A connection does something else than before.
    pub(crate) fn stand(&self, before: Standing, now: Standing) {
        let words = &self.words[cells::CONNECTIONS..];
        if before != Standing::Gone {
            add(&words[before as usize], u64::MAX);
        }
        if now != Standing::Gone {
            add(&words[now as usize], 1);
        }
    }
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meter")
    }
}
