//! One WebSocket from its first frame to its last: bytes of the client become messages, messages become bytes for it.
//! Pings are answered and closes returned here; when to ping and how long to wait is the connection's.

use super::Options;
use super::deflate::{LEAST, Streams, TOO_LONG};
use super::frame::{self, CONTROL_LIMIT, Head, Opcode};
use super::handshake::Handshake;
use super::mask;
use super::utf8::Utf8;
use crate::error::Violation;
use bytes::{Bytes, BytesMut};

/// A whole frame in the input up to this length is copied out of it, so that it does not hold the block it came in.
const COPIED: usize = 8 * 1024;

/// What a message is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// Any bytes.
    Binary,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Text was checked: its data is UTF-8.
    pub kind: Kind,
    /// The payload.
    pub data: Bytes,
}

/// Why a WebSocket ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// RFC 6455, 7.4: 1005 stands for a close without a code, 1006 for an end without a close.
    pub code: u16,
    /// What the closing side said about it.
    pub reason: String,
}

impl Close {
    pub(crate) fn new(code: u16, reason: &str) -> Self {
        Self {
            code,
            reason: reason.to_owned(),
        }
    }
}

/// What the bytes of the client came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A message is complete.
    Message(Message),
    /// Both sides have closed, or the client did what it may not, and was told so.
    Closed(Close),
}

/// A message whose last frame has not come.
struct Assembly {
    kind: Kind,
    compressed: bool,
    fragments: u32,
    /// Bytes of its frames, as they were announced.
    wire: u64,
    data: Vec<u8>,
    utf8: Utf8,
}

/// The state of one WebSocket.
pub struct Session {
    max_message: usize,
    max_fragments: u32,
    /// The frame that is being read; its length is what is left of it.
    frame: Option<Head>,
    assembly: Option<Assembly>,
    /// The payload of a control frame so far.
    control: Vec<u8>,
    streams: Option<Streams>,
    /// What was compressed last.
    compressed: Vec<u8>,
    close_sent: bool,
    /// The client's close has come, or it lost the right to send more.
    ended: bool,
}

/// Whether there is more to do with the bytes at hand.
enum Step {
    Starved,
    Moved,
    Event(Event),
}

impl Session {
    /// After `handshake` was answered.
    pub fn new(options: &Options, handshake: &Handshake) -> Self {
        Self {
            max_message: options.max_message,
            max_fragments: options.max_fragments,
            frame: None,
            assembly: None,
            control: Vec::new(),
            streams: handshake.deflate.map(Streams::new),
            compressed: Vec::new(),
            close_sent: false,
            ended: false,
        }
    }

    /// Whether neither side has said that it closes.
    pub fn is_open(&self) -> bool {
        !self.close_sent && !self.ended
    }

    /// Whether nothing more is read from the client.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// Takes bytes off the front of `input` up to the next event, and appends to `out` what has to be said at once.
    pub fn read(&mut self, input: &mut BytesMut, out: &mut Vec<u8>) -> Option<Event> {
        loop {
            if self.ended {
                input.clear();
                return None;
            }
            match self.step(input, out) {
                Ok(Step::Moved) => {}
                Ok(Step::Starved) => return None,
                Ok(Step::Event(event)) => return Some(event),
                Err(violation) => return Some(self.fail(violation, out)),
            }
        }
    }

    /// Closes for something the client did, or did not do; nothing more is read.
    pub fn fail(&mut self, violation: Violation, out: &mut Vec<u8>) -> Event {
        self.close(violation.code, violation.reason, out);
        self.ended = true;
        Event::Closed(Close::new(violation.code, violation.reason))
    }

