//! Bytes on their way to a socket: small ones are copied together, large ones kept by reference, those of a file left to
//! the kernel. Knows no HTTP.

use super::file::{FileRange, Sink};
use bytes::Bytes;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

/// From this length on a chunk is queued by reference instead of copied.
pub(crate) const BY_REFERENCE: usize = 16 * 1024;

/// Slices handed to one vectored write.
const SLICES: usize = 16;

/// An idle connection keeps no more than this of its buffer.
const KEPT_CAPACITY: usize = 4 * 1024;

/// What one flush may take out of files before other connections have their turn.
const FILES_PER_TURN: usize = 1024 * 1024;

/// Something too large to be copied.
enum Part {
    Bytes(Bytes),
    File(FileRange),
}

impl Part {
    fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::File(file) => file.length,
        }
    }
}

/// What one connection still has to send, in order: first `queue`, then `tail`.
#[derive(Default)]
pub(crate) struct Output {
    queue: VecDeque<Part>,
    tail: Vec<u8>,
    /// How much of the front (of `queue`, or of `tail` where the queue is empty) has been sent.
    sent: usize,
    queued: usize,
}

impl Output {
    /// Bytes not sent yet.
    pub(crate) fn len(&self) -> usize {
        self.queued + self.tail.len() - self.sent
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where small things are appended.
    pub(crate) fn tail(&mut self) -> &mut Vec<u8> {
        &mut self.tail
    }

    /// Queues a chunk, by reference where it is large.
    pub(crate) fn push(&mut self, chunk: Bytes) {
        if chunk.len() < BY_REFERENCE {
            self.tail.extend_from_slice(&chunk);
            return;
        }
        self.enqueue(Part::Bytes(chunk));
    }

    /// Queues a part of a file, which is not read before its turn comes.
    pub(crate) fn push_file(&mut self, file: FileRange) {
        if file.length > 0 {
            self.enqueue(Part::File(file));
        }
    }

    fn enqueue(&mut self, part: Part) {
        if !self.tail.is_empty() {
            let before = Bytes::from(std::mem::take(&mut self.tail));
            self.queued += before.len();
            self.queue.push_back(Part::Bytes(before));
        }
        self.queued += part.len();
        self.queue.push_back(part);
    }

    /// Writes until everything is sent or the socket is full; `Ok` says whether anything was taken.
    pub(crate) fn flush<S: Sink>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> io::Result<Flushed> {
        let mut progress = false;
        let mut left = FILES_PER_TURN;
        while !self.is_empty() {
            let is_file = matches!(self.queue.front(), Some(Part::File(_)));
            if is_file && left == 0 {
                cx.waker().wake_by_ref();
                break;
            }
            match self.poll_write(stream, cx) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => {
                    progress = true;
                    if is_file {
                        left = left.saturating_sub(count);
                    }
                    self.consume(count);
                }
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => break,
            }
        }
        // Where the stream seals, the last bytes may still wait there.
        let empty = self.is_empty()
            && match Pin::new(stream).poll_flush(cx) {
                Poll::Ready(flushed) => flushed.map(|()| true)?,
                Poll::Pending => false,
            };
        Ok(Flushed { progress, empty })
    }

    /// Takes at most `room` bytes off the front, those of a file out of it. Nothing where it is empty.
    pub(crate) fn take(&mut self, room: usize) -> io::Result<Bytes> {
        let taken = match self.queue.front() {
            None if self.sent == 0 && self.tail.len() <= room => {
                return Ok(Bytes::from(std::mem::take(&mut self.tail)));
            }
            None => {
                let end = self.tail.len().min(self.sent + room);
                Bytes::copy_from_slice(&self.tail[self.sent..end])
            }
            Some(Part::Bytes(bytes)) => bytes.slice(self.sent..bytes.len().min(self.sent + room)),
            Some(Part::File(file)) => file.after(self.sent).read(room)?,
        };
        self.consume(taken.len());
        Ok(taken)
    }

