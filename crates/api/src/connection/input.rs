//! Bytes that came from a socket and were not parsed yet. Knows no HTTP.
//!
//! Reading goes into large blocks that a thread's connections lend each other: a connection that has parsed all it
//! read gives its block back, one that keeps a little of a head keeps a copy of that little. A body is never copied: its
//! parts are parts of the block.

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

    /// Before the connection sleeps: holds on to no more memory than what is kept deserves. What is `wanted` (the body of a
    /// request at work) will be taken soon: it stays where it was read, others read behind it.
    pub(crate) fn settle(&mut self, wanted: bool) {
        if self.borrowed && self.buffer.len() < SMALL {
            let kept = if wanted {
                self.buffer.split()
            } else {
                BytesMut::from(&self.buffer[..])
            };
            return_block(std::mem::replace(&mut self.buffer, kept));
            self.borrowed = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Input;
    use crate::http1::body::{Decoded, Decoder};
    use crate::http1::head::HeadParser;
    use crate::limits::Limits;
    use bytes::Bytes;
    use std::io;
    use std::ops::Range;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};
    use tokio::io::{AsyncRead, ReadBuf};

    /// Gives `pieces`, one a read, and notes where in memory each was read to.
    struct Socket {
        pieces: Vec<Vec<u8>>,
        places: Vec<Range<usize>>,
    }

    impl AsyncRead for Socket {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let mut piece = self.pieces.remove(0);
            let rest = piece.split_off(piece.len().min(buffer.remaining()));
            if !rest.is_empty() {
                self.pieces.insert(0, rest);
            }
            let start = buffer.initialize_unfilled().as_ptr().addr();
            self.places.push(start..start + piece.len());
            buffer.put_slice(&piece);
            Poll::Ready(Ok(()))
        }
    }

    /// The body's parts as their taker gets them, and how many of their bytes are not where the socket put them.
    fn take(head: &str, body: Vec<Vec<u8>>) -> (Vec<Bytes>, usize) {
        let mut socket = Socket {
            pieces: [vec![head.as_bytes().to_vec()], body].concat(),
            places: Vec::new(),
        };
        let (mut input, mut heads, mut decoder) = (Input::default(), HeadParser::default(), None);
        let (limits, cx) = (Limits::default(), &mut Context::from_waker(Waker::noop()));
        let mut parts = Vec::new();
        loop {
            assert!(input.poll_fill(&mut socket, cx).is_ready());
            if decoder.is_none() {
                let head = heads.parse(input.buffer(), &limits).unwrap().unwrap();
                decoder = Some(Decoder::new(head.framing(), &limits));
            }
            // The connection sleeps before the handler runs.
            input.settle(true);
            loop {
                match decoder.as_mut().unwrap().decode(input.buffer()).unwrap() {
                    Decoded::Chunk(part) => parts.push(part),
                    Decoded::Incomplete => break,
                    Decoded::End => {
                        let copied = parts.iter().map(|part| copied(part, &socket.places)).sum();
                        return (parts, copied);
                    }
                }
            }
            input.settle(true);
        }
    }

    fn copied(part: &Bytes, places: &[Range<usize>]) -> usize {
        let start = part.as_ptr().addr();
        let inside = |place: &Range<usize>| place.start <= start && start + part.len() <= place.end;
        if places.iter().any(inside) {
            0
        } else {
            part.len()
        }
    }

    #[test]
    fn no_byte_of_a_body_is_copied_between_socket_and_handler() {
        for length in [1, 200, 10_000, 1_000_000] {
            let body: Vec<u8> = (0..length).map(|n: u32| n.to_le_bytes()[1]).collect();
            let head = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
            let (parts, copied) = take(&head, vec![body.clone()]);
            assert!(parts.concat() == body);
            assert_eq!(copied, 0, "of {length}");
        }
    }

    #[test]
    fn nor_of_a_chunk() {
        let head = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
        let chunks = b"5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n";
        let (parts, copied) = take(head, vec![chunks.to_vec()]);
        assert_eq!(parts.concat(), b"hello, world");
        assert_eq!(copied, 0);
        let (parts, copied) = take(head, vec![chunks[..6].to_vec(), chunks[6..].to_vec()]);
        assert_eq!(parts.concat(), b"hello, world");
        assert_eq!(copied, 0);
    }
}