    fn step(&mut self, input: &mut BytesMut, out: &mut Vec<u8>) -> Result<Step, Violation> {
        let Some(head) = self.frame else {
            return self.begin_frame(input);
        };
        let length = usize::try_from(head.length)
            .unwrap_or(usize::MAX)
            .min(input.len());
        if length == 0 && head.length > 0 {
            return Ok(Step::Starved);
        }
        let left = head.length - length as u64;
        let mut payload = input.split_to(length);
        mask::apply(&mut payload, head.mask);
        if left > 0 {
            self.frame = Some(Head {
                length: left,
                mask: mask::advance(head.mask, length),
                ..head
            });
        } else {
            self.frame = None;
        }
        if head.opcode.is_control() {
            self.control.extend_from_slice(&payload);
            return Ok(if left > 0 {
                Step::Moved
            } else {
                self.end_control(head.opcode, out)?
            });
        }
        self.data(head, payload, left == 0)
    }

    fn begin_frame(&mut self, input: &mut BytesMut) -> Result<Step, Violation> {
        let Some((head, length)) = frame::parse(input)? else {
            return Ok(Step::Starved);
        };
        if head.compressed
            && (self.streams.is_none() || !matches!(head.opcode, Opcode::Text | Opcode::Binary))
        {
            return Err(Violation::protocol("reserved bits are set"));
        }
        let kind = match head.opcode {
            Opcode::Text => Some(Kind::Text),
            Opcode::Binary => Some(Kind::Binary),
            Opcode::Continuation => None,
            Opcode::Close | Opcode::Ping | Opcode::Pong => {
                drop(input.split_to(length));
                self.control.clear();
                self.frame = Some(head);
                return Ok(Step::Moved);
            }
        };
        self.begin_data(head, kind)?;
        drop(input.split_to(length));
        self.frame = Some(head);
        Ok(Step::Moved)
    }

    /// The first frame of a message, which is of a `kind`, or a further one.
    fn begin_data(&mut self, head: Head, kind: Option<Kind>) -> Result<(), Violation> {
        let assembly = match (kind, &mut self.assembly) {
            (Some(kind), assembly @ None) => assembly.insert(Assembly {
                kind,
                compressed: head.compressed,
                fragments: 0,
                wire: 0,
                data: Vec::new(),
                utf8: Utf8::default(),
            }),
            (None, Some(assembly)) => assembly,
            (Some(_), Some(_)) => {
                return Err(Violation::protocol("a message begins within a message"));
            }
            (None, None) => return Err(Violation::protocol("there is no message to continue")),
        };
        assembly.fragments += 1;
        assembly.wire = assembly.wire.saturating_add(head.length);
        if assembly.fragments > self.max_fragments {
            return Err(Violation::new(1008, "the message has too many fragments"));
        }
        if assembly.wire > self.max_message as u64 {
            return Err(TOO_LONG);
        }
        Ok(())
    }

    /// Some of a data frame, unmasked; `last` says that it is the end of the frame.
    fn data(&mut self, head: Head, payload: BytesMut, last: bool) -> Result<Step, Violation> {
        let Some(assembly) = &mut self.assembly else {
            return Ok(Step::Moved);
        };
        let ends = last && head.fin;
        let start = assembly.data.len();
        if assembly.compressed
            && let Some(streams) = &mut self.streams
        {
            streams.inflate(&payload, &mut assembly.data, self.max_message)?;
            if ends {
                streams.inflate_end(&mut assembly.data, self.max_message)?;
            }
            check(
                assembly.kind,
                &mut assembly.utf8,
                &assembly.data[start..],
                ends,
            )?;
        } else {
            check(assembly.kind, &mut assembly.utf8, &payload, ends)?;
            if ends && start == 0 && payload.len() > COPIED {
                let kind = assembly.kind;
                self.assembly = None;
                return Ok(self.deliver(kind, payload.freeze()));
            }
            assembly.data.extend_from_slice(&payload);
        }
        if !ends {
            return Ok(Step::Moved);
        }
        let (kind, data) = (assembly.kind, std::mem::take(&mut assembly.data));
        self.assembly = None;
        Ok(self.deliver(kind, data.into()))
    }

