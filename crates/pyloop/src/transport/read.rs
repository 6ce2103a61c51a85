//! Reading: from the socket to the protocol. Knows nothing of the write buffer.

use std::cell::Cell;
use std::io;

use loopcore::Landing;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::feed;
use super::reads::Reads;
use super::receiver::{self, Receiver, Way};
use super::stream::{Me, Stream};
use super::tls::Tls;
use crate::ffi::{buffer, context, socket};

/// What one read asks for, as asyncio does.
const READ: usize = 256 * 1024;
/// After a read of this much the next one lands in a `bytes` of its own: from here on a copy costs more than that.
const LARGE: usize = 16 * 1024;
/// What such a `bytes` has room for: what the C library still takes from its heap, where cutting it to size moves nothing.
const ROOM: usize = 120 * 1024;
/// A turn reads at most so many times …
const TIMES: usize = 8;
/// … and stops after this many bytes, so that one busy peer does not keep the others waiting.
const BYTES: usize = READ;

thread_local! {
    /// Reads land here first: copying into an exact `bytes` is cheaper than allocating for the largest case and shrinking.
    static LANDING: Cell<Landing> = const { Cell::new(Landing::new()) };
}

impl Stream {
    /// Something happened: reads, then sends what was blocked, then what the protocol has written meanwhile.
    pub fn serve(&self, me: &Me<'_>, writable: bool) {
        let nested = self.serving.replace(true);
        if self.reads() {
            self.read(me);
        }
        if writable && self.blocked.get() {
            self.continue_sending(me);
        }
        self.serving.set(nested);
        if self.dirty.get() {
            self.flush_with_the_others(me);
        }
    }

    fn read(&self, me: &Me<'_>) {
        let py = me.py();
        let entered = self
            .read_context
            .borrow()
            .as_ref()
            .map(|context| context.clone_ref(py));
        let Some(entered) = entered else { return };
        if let Err(error) = context::run_in(entered.bind(py), || self.read_some(me)) {
            self.fatal_error(me, error, "Fatal read error on socket transport");
        }
    }

    fn read_some(&self, me: &Me<'_>) {
        let mut left = BYTES;
        let turn = self.read_turn.get();
        for _ in 0..TIMES {
            // A pause ends the turn even if the protocol has gone on by now: that is another turn, in another context.
            if !self.reads() || self.read_turn.get() != turn {
                return;
            }
            match self.read_once(me) {
                Some(count) => left = left.saturating_sub(count),
                None => return,
            }
            if left == 0 {
                break;
            }
        }
        self.queue_read(me.py());
    }

    fn read_once(&self, me: &Me<'_>) -> Option<usize> {
        let py = me.py();
        let receiver = self.receiver(py)?;
        let protocol = receiver.protocol().bind(py);
        match receiver.way() {
            Way::Plain => self.read_bytes(me, protocol),
            Way::Buffered => self.read_into(me, protocol),
            Way::Stream(reads) => self.read_stream(me, protocol, reads),
            Way::Tls(tls) => match tls.get().reads(py) {
                Ok(true) => self.read_tls(me, tls.get()),
                _ => self.read_into(me, protocol),
            },
        }
    }

    /// Reads into the landing, and has what came taken from there.
    fn read_with<T>(&self, me: &Me<'_>, take: impl FnOnce(&[u8]) -> T) -> Option<(usize, T)> {
        // Not borrowed: whatever `take` calls may come back here.
        let mut landing = LANDING.take();
        let room = landing.room(READ);
        let received = socket::receive(self.endpoint.fd(), room);
        let size = self.judge(me, received.as_ref().copied(), READ);
        let taken = size.map(|size| (size, take(room.get(..size).unwrap_or_default())));
        LANDING.set(landing);
        taken
    }

    fn read_bytes(&self, me: &Me<'_>, protocol: &Bound<'_, PyAny>) -> Option<usize> {
        let (size, data) = if self.large.get() {
            self.read_large(me)?
        } else {
            self.read_with(me, |data| PyBytes::new(me.py(), data))?
        };
        self.large.set(size >= LARGE);
        self.told(
            me,
            size,
            receiver::data_received(protocol, data),
            "Fatal error: protocol.data_received() call failed.",
        )
    }

