//! What a response says beside its body, between the exchange that says it and the stream that sends it: blocks of checked
//! lines, each behind one more line that only HTTP/1.1 has a use for. Knows no frames.

use std::cell::RefCell;
use std::mem::take;

/// The end of a chunked body without trailers.
const NO_TRAILERS: &[u8] = b"0\r\n\r\n";

/// The heads of one response.
#[derive(Default)]
pub(crate) struct Outbox {
    interim: RefCell<Vec<Block>>,
    head: RefCell<Option<Block>>,
    trailers: RefCell<Option<Block>>,
}

/// Lines with their CRLFs, the first of which is a status line's.
pub(super) struct Block {
    pub(super) status: u16,
    pub(super) lines: Vec<u8>,
}

impl Outbox {
    /// An interim response.
    pub(crate) fn interim(&self, status: u16, lines: Vec<u8>) {
        self.interim.borrow_mut().push(Block { status, lines });
    }

    /// The head of the response.
    pub(crate) fn head(&self, status: u16, lines: Vec<u8>) {
        *self.head.borrow_mut() = Some(Block { status, lines });
    }

    /// The end of the response, with the fields behind it.
    pub(crate) fn end(&self, lines: Vec<u8>) {
        *self.trailers.borrow_mut() = Some(Block { status: 0, lines });
    }

    /// The end of what has no fields behind it.
    pub(super) fn end_bare(&self) {
        self.end(NO_TRAILERS.to_vec());
    }

    /// Whether the body ends the response: nothing more of it will come, and there are no trailers.
    pub(super) fn ends_bare(&self) -> bool {
        let trailers = self.trailers.borrow();
        trailers
            .as_ref()
            .is_some_and(|block| block.lines == NO_TRAILERS)
    }

    pub(super) fn take_interim(&self) -> Vec<Block> {
        take(&mut *self.interim.borrow_mut())
    }

    pub(super) fn take_head(&self) -> Option<Block> {
        self.head.borrow_mut().take()
    }

    pub(super) fn take_trailers(&self) -> Option<Block> {
        self.trailers.borrow_mut().take()
    }
}
