//! multipart/form-data, as it arrives: fields as a whole, files in the pieces that they come in. Knows no file.

use std::ops::Range;

use super::delimiter::{Delimiter, Follows, Found};
use super::options::WithOptions;
use super::part::Header;
use super::{Limits, Refusal};

pub use super::part::Fields;

/// Longer boundaries are refused.
const LONGEST_BOUNDARY: usize = 256;

/// What a piece of a body brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// A part that is no file, complete.
    Field {
        /// Its name, as sent.
        name: Vec<u8>,
        /// Its value, as sent.
        value: Vec<u8>,
    },
    /// A file begins.
    File {
        /// The part's name, as sent.
        name: Vec<u8>,
        /// The file's name, as sent.
        filename: Vec<u8>,
        /// The part's fields.
        fields: Fields,
    },
    /// This range of the piece belongs to the file.
    Data(Range<usize>),
    /// Bytes of earlier pieces, held back until now, belong to the file.
    Held(Vec<u8>),
    /// The file is complete.
    FileEnd,
}

/// A form that is being read.
pub struct Multipart {
    limits: Limits,
    files: u32,
    fields: u32,
    delimiter: Delimiter,
    state: State,
}

enum State {
    /// Before anything: an empty line may come before the first boundary.
    Start,
    /// On the way to the first hyphen.
    Skipping,
    /// So many bytes of the first boundary were read.
    Opening(usize),
    /// The first boundary and this byte were read.
    Opened(u8),
    Header(Header),
    Data(Part),
    /// What follows the last boundary does not count.
    End,
}

/// The part that is being read.
enum Part {
    Field { name: Vec<u8>, value: Vec<u8> },
    File,
}

impl Multipart {
    /// A form whose parts are between lines with `boundary`.
    pub fn new(boundary: &[u8], limits: Limits) -> Result<Self, Refusal> {
        if boundary.len() > LONGEST_BOUNDARY {
            return Err(Refusal::Syntax);
        }
        Ok(Self {
            limits,
            files: 0,
            fields: 0,
            delimiter: Delimiter::new(boundary),
            state: State::Start,
        })
    }

    /// Reads the next piece of the body. After an error there is nothing more to ask.
    pub fn feed(&mut self, piece: &[u8], events: &mut Vec<Event>) -> Result<(), Refusal> {
        let mut at = 0;
        while at < piece.len() {
            at = self.step(piece, at, events)?;
        }
        Ok(())
    }

    fn step(&mut self, piece: &[u8], at: usize, events: &mut Vec<Event>) -> Result<usize, Refusal> {
        match &mut self.state {
            State::Start if matches!(piece[at], b'\r' | b'\n') => {
                self.state = State::Skipping;
                Ok(at)
            }
            State::Start => {
                self.state = State::Opening(0);
                Ok(at)
            }
            State::Skipping => {
                let Some(offset) = memchr::memchr(b'-', &piece[at..]) else {
                    return Ok(piece.len());
                };
                self.state = State::Opening(0);
                Ok(at + offset)
            }
            State::Opening(_) | State::Opened(_) => self.open(piece[at]).map(|()| at + 1),
            State::Header(header) => {
                let Some((fields, next)) = header.read(piece, at)? else {
                    return Ok(piece.len());
                };
                self.begin(fields, events)?;
                Ok(next)
            }
            State::Data(_) => self.read_data(piece, at, events),
            State::End => Ok(piece.len()),
        }
    }

    /// A byte of the first boundary, or behind it.
    fn open(&mut self, byte: u8) -> Result<(), Refusal> {
        let opening = self.delimiter.opening();
        self.state = match (&self.state, byte) {
            (State::Opening(count), byte) if *count < opening.len() => {
                if opening[*count] != byte {
                    return Err(Refusal::Syntax);
                }
                State::Opening(count + 1)
            }
            (State::Opening(_), b'\r' | b'-') => State::Opened(byte),
            (State::Opened(b'\r'), b'\n') => State::Header(Header::default()),
            (State::Opened(b'-'), b'-') => State::End,
            _ => return Err(Refusal::Syntax),
        };
        Ok(())
    }

    /// The header of a part is complete.
    fn begin(&mut self, fields: Fields, events: &mut Vec<Event>) -> Result<(), Refusal> {
        let disposition = fields
            .iter()
            .rev()
            .find(|(name, _)| name == b"content-disposition")
            .map(|(_, value)| WithOptions::parse(value))
            .ok_or(Refusal::Name)?;
        let name = disposition.get(b"name").ok_or(Refusal::Name)?.to_vec();
        let part = if let Some(filename) = disposition.get(b"filename") {
            self.files += 1;
            if f64::from(self.files) > self.limits.files {
                return Err(Refusal::Files);
            }
            let filename = filename.to_vec();
            events.push(Event::File {
                name,
                filename,
                fields,
            });
            Part::File
        } else {
            self.fields += 1;
            if f64::from(self.fields) > self.limits.fields {
                return Err(Refusal::Fields);
            }
            let value = Vec::new();
            Part::Field { name, value }
        };
        self.state = State::Data(part);
        Ok(())
    }

    fn read_data(
        &mut self,
        piece: &[u8],
        at: usize,
        events: &mut Vec<Event>,
    ) -> Result<usize, Refusal> {
        match self.delimiter.find(piece, at)? {
            Found::Data(held) => {
                self.add(&held, || Event::Held(held.clone()), events)?;
                Ok(at)
            }
            Found::Rest(data) => {
                self.add(&piece[data.clone()], || Event::Data(data.clone()), events)?;
                Ok(piece.len())
            }
            Found::End(data, follows, next) => {
                self.add(&piece[data.clone()], || Event::Data(data.clone()), events)?;
                let next_state = match follows {
                    Follows::Part => State::Header(Header::default()),
                    Follows::Nothing => State::End,
                };
                if let State::Data(part) = std::mem::replace(&mut self.state, next_state) {
                    events.push(match part {
                        Part::Field { name, value } => Event::Field { name, value },
                        Part::File => Event::FileEnd,
                    });
                }
                Ok(next)
            }
        }
    }

    /// Adds data to the part: to a field's value, or as an event to a file.
    fn add(
        &mut self,
        data: &[u8],
        event: impl FnOnce() -> Event,
        events: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        match &mut self.state {
            State::Data(Part::Field { value, .. }) => {
                if value.len() + data.len() > self.limits.field_size {
                    return Err(Refusal::FieldSize);
                }
                value.extend_from_slice(data);
            }
            _ if data.is_empty() => {}
            _ => events.push(event()),
        }
        Ok(())
    }
}
