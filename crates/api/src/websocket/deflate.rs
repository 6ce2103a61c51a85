//! permessage-deflate (RFC 7692): what is agreed on, and the two streams. Knows no frame.

use crate::error::Violation;
use crate::http1::token::{list, trim};
use std::fmt::Write as _;
use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Inflate, InflateFlush, Status, Strategy};

/// What we offer to keep of each direction: 4 KiB. Larger windows gain little on messages and cost every connection.
const WINDOW_BITS: u8 = 12;

/// The smallest window that zlib compresses raw data with.
const LEAST_OWN_BITS: u8 = 9;

/// Shorter messages leave as they are: compression would not make them shorter.
pub(super) const LEAST: usize = 32;

/// zlib's level and memory: 16 KiB of hash table beside the window.
const LEVEL: i32 = 5;
const MEMORY: i32 = 5;

/// What every compressed message ends with, and none is sent with.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// How much is inflated at a time.
const STEP: usize = 16 * 1024;

/// What both sides do, as the response says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Agreement {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: u8,
    /// Only a client that offered to can be told.
    client_max_window_bits: Option<u8>,
}

impl Agreement {
    /// The first of the client's offers that we can meet. `offers` are the values of `Sec-WebSocket-Extensions`.
    pub(super) fn reach<'a>(offers: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        offers.flat_map(list).find_map(Self::to)
    }

    fn to(offer: &[u8]) -> Option<Self> {
        let mut parts = offer.split(|byte| *byte == b';').map(trim);
        if !parts.next()?.eq_ignore_ascii_case(b"permessage-deflate") {
            return None;
        }
        let mut seen: [bool; 4] = [false; 4];
        let mut agreement = Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: WINDOW_BITS,
            client_max_window_bits: None,
        };
        for part in parts {
            let at = agreement.meet(part)?;
            if std::mem::replace(&mut seen[at], true) {
                return None;
            }
        }
        Some(agreement)
    }

    /// Meets one parameter of an offer and gives its number.
    fn meet(&mut self, part: &[u8]) -> Option<usize> {
        let (name, value) = match part.iter().position(|byte| *byte == b'=') {
            Some(at) => (trim(&part[..at]), Some(trim(&part[at + 1..]))),
            None => (part, None),
        };
        match (name, value) {
            (b"server_no_context_takeover", None) => {
                self.server_no_context_takeover = true;
                Some(0)
            }
            (b"client_no_context_takeover", None) => {
                self.client_no_context_takeover = true;
                Some(1)
            }
            (b"server_max_window_bits", Some(value)) => {
                let asked = bits(value).filter(|bits| *bits >= LEAST_OWN_BITS)?;
                self.server_max_window_bits = asked.min(WINDOW_BITS);
                Some(2)
            }
            (b"client_max_window_bits", value) => {
                let most = value.map_or(Some(15), bits)?;
                self.client_max_window_bits = Some(most.min(WINDOW_BITS));
                Some(3)
            }
            _ => None,
        }
    }

    /// The value of the response's `Sec-WebSocket-Extensions`.
    pub(super) fn answer(self) -> String {
        let mut text = String::from("permessage-deflate");
        if self.server_no_context_takeover {
            text.push_str("; server_no_context_takeover");
        }
        if self.client_no_context_takeover {
            text.push_str("; client_no_context_takeover");
        }
        // Writing to a String does not fail.
        let _ = write!(
            text,
            "; server_max_window_bits={}",
            self.server_max_window_bits
        );
        if let Some(bits) = self.client_max_window_bits {
            let _ = write!(text, "; client_max_window_bits={bits}");
        }
        text
    }
}

/// A window's size, which may stand in quotes.
fn bits(value: &[u8]) -> Option<u8> {
    let bare = value
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
        .unwrap_or(value);
    match bare {
        [digit @ b'8'..=b'9'] => Some(digit - b'0'),
        [b'1', digit @ b'0'..=b'5'] => Some(10 + digit - b'0'),
        _ => None,
    }
}

/// Both streams of one connection; each takes its memory when it is used first.
pub(super) struct Streams {
    agreement: Agreement,
    inflate: Option<Box<Inflate>>,
    deflate: Option<Box<Deflate>>,
}

impl Streams {
    pub(super) fn new(agreement: Agreement) -> Self {
        Self {
            agreement,
            inflate: None,
            deflate: None,
        }
    }

    /// Appends what `piece` of a message inflates to, so that `out` has no more than `limit` bytes.
    pub(super) fn inflate(
        &mut self,
        mut piece: &[u8],
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), Violation> {
        let bits = self.agreement.client_max_window_bits.unwrap_or(15);
        let stream = self
            .inflate
            .get_or_insert_with(|| Box::new(Inflate::new(false, bits)));
        loop {
            let start = out.len();
            // One byte more than allowed, so that too much shows.
            let room = STEP.min(limit + 1 - start);
            out.resize(start + room, 0);
            let (read, written) = (stream.total_in(), stream.total_out());
            let status = stream.decompress(piece, &mut out[start..], InflateFlush::SyncFlush);
            piece = &piece[advanced(read, stream.total_in())..];
            let written = advanced(written, stream.total_out());
            out.truncate(start + written);
            if out.len() > limit {
                return Err(TOO_LONG);
            }
            match status {
                Err(_) => return Err(Violation::new(1007, "broken compression")),
                // A final block, which RFC 7692 allows: another stream begins behind it.
                Ok(Status::StreamEnd) => {
                    **stream = Inflate::new(false, bits);
                    if piece.is_empty() {
                        return Ok(());
                    }
                }
                Ok(_) if written == room => {}
                Ok(_) if piece.is_empty() => return Ok(()),
                Ok(_) if written == 0 => {
                    return Err(Violation::new(1007, "broken compression"));
                }
                Ok(_) => {}
            }
        }
    }

    /// The message's last piece has been inflated.
    pub(super) fn inflate_end(&mut self, out: &mut Vec<u8>, limit: usize) -> Result<(), Violation> {
        self.inflate(&TAIL, out, limit)
    }

    /// Replaces the content of `out` by what `payload` deflates to.
    pub(super) fn deflate(&mut self, mut payload: &[u8], out: &mut Vec<u8>) {
        let bits = self.agreement.server_max_window_bits;
        let stream = self.deflate.get_or_insert_with(|| {
            Box::new(Deflate::new_with_config(DeflateConfig {
                level: LEVEL,
                window_bits: -i32::from(bits),
                mem_level: MEMORY,
                strategy: Strategy::Default,
                ..DeflateConfig::default()
            }))
        });
        out.clear();
        loop {
            let start = out.len();
            let room = (payload.len() / 2).max(256);
            out.resize(start + room, 0);
            let (read, written) = (stream.total_in(), stream.total_out());
            // What cannot go on makes no progress, which ends the loop.
            let _ = stream.compress(payload, &mut out[start..], DeflateFlush::SyncFlush);
            payload = &payload[advanced(read, stream.total_in())..];
            let written = advanced(written, stream.total_out());
            out.truncate(start + written);
            if written < room {
                break;
            }
        }
        out.truncate(out.len().saturating_sub(TAIL.len()));
        if self.agreement.server_no_context_takeover {
            stream.reset();
        }
    }
}

pub(super) const TOO_LONG: Violation = Violation::new(1009, "the message is too long");

fn advanced(before: u64, after: u64) -> usize {
    usize::try_from(after - before).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
