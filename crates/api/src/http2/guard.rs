//! The bytes of an HTTP/2 connection on their way to h2: frames that cost the client nothing are counted, and the end of
//! patience is noted. Knows a frame's first nine bytes, and no more.

use crate::metrics::Meter;
use crate::stream::Stream;
use crate::timeouts::Millis;
use bytes::{Buf, Bytes};
use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The client's first bytes (RFC 9113, 3.4).
const PREFACE: usize = 24;

const FRAME_HEAD: usize = 9;

/// In how much time the budgets may be used up.
const PERIOD: Millis = 10_000;

/// A `WINDOW_UPDATE` for so many bytes of ours costs nothing.
const BYTES_PER_UPDATE: u64 = 256;

/// Another frame that costs nothing is earned by so many: clients that measure their link (gRPC's) ping as they receive.
const BYTES_PER_CONTROL: u64 = 16 * 1024;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// What the guard has seen, for the task of its connection.
#[derive(Default)]
pub(super) struct Seen {
    /// The time, as that task sees it.
    pub(super) now: Cell<Millis>,
    /// The client has used up its budget; nothing more is read from it.
    pub(super) excess: Cell<bool>,
    /// Part of a frame, or of a block of header fields, has come, and the client has the next move.
    pub(super) partial: Cell<bool>,
    /// The socket takes no more for now.
    pub(super) blocked: Cell<bool>,
    /// It took something since this was asked last.
    pub(super) progress: Cell<bool>,
    /// Who counts bytes.
    pub(super) meter: Option<Rc<Meter>>,
}

impl Seen {
    fn count(&self, counting: impl FnOnce(&Meter)) {
        if let Some(meter) = &self.meter {
            counting(meter);
        }
    }
}

/// A connection's stream as h2 gets to see it.
pub(super) struct Guard<'a> {
    stream: &'a mut Stream,
    /// What was read before it was known that this is HTTP/2.
    before: Bytes,
    frames: Frames,
    seen: Rc<Seen>,
}

impl<'a> Guard<'a> {
    pub(super) fn new(stream: &'a mut Stream, before: Bytes, budget: u32, seen: Rc<Seen>) -> Self {
        Self {
            stream,
            before,
            frames: Frames::new(budget),
            seen,
        }
    }

    /// Nothing that the client sends is looked at any more once it has sent too much.
    fn inspect(&mut self, bytes: &[u8]) -> bool {
        let fits = self.frames.scan(bytes, self.seen.now.get());
        self.seen.partial.set(self.frames.is_partial());
        self.seen.excess.set(!fits);
        fits
    }

    fn note<T>(&mut self, written: &Poll<io::Result<T>>, count: usize) {
        self.seen.blocked.set(written.is_pending());
        if count > 0 || self.stream.take_progress() {
            self.seen.progress.set(true);
        }
        self.frames.sent += count as u64;
        self.seen.count(|meter| meter.sent(count));
    }
}

/// Counts frames as their bytes pass.
struct Frames {
    preface: usize,
    head: [u8; FRAME_HEAD],
    /// Bytes of `head` that are there.
    known: usize,
    /// Bytes of the frame that are still to come.
    left: usize,
    /// The kind of that frame.
    kind: u8,
    /// A block of header fields is open.
    in_block: bool,
    budget: u32,
    since: Millis,
    control: u64,
    updates: u64,
    /// Bytes sent in this period.
    sent: u64,
}

impl Frames {
    fn new(budget: u32) -> Self {
        Self {
            preface: PREFACE,
            head: [0; FRAME_HEAD],
            known: 0,
            left: 0,
            kind: 0,
            in_block: false,
            budget,
            since: 0,
            control: 0,
            updates: 0,
            sent: 0,
        }
    }

    fn is_partial(&self) -> bool {
        let in_frame = self.known > 0 || (self.left > 0 && self.kind != DATA);
        self.preface > 0 || in_frame || self.in_block
    }

    /// Whether all is within the budget, these bytes included.
    fn scan(&mut self, mut bytes: &[u8], now: Millis) -> bool {
        if now.saturating_sub(self.since) >= PERIOD {
            (self.since, self.control, self.updates, self.sent) = (now, 0, 0, 0);
        }
        let skipped = self.preface.min(bytes.len());
        self.preface -= skipped;
        bytes.advance(skipped);
        while !bytes.is_empty() {
            let passed = self.left.min(bytes.len());
            self.left -= passed;
            bytes.advance(passed);
            let missing = (FRAME_HEAD - self.known).min(bytes.len());
            self.head[self.known..self.known + missing].copy_from_slice(&bytes[..missing]);
            self.known += missing;
            bytes.advance(missing);
            if self.known == FRAME_HEAD {
                self.known = 0;
                self.begin();
            }
        }
        let earned = |price| u64::from(self.budget) + self.sent / price;
        self.control <= earned(BYTES_PER_CONTROL) && self.updates <= earned(BYTES_PER_UPDATE)
    }