    /// A message that comes after our close is read and left.
    fn deliver(&self, kind: Kind, data: Bytes) -> Step {
        if self.close_sent {
            Step::Moved
        } else {
            Step::Event(Event::Message(Message { kind, data }))
        }
    }

    fn end_control(&mut self, opcode: Opcode, out: &mut Vec<u8>) -> Result<Step, Violation> {
        match opcode {
            Opcode::Ping if !self.close_sent => {
                frame::write(out, Opcode::Pong, false, self.control.len());
                out.extend_from_slice(&self.control);
            }
            Opcode::Close => {
                let close = parse_close(&self.control)?;
                if !std::mem::replace(&mut self.close_sent, true) {
                    frame::write(out, Opcode::Close, false, self.control.len());
                    out.extend_from_slice(&self.control);
                }
                self.ended = true;
                return Ok(Step::Event(Event::Closed(close)));
            }
            _ => {}
        }
        Ok(Step::Moved)
    }

    /// Appends the frame of a message, or as much of it as its head: then `payload` itself has to follow.
    /// Says whether it does. To be called while the session is open.
    #[must_use = "the payload may have to follow"]
    pub fn write(&mut self, kind: Kind, payload: &[u8], out: &mut Vec<u8>) -> bool {
        let opcode = match kind {
            Kind::Text => Opcode::Text,
            Kind::Binary => Opcode::Binary,
        };
        if let Some(streams) = self.streams.as_mut().filter(|_| payload.len() >= LEAST) {
            streams.deflate(payload, &mut self.compressed);
            frame::write(out, opcode, true, self.compressed.len());
            out.extend_from_slice(&self.compressed);
            if self.compressed.capacity() > COPIED {
                self.compressed = Vec::new();
            }
            return false;
        }
        frame::write(out, opcode, false, payload.len());
        true
    }

    /// Appends a ping without a payload.
    pub fn ping(&mut self, out: &mut Vec<u8>) {
        if self.is_open() {
            frame::write(out, Opcode::Ping, false, 0);
        }
    }

    /// Appends our close, unless it is out already. The code 1005 stands for none; `reason` is cut to what fits.
    pub fn close(&mut self, code: u16, reason: &str, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.close_sent, true) {
            return;
        }
        if code == NO_CODE {
            frame::write(out, Opcode::Close, false, 0);
            return;
        }
        let reason = shortened(reason);
        frame::write(out, Opcode::Close, false, 2 + reason.len());
        out.extend_from_slice(&code.to_be_bytes());
        out.extend_from_slice(reason.as_bytes());
    }
}

/// As much of a reason as fits, cut between two characters.
fn shortened(reason: &str) -> &str {
    let mut end = reason.len().min(REASON_LIMIT);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    &reason[..end]
}

/// The code that stands for none, and is never sent.
pub const NO_CODE: u16 = 1005;

/// The code that stands for an end without a close, and is never sent.
pub const ABNORMAL: u16 = 1006;

/// Bytes of the longest reason.
pub const REASON_LIMIT: usize = CONTROL_LIMIT - 2;

/// Whether a close may carry this code (RFC 6455, 7.4, and IANA's registry).
pub fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

fn check(kind: Kind, utf8: &mut Utf8, piece: &[u8], ends: bool) -> Result<(), Violation> {
    if kind == Kind::Binary || (utf8.feed(piece) && (!ends || utf8.is_complete())) {
        return Ok(());
    }
    Err(Violation::new(1007, "a text is not UTF-8"))
}

fn parse_close(payload: &[u8]) -> Result<Close, Violation> {
    let (code, reason) = match payload {
        [] => return Ok(Close::new(NO_CODE, "")),
        [_] => return Err(Violation::protocol("a close has half a code")),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
    };
    if !may_be_sent(code) {
        return Err(Violation::protocol("this close code may not be sent"));
    }
    let reason = std::str::from_utf8(reason)
        .map_err(|_| Violation::new(1007, "the reason of a close is not UTF-8"))?;
    Ok(Close::new(code, reason))
}

#[cfg(test)]
mod tests;
