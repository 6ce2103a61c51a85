//! Bytes on their way to a socket: small ones are copied together, large ones kept by reference. Knows no HTTP.

use bytes::Bytes;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;

/// From this length on a chunk is queued by reference instead of copied.
pub(crate) const BY_REFERENCE: usize = 16 * 1024;

/// Slices handed to one vectored write.
const SLICES: usize = 16;

/// An idle connection keeps no more than this of its buffer.
const KEPT_CAPACITY: usize = 4 * 1024;

/// What one connection still has to send, in order: first `queue`, then `tail`.
#[derive(Default)]
pub(crate) struct Output {
    queue: VecDeque<Bytes>,
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
        if !self.tail.is_empty() {
            let before = Bytes::from(std::mem::take(&mut self.tail));
            self.queued += before.len();
            self.queue.push_back(before);
        }
        self.queued += chunk.len();
        self.queue.push_back(chunk);
    }

    /// Writes until everything is sent or the socket is full; `Ok` says whether anything was taken.
    pub(crate) fn flush<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> io::Result<Flushed> {
        let mut progress = false;
        while !self.is_empty() {
            match self.poll_write(stream, cx) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => {
                    progress = true;
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

    fn poll_write<S: AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let stream = Pin::new(stream);
        if self.queue.is_empty() {
            return stream.poll_write(cx, &self.tail[self.sent..]);
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut count = 0;
        let mut skip = self.sent;
        for part in self
            .queue
            .iter()
            .map(|chunk| &chunk[..])
            .chain([&self.tail[..]])
            .take(SLICES)
        {
            slices[count] = IoSlice::new(&part[skip..]);
            skip = 0;
            count += 1;
        }
        stream.poll_write_vectored(cx, &slices[..count])
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
    use super::{BY_REFERENCE, Output};
    use bytes::Bytes;
    use std::io::{self, IoSlice};
    use std::pin::Pin;
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