    /// A frame begins: its head is there.
    fn begin(&mut self) {
        let [high, middle, low, kind, flags, ..] = self.head;
        self.left = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        self.kind = kind;
        match kind {
            DATA if self.left > 0 || flags & END_STREAM != 0 => {}
            HEADERS => self.in_block = flags & END_HEADERS == 0,
            WINDOW_UPDATE => self.updates += 1,
            CONTINUATION => {
                self.in_block = flags & END_HEADERS == 0;
                self.control += 1;
            }
            _ => self.control += 1,
        }
    }
}

impl AsyncRead for Guard<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let guard = &mut *self;
        if guard.seen.excess.get() {
            // The task of the connection looks at this next, and needs no waker.
            return Poll::Pending;
        }
        let start = buf.filled().len();
        if guard.before.is_empty() {
            ready!(Pin::new(&mut *guard.stream).poll_read(cx, buf))?;
            let count = buf.filled().len() - start;
            guard.seen.count(|meter| meter.received(count));
        } else {
            let count = guard.before.len().min(buf.remaining());
            buf.put_slice(&guard.before.split_to(count));
        }
        if !guard.inspect(&buf.filled()[start..]) {
            buf.set_filled(start);
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Guard<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut *self.stream).poll_write(cx, buf);
        self.note(&written, taken(&written));
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut *self.stream).poll_write_vectored(cx, bufs);
        self.note(&written, taken(&written));
        written
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut *self.stream).poll_flush(cx);
        self.note(&flushed, 0);
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_shutdown(cx)
    }
}

fn taken(written: &Poll<io::Result<usize>>) -> usize {
    match written {
        Poll::Ready(Ok(count)) => *count,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{FRAME_HEAD, Frames, PERIOD, PREFACE};

    fn frame(kind: u8, flags: u8, length: u8) -> Vec<u8> {
        let mut bytes = vec![0, 0, length, kind, flags, 0, 0, 0, 1];
        bytes.resize(FRAME_HEAD + usize::from(length), 0);
        bytes
    }

    fn begun(budget: u32) -> Frames {
        let mut frames = Frames::new(budget);
        assert!(frames.scan(&[0; PREFACE], 0));
        frames
    }

    #[test]
    fn frames_are_counted_however_their_bytes_come() {
        let ping = frame(6, 0, 8);
        for step in 1..ping.len() {
            let mut frames = begun(2);
            let three = ping.repeat(3);
            let fits: Vec<bool> = three
                .chunks(step)
                .map(|part| frames.scan(part, 0))
                .collect();
            assert_eq!(fits.last(), Some(&false), "{step}");
            assert!(fits[0] || step > 2 * ping.len(), "{step}");
        }
    }

    #[test]
    fn what_is_a_request_or_data_is_not_counted() {
        let mut frames = begun(0);
        for (kind, flags, length) in [(1, 4, 10), (0, 0, 5), (0, 1, 0)] {
            assert!(frames.scan(&frame(kind, flags, length), 0), "{kind}");
        }
        assert!(!frames.scan(&frame(0, 0, 0), 0), "empty data");
    }

    #[test]
    fn a_budget_is_renewed_and_updates_are_earned() {
        let mut frames = begun(1);
        assert!(frames.scan(&frame(3, 0, 4), 0));
        assert!(!frames.scan(&frame(3, 0, 4), 1));
        assert!(frames.scan(&frame(3, 0, 4), PERIOD));
        frames.sent = 256;
        assert!(frames.scan(&frame(8, 0, 4).repeat(2), PERIOD));
        assert!(!frames.scan(&frame(8, 0, 4), PERIOD));
        frames.sent = 16 * 1024;
        assert!(frames.scan(&frame(6, 0, 8), PERIOD));
        assert!(!frames.scan(&frame(6, 0, 8), PERIOD));
    }

    #[test]
    fn half_a_frame_and_half_a_block_are_partial() {
        let mut frames = Frames::new(9);
        assert!(frames.is_partial(), "the preface is due");
        frames.scan(&[0; PREFACE], 0);
        assert!(!frames.is_partial());
        frames.scan(&frame(1, 0, 3), 0);
        assert!(frames.is_partial(), "the block is open");
        frames.scan(&frame(9, 4, 3), 0);
        assert!(!frames.is_partial());
        frames.scan(&frame(6, 0, 8)[..12], 0);
        assert!(frames.is_partial(), "a ping is half there");
    }
}
