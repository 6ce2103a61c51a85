//! The header of a part: its fields, read in pieces of any size, within limits. Knows none of them by name.

use super::Refusal;
use crate::http1::token::is_token_byte;

/// Fields of one part.
const MOST_FIELDS: usize = 8;
/// Bytes of one field: name, colon, spaces and value.
const LONGEST_FIELD: usize = 4096 + 128;
/// Bytes of all fields of one part.
const LONGEST_HEADER: usize = 16 << 10;

/// Names, in lower case, and values.
pub type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// A header that is being read.
#[derive(Default)]
pub(super) struct Header {
    fields: Fields,
    at: At,
    /// Bytes of the field that is being read.
    size: usize,
    /// Bytes of all fields.
    total: usize,
}

/// What comes next.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum At {
    /// A field, or the empty line.
    #[default]
    Line,
    Name,
    /// White space, or the value.
    Space,
    Value,
    /// The line feed after a value.
    ValueEnd,
    /// The line feed of the empty line.
    HeaderEnd,
}

impl Header {
    /// Reads on in `piece` from `at`. Gives the fields and the place behind the header once it is complete.
    pub(super) fn read(
        &mut self,
        piece: &[u8],
        at: usize,
    ) -> Result<Option<(Fields, usize)>, Refusal> {
        let mut at = at;
        while let Some(&byte) = piece.get(at) {
            at += match (self.at, byte) {
                (At::Line, b'\r') => self.go(At::HeaderEnd),
                (At::HeaderEnd, b'\n') => {
                    return Ok(Some((std::mem::take(&mut self.fields), at + 1)));
                }
                (At::Line, _) => self.begin()?,
                (At::Name, b':') => self.end_name()?,
                (At::Name, _) => self.extend_name(&piece[at..])?,
                (At::Space, b' ') => self.count(1)?,
                (At::Space, _) => {
                    self.at = At::Value;
                    0
                }
                (At::Value, b'\r') => self.go(At::ValueEnd),
                (At::Value, _) => self.extend_value(&piece[at..])?,
                (At::ValueEnd, b'\n') => self.go(At::Line),
                (At::ValueEnd | At::HeaderEnd, _) => return Err(Refusal::Syntax),
            };
        }
        Ok(None)
    }

    /// One byte leads on.
    fn go(&mut self, at: At) -> usize {
        self.at = at;
        1
    }

    fn begin(&mut self) -> Result<usize, Refusal> {
        if self.fields.len() == MOST_FIELDS {
            return Err(Refusal::Syntax);
        }
        self.fields.push((Vec::new(), Vec::new()));
        self.size = 0;
        self.at = At::Name;
        Ok(0)
    }

    fn extend_name(&mut self, rest: &[u8]) -> Result<usize, Refusal> {
        let name = &rest[..memchr::memchr(b':', rest).unwrap_or(rest.len())];
        self.count(name.len())?;
        if !name.iter().all(|byte| is_token_byte(*byte)) {
            return Err(Refusal::Syntax);
        }
        if let Some((last, _)) = self.fields.last_mut() {
            last.extend(name.iter().map(u8::to_ascii_lowercase));
        }
        Ok(name.len())
    }

    fn end_name(&mut self) -> Result<usize, Refusal> {
        if self.fields.last().is_none_or(|(name, _)| name.is_empty()) {
            return Err(Refusal::Syntax);
        }
        self.at = At::Space;
        self.count(1)
    }

    fn extend_value(&mut self, rest: &[u8]) -> Result<usize, Refusal> {
        let value = &rest[..memchr::memchr(b'\r', rest).unwrap_or(rest.len())];
        self.count(value.len())?;
        if let Some((_, last)) = self.fields.last_mut() {
            last.extend_from_slice(value);
        }
        Ok(value.len())
    }

    fn count(&mut self, bytes: usize) -> Result<usize, Refusal> {
        self.size += bytes;
        self.total += bytes;
        if self.size > LONGEST_FIELD || self.total > LONGEST_HEADER {
            return Err(Refusal::Syntax);
        }
        Ok(bytes)
    }
}
