//! `loads`: one pass from the text to Python objects, no tree between. Knows the grammar; what values are is its rooms'.
//!
//! The pass is a loop over explicit frames, so a document's depth costs no stack. A container is made when it is complete,
//! from the references that its members left on the value stack: nobody sees one that is half made.

#![expect(
    clippy::inline_always,
    reason = "the loop is one function on purpose: its parts are called once each, for every value"
)]

mod error;
mod escape;
mod ffi;
mod float;
mod number;
mod powers_of_five;
mod text;

use pyo3::prelude::*;

use error::{Fault, Problem};
use ffi::Values;
use ffi::keys::{Known, NOTHING, Place, ROOT};

pub use ffi::install;

/// What the caller may choose.
#[derive(Clone, Copy)]
struct Options {
    max_depth: usize,
    allow_nan: bool,
}

/// Other threads are offered the interpreter after this many bytes.
const OFFER_EVERY: usize = 64 << 10;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Around the outermost value.
    Document,
    List,
    Dict,
}

/// A container that is open.
#[derive(Clone, Copy)]
struct Frame {
    kind: Kind,
    /// Where its members begin on the value stack.
    start: usize,
    /// The key that it stands under.
    parent: Known,
    /// Of a dictionary: its latest key.
    latest: Known,
}

/// What comes next in the text.
enum Step {
    Value,
    Member,
    Done,
}

/// One document on its way.
///
/// Nothing takes a reference to the whole of it out of line, so that the compiler can keep its parts in registers.
struct Reader<'a, 'py> {
    py: Python<'py>,
    text: &'a [u8],
    at: usize,
    values: &'a mut Values<'py>,
    /// The containers around `frame`.
    frames: &'a mut Vec<Frame>,
    frame: Frame,
    /// The key that a container which begins now stands under.
    parent: Known,
    scratch: &'a mut Vec<u8>,
    next_offer: usize,
    options: Options,
}

/// The objects that `text` describes.
fn read<'py>(py: Python<'py>, text: &[u8], options: Options) -> Result<Bound<'py, PyAny>, Fault> {
    if text.starts_with(b"\xef\xbb\xbf") {
        return Err(Fault::new(0, Problem::ByteOrderMark));
    }
    let mut values = Values::new(py);
    let mut reader = Reader {
        py,
        text,
        at: 0,
        values: &mut values,
        frames: &mut Vec::new(),
        frame: Frame {
            kind: Kind::Document,
            start: 0,
            parent: ROOT,
            latest: NOTHING,
        },
        parent: ROOT,
        scratch: &mut Vec::new(),
        next_offer: OFFER_EVERY,
        options,
    };
    let mut step = Step::Value;
    loop {
        step = match step {
            Step::Value => reader.value()?,
            Step::Member => reader.member()?,
            Step::Done => break,
        };
    }
    if reader.at < text.len() {
        return Err(Fault::new(reader.at, Problem::ExtraData));
    }
    // The loop ends when one value is left.
    Ok(values.into_only())
}

impl Reader<'_, '_> {
    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// The next byte that is no space.
    #[inline(always)]
    fn peek_token(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        // What follows a token at once is above the space.
        if byte > b' ' {
            return Some(byte);
        }
        self.at = behind_space(self.text, self.at);
        self.peek()
    }

    /// A value, or the opening of a container.
    #[inline(always)]
    fn value(&mut self) -> Result<Step, Fault> {
        match self.peek_token() {
            Some(b'"') => {
                let string = self.string()?;
                self.values.push(string);
            }
            Some(b'{') => return self.open_dict(),
            Some(b'[') => return self.open_list(),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(_) => self.literal()?,
            None => return Err(Fault::new(self.at, Problem::Value)),
        }
        Ok(Step::Member)
    }

    #[inline(always)]
    fn open_list(&mut self) -> Result<Step, Fault> {
        self.check_depth()?;
        self.at += 1;
        if self.peek_token() == Some(b']') {
            self.at += 1;
            self.values.push(ffi::empty_list(self.py)?);
            return Ok(Step::Member);
        }
        self.open(Kind::List);
        Ok(Step::Value)
    }

