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

    /// A stream of the same level for a body in parts.
    pub(super) fn stream(&self) -> Stream {
        Stream::new(self.level)
    }

    /// What `body` compresses to; `None` where zlib fails.
    pub(super) fn compress(&self, body: &[u8]) -> Option<Vec<u8>> {
        let mut slot = self.stream.borrow_mut();
        let stream = slot.get_or_insert_with(|| self.stream());
        stream.reset();
        stream.compress(body, true).ok()
    }
}
