//! The head of one frame: read as the client wrote it and checked, or written for the client. Knows no message.

use crate::error::Violation;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xa,
}

impl Opcode {
    fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            _ => return None,
        })
    }

    pub(super) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// The longest payload of a control frame.
pub(super) const CONTROL_LIMIT: usize = 125;

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV23: u8 = 0x30;
const MASKED: u8 = 0x80;

/// What stands before a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) fin: bool,
    /// RSV1: the message is compressed (RFC 7692).
    pub(super) compressed: bool,
    pub(super) opcode: Opcode,
    pub(super) length: u64,
    pub(super) mask: [u8; 4],
}

/// Reads a client's frame head and says how many bytes it has; `None` while it is incomplete. What the first bytes
/// forbid is found before the others have come.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, Violation> {
    let Some(&first) = bytes.first() else {
        return Ok(None);
    };
    if first & RSV23 != 0 {
        return Err(Violation::protocol("reserved bits are set"));
    }
    let opcode = Opcode::from_bits(first & 0xf).ok_or(Violation::protocol("unknown opcode"))?;
    let (fin, compressed) = (first & FIN != 0, first & RSV1 != 0);
    if opcode.is_control() && !fin {
        return Err(Violation::protocol("a control frame is fragmented"));
    }
    let Some(&second) = bytes.get(1) else {
        return Ok(None);
    };
    if second & MASKED == 0 {
        return Err(Violation::protocol("a frame is not masked"));
    }
    let short = second & !MASKED;
    if opcode.is_control() && usize::from(short) > CONTROL_LIMIT {
        return Err(Violation::protocol("a control frame is too long"));
    }
    let Some((length, at)) = length(short, &bytes[2..])? else {
        return Ok(None);
    };
    let at = 2 + at;
    let Some(&[a, b, c, d]) = bytes.get(at..at + 4) else {
        return Ok(None);
    };
    let head = Head {
        fin,
        compressed,
        opcode,
        length,
        mask: [a, b, c, d],
    };
    Ok(Some((head, at + 4)))
}

/// The payload's length, and how many bytes of `rest` say it. It has to be written as shortly as it can be.
fn length(short: u8, rest: &[u8]) -> Result<Option<(u64, usize)>, Violation> {
    let (length, least, size) = match short {
        126 => match rest {
            [a, b, ..] => (u64::from(u16::from_be_bytes([*a, *b])), 126, 2),
            _ => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(eight) => (u64::from_be_bytes(*eight), 1 << 16, 8),
            None => return Ok(None),
        },
        _ => return Ok(Some((u64::from(short), 0))),
    };
    if length < least {
        return Err(Violation::protocol("a length is longer than it need be"));
    }
    if length >> 63 != 0 {
        return Err(Violation::protocol("a length has its highest bit set"));
    }
    Ok(Some((length, size)))
}

/// Appends the head of an unmasked, unfragmented frame.
pub(super) fn write(out: &mut Vec<u8>, opcode: Opcode, compressed: bool, length: usize) {
    out.push(FIN | if compressed { RSV1 } else { 0 } | opcode as u8);
    if let Ok(short @ 0..126) = u8::try_from(length) {
        out.push(short);
    } else if let Ok(middle) = u16::try_from(length) {
        out.push(126);
        out.extend_from_slice(&middle.to_be_bytes());
    } else {
        out.push(127);
        out.extend_from_slice(&(length as u64).to_be_bytes());
    }
}