    fn poll_write<S: Sink>(&self, stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match self.queue.front() {
            None => return Pin::new(stream).poll_write(cx, &self.tail[self.sent..]),
            Some(Part::File(file)) => return stream.poll_send_file(cx, &file.after(self.sent)),
            Some(Part::Bytes(_)) => {}
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut count = 0;
        let mut skip = self.sent;
        let bytes = self.queue.iter().map_while(|part| match part {
            Part::Bytes(bytes) => Some(&bytes[..]),
            Part::File(_) => None,
        });
        let is_last = !self.queue.iter().any(|part| matches!(part, Part::File(_)));
        let tail = is_last.then_some(&self.tail[..]);
        for part in bytes.chain(tail).take(SLICES) {
            slices[count] = IoSlice::new(&part[skip..]);
            skip = 0;
            count += 1;
        }
        Pin::new(stream).poll_write_vectored(cx, &slices[..count])
    }

    fn consume(&mut self, mut count: usize) {
        while let Some(front) = self.queue.front() {
            let left = front.len() - self.sent;
            if count < left {
                self.sent += count;
                return;
            }
            count -= left;
            self.queued -= front.len();
            self.sent = 0;
            self.queue.pop_front();
        }
        self.sent += count;
        if self.sent == self.tail.len() {
            self.sent = 0;
            self.tail.clear();
            if self.tail.capacity() > KEPT_CAPACITY {
                self.tail = Vec::new();
            }
        }
    }
}

/// What a [`Output::flush`] came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flushed {
    /// The socket took something.
    pub(crate) progress: bool,
    /// Nothing is left to send.
    pub(crate) empty: bool,
}

#[cfg(test)]
mod tests {
    use super::super::file::{FileRange, Sink};
    use super::{BY_REFERENCE, Output};
    use bytes::Bytes;
    use std::io::{self, IoSlice};
    use std::pin::Pin;
    use std::rc::Rc;
    use std::task::{Context, Poll, Waker};
    use tokio::io::AsyncWrite;

    /// Takes `step` bytes a call, and nothing any more once `room` is used up.
    struct Narrow {
        taken: Vec<u8>,
        step: usize,
        room: usize,
    }

    impl AsyncWrite for Narrow {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            data: &[u8],
        ) -> Poll<io::Result<usize>> {
            let count = data.len().min(self.step).min(self.room);
            if count == 0 {
                return Poll::Pending;
            }
            self.room -= count;
            self.taken.extend_from_slice(&data[..count]);
            Poll::Ready(Ok(count))
        }

        fn poll_write_vectored(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            slices: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let all = slices.iter().flat_map(|slice| slice.iter().copied());
            let some: Vec<u8> = all.take(self.step).collect();
            self.poll_write(cx, &some)
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    impl Sink for Narrow {}

    #[test]
    fn a_file_keeps_its_place_and_is_read_where_it_was_asked_for() {
        let path = std::env::temp_dir().join(format!("data_bridge-{}", std::process::id()));
        let content: Vec<u8> = (0..100_000u32).map(|n| n.to_le_bytes()[0]).collect();
        std::fs::write(&path, &content).unwrap();
        let file = Rc::new(std::fs::File::open(&path).unwrap());
        std::fs::remove_file(&path).unwrap();
        let range = |offset, length| FileRange {
            file: Rc::clone(&file),
            offset,
            length,
        };
        for step in [7, 5000, 1 << 20] {
            let mut output = Output::default();
            output.tail().extend_from_slice(b"before");
            output.push_file(range(10, 90_000));
            output.push(Bytes::from(vec![b'x'; BY_REFERENCE]));
            output.push_file(range(5, 0));
            output.tail().extend_from_slice(b"after");
            output.push_file(range(99_999, 1));
            let mut expected = [b"before", &content[10..90_010]].concat();
            expected.extend_from_slice(&[b'x'; BY_REFERENCE]);
            expected.extend_from_slice(b"after");
            expected.push(content[99_999]);
            assert_eq!(output.len(), expected.len());
            let mut socket = Narrow {
                taken: Vec::new(),
                step,
                room: usize::MAX,
            };
            let cx = &mut Context::from_waker(Waker::noop());
            while !output.flush(&mut socket, cx).unwrap().empty {}
            assert!(socket.taken == expected);
            output.push_file(range(99_999, 2));
            assert!(
                output.flush(&mut socket, cx).is_err(),
                "it has become shorter"
            );
        }
    }

    #[test]
    fn order_and_bytes_survive_any_split() {
        for step in [1, 7, BY_REFERENCE - 1, BY_REFERENCE + 3, 1 << 20] {
            let mut output = Output::default();
            let mut expected = Vec::new();
            for n in 0..40usize {
                let chunk =
                    vec![u8::try_from(n).unwrap(); if n % 3 == 0 { BY_REFERENCE } else { 9 }];
                expected.extend_from_slice(&chunk);
                output.push(Bytes::from(chunk));
            }
            assert_eq!(output.len(), expected.len());
            let mut socket = Narrow {
                taken: Vec::new(),
                step,
                room: expected.len() / 2,
            };
            let cx = &mut Context::from_waker(Waker::noop());
            let half = output.flush(&mut socket, cx).unwrap();
            assert!(half.progress && !half.empty);
            assert_eq!(output.len(), expected.len() - expected.len() / 2);
            socket.room = usize::MAX;
            assert!(output.flush(&mut socket, cx).unwrap().empty);
            assert!(socket.taken == expected && output.is_empty());
        }
    }
}