    fn read_large<'py>(&self, me: &Me<'py>) -> Option<(usize, Bound<'py, PyBytes>)> {
        match buffer::receive_new(me.py(), self.endpoint.fd(), ROOM) {
            Ok((received, data)) => {
                let size = self.judge(me, received.as_ref().copied(), ROOM)?;
                Some((size, data))
            }
            Err(error) => {
                self.fatal_error(me, error, "Fatal read error on socket transport");
                None
            }
        }
    }

    fn read_stream(
        &self,
        me: &Me<'_>,
        protocol: &Bound<'_, PyAny>,
        reads: &Reads,
    ) -> Option<usize> {
        let (size, told) = self.read_with(me, |data| {
            if feed::feed(protocol, reads, data)? {
                return Ok(());
            }
            receiver::data_received(protocol, PyBytes::new(me.py(), data))
        })?;
        self.told(
            me,
            size,
            told,
            "Fatal error: protocol.data_received() call failed.",
        )
    }

    fn read_tls(&self, me: &Me<'_>, tls: &Tls) -> Option<usize> {
        let (size, told) = self.read_with(me, |data| tls.received(me.py(), data))?;
        self.told(
            me,
            size,
            told,
            "Fatal error: protocol.buffer_updated() call failed.",
        )
    }

    /// What follows a call of the protocol with `size` bytes; `None`: it ended the connection.
    fn told(&self, me: &Me<'_>, size: usize, told: PyResult<()>, message: &str) -> Option<usize> {
        match told {
            Ok(()) => Some(size),
            Err(error) => {
                self.fatal_error(me, error, message);
                None
            }
        }
    }

    fn read_into(&self, me: &Me<'_>, protocol: &Bound<'_, PyAny>) -> Option<usize> {
        let target = match receiver::get_buffer(protocol) {
            Ok(target) => target,
            Err(error) => {
                self.fatal_error(me, error, "Fatal error: protocol.get_buffer() call failed.");
                return None;
            }
        };
        let (received, offered) = match buffer::receive_into(self.endpoint.fd(), &target) {
            Ok(result) => result,
            Err(error) => {
                self.fatal_error(me, error, "Fatal read error on socket transport");
                return None;
            }
        };
        let count = self.judge(me, received.as_ref().copied(), offered)?;
        self.told(
            me,
            count,
            receiver::buffer_updated(protocol, count),
            "Fatal error: protocol.buffer_updated() call failed.",
        )
    }

    /// What a read's result says about the socket; `None`: there is nothing for the protocol.
    fn judge(
        &self,
        me: &Me<'_>,
        received: Result<usize, &io::Error>,
        offered: usize,
    ) -> Option<usize> {
        match received {
            Ok(0) => {
                self.end_of_stream(me);
                None
            }
            Ok(count) => {
                if count < offered && !self.readiness.ended.get() {
                    self.readiness.readable.set(false);
                }
                Some(count)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readiness.readable.set(false);
                None
            }
            Err(error) => {
                self.fatal_io_error(me, error, "Fatal read error on socket transport");
                None
            }
        }
    }

    fn end_of_stream(&self, me: &Me<'_>) {
        let py = me.py();
        self.debug_log(me, "%r received EOF");
        let Some(receiver) = self.receiver(py) else {
            return;
        };
        match receiver.eof_received(py) {
            // The protocol may write on, but there is nothing to hear any more.
            Ok(true) => self.stop_reading(me),
            Ok(false) => {
                if let Err(error) = self.close(me) {
                    self.core(py).report(
                        py,
                        error,
                        "Error on closing a transport",
                        &[("transport", me.as_any())],
                    );
                }
            }
            Err(error) => self.fatal_error(
                me,
                error,
                "Fatal error: protocol.eof_received() call failed.",
            ),
        }
    }

    /// Whether reads are wanted and possible now.
    pub fn reads(&self) -> bool {
        self.reading.get() && self.readiness.readable.get()
    }

    /// Reading begins: after `connection_made`, and after a pause.
    pub fn start_reading(&self, me: &Me<'_>) {
        self.reading.set(true);
        self.update_hold(me);
        if self.readiness.readable.get() {
            self.queue_read(me.py());
        }
    }

    /// Reading ends, for now or for good.
    pub fn stop_reading(&self, me: &Me<'_>) {
        self.reading.set(false);
        self.read_turn.set(self.read_turn.get().wrapping_add(1));
        self.update_hold(me);
    }

    fn queue_read(&self, py: Python<'_>) {
        if let Some(watch) = self.watch()
            && !self.readiness.queued.replace(true)
        {
            self.core(py).push_native(watch);
        }
    }

    /// `transport.set_protocol(protocol)`
    pub fn set_protocol(&self, protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        let receiver = Receiver::new(protocol)?;
        drop(self.receiver.replace(Some(receiver)));
        Ok(())
    }

    /// `transport.pause_reading()`
    pub fn pause_reading(&self, me: &Me<'_>) {
        if !self.is_reading() {
            return;
        }
        self.paused.set(true);
        self.stop_reading(me);
        self.debug_log(me, "%r pauses reading");
    }

    /// `transport.resume_reading()`
    pub fn resume_reading(&self, me: &Me<'_>) -> PyResult<()> {
        if self.closing.get() || !self.paused.get() {
            return Ok(());
        }
        if self.context.is_none() {
            let context = context::copy_current(me.py())?;
            drop(self.read_context.replace(Some(context)));
        }
        self.paused.set(false);
        self.start_reading(me);
        self.debug_log(me, "%r resumes reading");
        Ok(())
    }
}
