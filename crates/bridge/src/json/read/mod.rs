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
use smallvec::SmallVec;

use error::{Fault, Problem};
use ffi::Values;
use ffi::keys::{Link, ROOT};

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
    List,
    Dict,
}

/// A container that is open.
struct Frame {
    kind: Kind,
    /// Where its members begin on the value stack.
    start: usize,
    /// List: where the first key of an object inside is guessed. Dict: where the next key is guessed.
    link: Link,
}

/// What comes next in the text.
enum Step {
    Value,
    Member,
    Done,
}

/// One document on its way.
struct Reader<'a, 'py> {
    py: Python<'py>,
    text: &'a [u8],
    at: usize,
    values: Values<'py>,
    frames: SmallVec<[Frame; 16]>,
    /// Where the first key of an object that begins now is guessed.
    link: Link,
    scratch: Vec<u8>,
    next_offer: usize,
    options: Options,
}

/// The objects that `text` describes.
fn read<'py>(py: Python<'py>, text: &[u8], options: Options) -> Result<Bound<'py, PyAny>, Fault> {
    let mut reader = Reader {
        py,
        text,
        at: 0,
        values: Values::new(py),
        frames: SmallVec::new(),
        link: ROOT,
        scratch: Vec::new(),
        next_offer: OFFER_EVERY,
        options,
    };
    if text.starts_with(b"\xef\xbb\xbf") {
        return Err(Fault::new(0, Problem::ByteOrderMark));
    }
    let mut step = Step::Value;
    loop {
        step = match step {
            Step::Value => reader.value()?,
            Step::Member => reader.member()?,
            Step::Done => break,
        };
    }
    reader.skip_space();
    if reader.at < text.len() {
        return Err(Fault::new(reader.at, Problem::ExtraData));
    }
    // The loop ends when one value is left.
    Ok(reader.values.into_only())
}

impl Reader<'_, '_> {
    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[inline(always)]
    fn skip_space(&mut self) {
        // Most bytes that can follow a token are above the space.
        while let Some(byte) = self.peek() {
            if byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                break;
            }
            self.at += 1;
        }
    }

    /// A value, or the opening of a container.
    #[inline(always)]
    fn value(&mut self) -> Result<Step, Fault> {
        self.skip_space();
        match self.peek() {
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
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            self.values.push(ffi::empty_list(self.py)?);
            return Ok(Step::Member);
        }
        self.frames.push(Frame {
            kind: Kind::List,
            start: self.values.len(),
            link: self.link,
        });
        Ok(Step::Value)
    }

    #[inline(always)]
    fn open_dict(&mut self) -> Result<Step, Fault> {
        self.check_depth()?;
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            self.values.push(ffi::empty_dict(self.py)?);
            return Ok(Step::Member);
        }
        self.frames.push(Frame {
            kind: Kind::Dict,
            start: self.values.len(),
            link: self.link,
        });
        self.name(self.link)
    }

    fn check_depth(&self) -> Result<(), Fault> {
        if self.frames.len() < self.options.max_depth {
            return Ok(());
        }
        let limit = self.options.max_depth;
        Err(Fault::new(self.at, Problem::TooDeep(limit)))
    }

    /// A member's name and its colon, at the name.
    #[inline(always)]
    fn name(&mut self, guess: Link) -> Result<Step, Fault> {
        if self.peek() != Some(b'"') {
            return Err(Fault::new(self.at, Problem::PropertyName));
        }
        let next = self.key(guess)?;
        if let Some(frame) = self.frames.last_mut() {
            frame.link = next.after;
        }
        self.link = next.inside;
        if self.peek() != Some(b':') {
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(Fault::new(self.at, Problem::Colon));
            }
        }
        self.at += 1;
        Ok(Step::Value)
    }

    /// What follows a value: a comma and the next member, the end of containers, the end of the document.
    #[inline(always)]
    fn member(&mut self) -> Result<Step, Fault> {
        if self.at >= self.next_offer {
            self.offer();
        }
        let Some(frame) = self.frames.last() else {
            return Ok(Step::Done);
        };
        let (kind, start, link) = (frame.kind, frame.start, frame.link);
        self.skip_space();
        let close = if kind == Kind::List { b']' } else { b'}' };
        match self.peek() {
            Some(b',') => {
                let comma = self.at;
                self.at += 1;
                if kind == Kind::List {
                    self.link = link;
                    self.skip_space();
                    if self.peek() == Some(b']') {
                        return Err(Fault::new(self.at, Problem::CommaAtEnd("array", comma)));
                    }
                    return Ok(Step::Value);
                }
                self.skip_space();
                if self.peek() == Some(b'}') {
                    return Err(Fault::new(self.at, Problem::CommaAtEnd("object", comma)));
                }
                self.name(link)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                self.frames.pop();
                if kind == Kind::List {
                    self.values.make_list(start)?;
                } else {
                    self.values.make_dict(start)?;
                }
                Ok(Step::Member)
            }
            _ => Err(Fault::new(self.at, Problem::Comma)),
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

    #[cold]
    #[inline(never)]
    fn offer(&mut self) {
        pyloop::gil::offer(self.py);
        self.next_offer = self.at + OFFER_EVERY;
    }
}
