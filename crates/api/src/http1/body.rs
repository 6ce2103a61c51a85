//! Takes a request's body off the bytes that follow its head: by length, or chunk by chunk (RFC 9112, 7.1).
//! Knows no head, and keeps no part of the body.

use super::chunk::parse_size_line;
use super::fields::Fields;
use super::framing::Framing;
use super::lines::Lines;
use super::target::hex;
use super::trailer::TrailerParser;
use crate::error::Refusal;
use crate::limits::Limits;
use bytes::{Buf, Bytes, BytesMut};

/// Leading zeros are allowed before a chunk's size, but not without end.
const SIZE_DIGITS: usize = 64;

const SIZE_LINE_TOO_LONG: Refusal = Refusal::bad_request("chunk size line too long");

/// What [`Decoder::decode`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// The next part of the body, never empty.
    Chunk(Bytes),
    /// More bytes are needed.
    Incomplete,
    /// The body is complete; what follows is another request's.
    End,
}

/// Takes one body apart.
#[derive(Debug)]
pub struct Decoder {
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// So many bytes are to come.
    Length(u64),
    Chunked(Box<Chunked>),
    /// Everything that comes; where it ends is said elsewhere.
    Stream,
}

/// A chunked body. Boxed, because most requests have none.
#[derive(Debug)]
struct Chunked {
    next: Next,
    lines: Lines,
    /// Bytes of extensions that may still come.
    extensions: usize,
    trailer: TrailerParser,
    trailers: Fields,
}

/// What stands at the front of the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Size,
    /// So many bytes of a chunk.
    Data(u64),
    /// The CRLF behind a chunk.
    DataEnd,
    Trailer,
    Nothing,
}

impl Decoder {
    /// For the body that the head announced.
    pub fn new(framing: Framing, limits: &Limits) -> Self {
        let stage = match framing {
            Framing::None => Stage::Length(0),
            Framing::Length(length) => Stage::Length(length),
            Framing::Chunked => Stage::Chunked(Box::new(Chunked {
                next: Next::Size,
                lines: Lines::default(),
                extensions: limits.chunk_extensions as usize,
                trailer: TrailerParser::new(limits),
                trailers: Fields::default(),
            })),
            Framing::Stream => Stage::Stream,
        };
        Self { stage }
    }

    /// Takes the next part of the body off the front of `buffer`.
    /// Between calls, bytes may only be added at the end. After a [`Refusal`] the end of the body cannot be found.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Decoded, Refusal> {
        match &mut self.stage {
            Stage::Length(0) => Ok(Decoded::End),
            Stage::Length(left) => {
                Ok(take(buffer, left).map_or(Decoded::Incomplete, Decoded::Chunk))
            }
            Stage::Chunked(chunked) => chunked.decode(buffer),
            Stage::Stream if buffer.is_empty() => Ok(Decoded::Incomplete),
            Stage::Stream => Ok(Decoded::Chunk(buffer.split().freeze())),
        }
    }

    /// Whether the whole body was taken.
    pub fn is_complete(&self) -> bool {
        match &self.stage {
            Stage::Length(left) => *left == 0,
            Stage::Chunked(chunked) => chunked.next == Next::Nothing,
            Stage::Stream => false,
        }
    }

    /// How many bytes are to come, where that is known.
    pub fn remaining(&self) -> Option<u64> {
        match &self.stage {
            Stage::Length(left) => Some(*left),
            Stage::Chunked(chunked) => (chunked.next == Next::Nothing).then_some(0),
            Stage::Stream => None,
        }
    }

    /// The fields behind a chunked body, once it is complete.
    pub fn trailers(&self) -> Option<&Fields> {
        match &self.stage {
            Stage::Length(_) | Stage::Stream => None,
            Stage::Chunked(chunked) => Some(&chunked.trailers).filter(|fields| !fields.is_empty()),
        }
    }
}

/// At most `left` bytes off the front of `buffer`, `None` where it is empty.
fn take(buffer: &mut BytesMut, left: &mut u64) -> Option<Bytes> {
    if buffer.is_empty() {
        return None;
    }
    let count = usize::try_from(*left).map_or(buffer.len(), |left| left.min(buffer.len()));
    *left -= count as u64;
    Some(buffer.split_to(count).freeze())
}

impl Chunked {
    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Decoded, Refusal> {
        loop {
            let proceed = match &mut self.next {
                Next::Size => self.decode_size(buffer)?,
                Next::Data(left) => {
                    let chunk = take(buffer, left);
                    if *left == 0 {
                        self.next = Next::DataEnd;
                    }
                    return Ok(chunk.map_or(Decoded::Incomplete, Decoded::Chunk));
                }
                Next::DataEnd => self.decode_data_end(buffer)?,
                Next::Trailer => match self.trailer.parse(buffer)? {
                    Some(trailers) => {
                        self.trailers = trailers;
                        self.next = Next::Nothing;
                        true
                    }
                    None => false,
                },
                Next::Nothing => return Ok(Decoded::End),
            };
            if !proceed {
                return Ok(Decoded::Incomplete);
            }
        }
    }

    fn decode_size(&mut self, buffer: &mut BytesMut) -> Result<bool, Refusal> {
        if buffer.first().is_some_and(|first| hex(*first).is_none()) {
            return Err(Refusal::bad_request("invalid chunk size"));
        }
        let limit = SIZE_DIGITS + self.extensions;
        let Some(length) = self.lines.next(buffer, limit, SIZE_LINE_TOO_LONG)? else {
            return Ok(false);
        };
        let (size, extensions) = parse_size_line(&buffer[..length])?;
        if length - extensions > SIZE_DIGITS {
            return Err(SIZE_LINE_TOO_LONG);
        }
        self.extensions = self
            .extensions
            .checked_sub(extensions)
            .ok_or(SIZE_LINE_TOO_LONG)?;
        buffer.advance(self.lines.consumed());
        self.lines = Lines::default();
        self.next = if size == 0 {
            Next::Trailer
        } else {
            Next::Data(size)
        };
        Ok(true)
    }

    fn decode_data_end(&mut self, buffer: &mut BytesMut) -> Result<bool, Refusal> {
        let present = buffer.len().min(2);
        if buffer[..present] != b"\r\n"[..present] {
            return Err(Refusal::bad_request("chunk is not followed by CRLF"));
        }
        if present < 2 {
            return Ok(false);
        }
        buffer.advance(2);
        self.next = Next::Size;
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
