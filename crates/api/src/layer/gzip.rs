//! Whole bodies by gzip: one stream is used again and again.

use std::cell::RefCell;

use crate::gzip::Stream;

/// Compresses by one level. The stream's memory is taken with the first body.
pub(super) struct Gzip {
    level: i32,
    stream: RefCell<Option<Stream>>,
}

impl Gzip {
    pub(super) fn new(level: i32) -> Self {
        Self {
            level,
            stream: RefCell::new(None),
        }
    }

    pub(super) fn level(&self) -> i32 {
        self.level
    }

    /// What `body` compresses to; `None` where zlib fails.
    pub(super) fn compress(&self, body: &[u8]) -> Option<Vec<u8>> {
        let mut slot = self.stream.borrow_mut();
        let stream = slot.get_or_insert_with(|| Stream::new(self.level));
        stream.reset();
        stream.compress(body, true).ok()
    }
}
