//! Where a part's data ends: the line with the boundary, found in pieces of any size. Knows no part.

use std::ops::Range;

use memchr::memmem::Finder;

use super::Refusal;

/// What follows a delimiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Follows {
    /// Another part.
    Part,
    /// Nothing that counts.
    Nothing,
}

/// Looks for the delimiter. What looks like its beginning at the end of a piece is held back, as a number: its bytes are
/// the delimiter's own.
pub(super) struct Delimiter {
    finder: Finder<'static>,
    held: Held,
}

/// How much of a delimiter has been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// This many of its bytes; none when nothing is held.
    Bytes(usize),
    /// All of them, and a carriage return.
    Return,
    /// All of them, and a hyphen.
    Hyphen,
    /// All of them and white space: it is one, whatever else may follow.
    Padding,
    /// The same, and a carriage return.
    PaddingReturn,
}

/// One step through a piece.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// What was held back was data.
    Data(Vec<u8>),
    /// A range of the piece is data, and the piece is used up.
    Rest(Range<usize>),
    /// A range of the piece is data; there a delimiter ends the part. The next byte to read is named.
    End(Range<usize>, Follows, usize),
}

/// What a byte makes of a held delimiter.
enum Turn {
    Held(Held),
    End(Follows),
    Data,
}

impl Delimiter {
    pub(super) fn new(boundary: &[u8]) -> Self {
        let delimiter = [b"\r\n--", boundary].concat();
        Self {
            finder: Finder::new(&delimiter).into_owned(),
            held: Held::Bytes(0),
        }
    }

    /// The delimiter without its line break, as a form begins with it.
    pub(super) fn opening(&self) -> &[u8] {
        &self.finder.needle()[2..]
    }

    /// Looks on in `piece` from `at`.
    pub(super) fn find(&mut self, piece: &[u8], at: usize) -> Result<Found, Refusal> {
        if self.held == Held::Bytes(0) {
            return self.search(piece, at);
        }
        let before = self.held;
        let (turn, next) = self.follow(before, piece, at)?;
        Ok(match turn {
            Turn::Held(held) => {
                self.held = held;
                Found::Rest(at..at)
            }
            Turn::End(follows) => {
                self.held = Held::Bytes(0);
                Found::End(at..at, follows, next)
            }
            Turn::Data => {
                self.held = Held::Bytes(0);
                // The bytes of this piece that matched for a while are still in it.
                Found::Data(self.bytes_of(before))
            }
        })
    }

    fn search(&mut self, piece: &[u8], start: usize) -> Result<Found, Refusal> {
        let whole = self.finder.needle().len();
        let mut from = start;
        while let Some(offset) = self.finder.find(&piece[from..]) {
            let found = from + offset;
            let (turn, next) = self.follow(Held::Bytes(whole), piece, found + whole)?;
            match turn {
                Turn::Held(held) => {
                    self.held = held;
                    return Ok(Found::Rest(start..found));
                }
                Turn::End(follows) => return Ok(Found::End(start..found, follows, next)),
                Turn::Data => from = next,
            }
        }
        let end = self
            .beginning(&piece[from..])
            .map_or(piece.len(), |at| from + at);
        self.held = Held::Bytes(piece.len() - end);
        Ok(Found::Rest(start..end))
    }

    /// Where the end of the data could be the beginning of a delimiter. Its carriage return is the only one in it.
    fn beginning(&self, data: &[u8]) -> Option<usize> {
        let needle = self.finder.needle();
        let tail = data.len().saturating_sub(needle.len() - 1);
        let at = tail + memchr::memrchr(b'\r', &data[tail..])?;
        needle.starts_with(&data[at..]).then_some(at)
    }

    /// Steps until it is clear what is held; the byte that made it clear is used up unless it is data.
    fn follow(&self, held: Held, piece: &[u8], at: usize) -> Result<(Turn, usize), Refusal> {
        let mut held = held;
        for (next, byte) in piece.iter().enumerate().skip(at) {
            match self.step(held, *byte)? {
                Turn::Held(more) => held = more,
                Turn::End(follows) => return Ok((Turn::End(follows), next + 1)),
                Turn::Data => return Ok((Turn::Data, next)),
            }
        }
        Ok((Turn::Held(held), piece.len()))
    }

    fn step(&self, held: Held, byte: u8) -> Result<Turn, Refusal> {
        let needle = self.finder.needle();
        Ok(match (held, byte) {
            (Held::Bytes(count), byte) if count < needle.len() => {
                if needle[count] == byte {
                    Turn::Held(Held::Bytes(count + 1))
                } else {
                    Turn::Data
                }
            }
            (Held::Bytes(_), b'\r') => Turn::Held(Held::Return),
            (Held::Bytes(_), b'-') => Turn::Held(Held::Hyphen),
            (Held::Bytes(_) | Held::Padding, b' ' | b'\t') => Turn::Held(Held::Padding),
            (Held::Return | Held::PaddingReturn, b'\n') => Turn::End(Follows::Part),
            (Held::Hyphen, b'-') => Turn::End(Follows::Nothing),
            (Held::Padding, b'\r') => Turn::Held(Held::PaddingReturn),
            (Held::Padding | Held::PaddingReturn, _) => return Err(Refusal::Syntax),
            (Held::Bytes(_) | Held::Return | Held::Hyphen, _) => Turn::Data,
        })
    }

    fn bytes_of(&self, held: Held) -> Vec<u8> {
        let needle = self.finder.needle();
        match held {
            Held::Bytes(count) => needle[..count].to_vec(),
            Held::Return => [needle, b"\r"].concat(),
            Held::Hyphen => [needle, b"-"].concat(),
            // These never turn out to be data.
            Held::Padding | Held::PaddingReturn => Vec::new(),
        }
    }
}