    #[inline(always)]
    fn open_dict(&mut self) -> Result<Step, Fault> {
        self.check_depth()?;
        self.at += 1;
        if self.peek_token() == Some(b'}') {
            self.at += 1;
            self.values.push(ffi::empty_dict(self.py)?);
            return Ok(Step::Member);
        }
        self.open(Kind::Dict);
        self.name()
    }

    #[inline(always)]
    fn check_depth(&self) -> Result<(), Fault> {
        if self.frames.len() < self.options.max_depth {
            return Ok(());
        }
        let limit = self.options.max_depth;
        Err(Fault::new(self.at, Problem::TooDeep(limit)))
    }

    #[inline(always)]
    fn open(&mut self, kind: Kind) {
        self.frames.push(self.frame);
        self.frame = Frame {
            kind,
            start: self.values.len(),
            parent: self.parent,
            latest: NOTHING,
        };
    }

    /// A member's name and its colon, at the name.
    #[inline(always)]
    fn name(&mut self) -> Result<Step, Fault> {
        if self.peek() != Some(b'"') {
            return Err(Fault::new(self.at, Problem::PropertyName));
        }
        let key = self.key(Place::behind(self.frame.latest, self.frame.parent))?;
        self.frame.latest = key;
        self.parent = key;
        if self.peek_token() != Some(b':') {
            return Err(Fault::new(self.at, Problem::Colon));
        }
        self.at += 1;
        Ok(Step::Value)
    }

    /// What follows a value: a comma and the next member, the end of containers, the end of the document.
    #[inline(always)]
    fn member(&mut self) -> Result<Step, Fault> {
        if self.at >= self.next_offer {
            pyloop::gil::offer(self.py);
            self.next_offer = self.at + OFFER_EVERY;
        }
        let next = self.peek_token();
        match self.frame.kind {
            Kind::List => match next {
                Some(b',') => self.next_in_list(),
                Some(b']') => {
                    self.values.make_list(self.frame.start)?;
                    self.close();
                    Ok(Step::Member)
                }
                _ => Err(Fault::new(self.at, Problem::Comma)),
            },
            Kind::Dict => match next {
                Some(b',') => self.next_in_dict(),
                Some(b'}') => {
                    self.values.make_dict(self.frame.start)?;
                    self.close();
                    Ok(Step::Member)
                }
                _ => Err(Fault::new(self.at, Problem::Comma)),
            },
            Kind::Document => Ok(Step::Done),
        }
    }

    #[inline(always)]
    fn next_in_list(&mut self) -> Result<Step, Fault> {
        let comma = self.at;
        self.at += 1;
        self.parent = self.frame.parent;
        if self.peek_token() == Some(b']') {
            return Err(Fault::new(self.at, Problem::CommaAtEnd("array", comma)));
        }
        Ok(Step::Value)
    }

    #[inline(always)]
    fn next_in_dict(&mut self) -> Result<Step, Fault> {
        let comma = self.at;
        self.at += 1;
        if self.peek_token() == Some(b'}') {
            return Err(Fault::new(self.at, Problem::CommaAtEnd("object", comma)));
        }
        self.name()
    }

    /// Back to the container around the one that was just made.
    #[inline(always)]
    fn close(&mut self) {
        self.at += 1;
        if let Some(outer) = self.frames.pop() {
            self.frame = outer;
        }
    }

    #[inline(always)]
    fn literal(&mut self) -> Result<(), Fault> {
        let rest = &self.text[self.at..];
        let (length, object) = if rest.starts_with(b"true") {
            (4, ffi::boolean(self.py, true))
        } else if rest.starts_with(b"false") {
            (5, ffi::boolean(self.py, false))
        } else if rest.starts_with(b"null") {
            (4, ffi::none(self.py))
        } else if self.options.allow_nan && rest.starts_with(b"NaN") {
            (3, ffi::float(self.py, f64::NAN)?)
        } else if self.options.allow_nan && rest.starts_with(b"Infinity") {
            (8, ffi::float(self.py, f64::INFINITY)?)
        } else {
            return Err(Fault::new(self.at, Problem::Value));
        };
        self.at += length;
        self.values.push(object);
        Ok(())
    }
}

/// The offset of the next byte that is no space.
#[inline(never)]
fn behind_space(text: &[u8], at: usize) -> usize {
    let spaces = text[at..]
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
    at + spaces.count()
}
