//! Bytes that came from a socket and were not parsed yet. Knows no HTTP.
//!
//! Reading goes into large blocks that a thread's connections lend each other: a connection that has parsed all it
//! read gives its block back, one that keeps a little (half a head) keeps a copy of that little.

use bytes::BytesMut;
use std::cell::RefCell;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt};

/// The size of a block that is read into.
const BLOCK: usize = 32 * 1024;

/// A block with less room than this is renewed before the next read: in place once nobody holds a part of it.
const ROOM: usize = 16 * 1024;

/// Less than this is copied out of its block when a connection goes to sleep.
const SMALL: usize = 8 * 1024;

/// Blocks that one thread keeps for later.
const POOLED: usize = 16;

thread_local! {
    static POOL: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

fn borrow_block() -> BytesMut {
    POOL.with_borrow_mut(Vec::pop)
        .unwrap_or_else(|| BytesMut::with_capacity(BLOCK))
}

fn return_block(mut block: BytesMut) {
    block.clear();
    POOL.with_borrow_mut(|pool| {
        if pool.len() < POOLED {
            pool.push(block);
        }
    });
}

/// What was read and not consumed yet.
#[derive(Default)]
pub(crate) struct Input {
    buffer: BytesMut,
    /// `buffer` is a block of the pool.
    borrowed: bool,
    /// The client has sent its last byte.
    pub(crate) ended: bool,
}

impl Input {
    pub(crate) fn len(&self) -> usize {
        self.buffer.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Where the codec takes from, at the front.
    pub(crate) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Reads once; `Ok(0)` says that the client has sent its last byte.
    pub(crate) fn poll_fill<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        self.make_room();
        let read = std::task::ready!(pin!(stream.read_buf(&mut self.buffer)).poll(cx));
        if matches!(read, Ok(0)) {
            self.ended = true;
        }
        Poll::Ready(read)
    }

    fn make_room(&mut self) {
        if self.buffer.capacity() - self.buffer.len() >= ROOM {
            return;
        }
        if !self.borrowed && self.buffer.len() < SMALL {
            let mut block = borrow_block();
            block.reserve(self.buffer.len() + ROOM);
            block.extend_from_slice(&self.buffer);
            self.buffer = block;
            self.borrowed = true;
        } else {
            self.buffer.reserve(ROOM);
        }
    }

    /// Before the connection sleeps: holds on to no more memory than what is kept deserves.
    pub(crate) fn settle(&mut self) {
        if self.borrowed && self.buffer.len() < SMALL {
            let kept = BytesMut::from(&self.buffer[..]);
            return_block(std::mem::replace(&mut self.buffer, kept));
            self.borrowed = false;
        }
    }
}
