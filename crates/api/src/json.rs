//! JSON for native handlers: typed, and lazy. The one file that names the library behind it, so that it can be replaced.
//!
//! What the library leaves to its caller is checked here, before it sees the text: UTF-8, and a bound on the depth.

use bytes::Bytes;
use memchr::memchr2;
use serde::Serialize;
use serde::de::Deserialize;
use std::borrow::Cow;
use thiserror::Error;

/// How many arrays and objects may be inside each other.
pub const MAX_DEPTH: usize = 128;

/// Why a text is no JSON, or not what was asked for; or why a value cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JsonError {
    /// The text is no UTF-8.
    #[error("invalid UTF-8 at byte {0}")]
    Utf8(usize),
    /// More than [`MAX_DEPTH`] levels.
    #[error("more than {MAX_DEPTH} levels of nesting at byte {0}")]
    TooDeep(usize),
    /// Bad syntax, or a value of another type than the one that was asked for.
    #[error("{reason}: line {line} column {column}")]
    Invalid {
        /// What is wrong, in one line.
        reason: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in bytes.
        column: usize,
    },
    /// The value has no JSON form.
    #[error("the value cannot be written as JSON: {0}")]
    Unwritable(String),
}

/// One step on the way into a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// To the value of this key.
    Key(&'a str),
    /// To the item at this index.
    Index(usize),
}

/// The value that a whole document is.
///
/// Of equal keys a map takes the last; a struct refuses the second, as serde has it.
pub fn parse<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, JsonError> {
    sonic_rs::from_str(checked(text)?).map_err(|error| invalid(&error))
}

/// The document of a value: compact UTF-8. A float that is no number becomes `null`.
pub fn write<T: Serialize + ?Sized>(value: &T) -> Result<Bytes, JsonError> {
    let written = sonic_rs::to_vec(value);
    written
        .map(Bytes::from)
        .map_err(|error| JsonError::Unwritable(first_line(&error)))
}

/// The text of one value deep in a document, without reading the rest into values; `None` if it is not there.
///
/// What lies behind the value is not looked at, so that a fault there is not found.
pub fn get<'a>(text: &'a [u8], path: &[Step<'_>]) -> Result<Option<Cow<'a, str>>, JsonError> {
    let mut found = Cow::Borrowed(checked(text)?);
    if path.is_empty() {
        let whole: sonic_rs::LazyValue<'_> = parse(text)?;
        return Ok(Some(Cow::Owned(whole.as_raw_str().to_owned())));
    }
    for step in path {
        let next = match step {
            Step::Key(key) => part(&found, *key)?,
            Step::Index(index) => part(&found, *index)?,
        };
        let Some(range) = next else { return Ok(None) };
        found = match found {
            Cow::Borrowed(text) => Cow::Borrowed(&text[range]),
            Cow::Owned(text) => Cow::Owned(text[range].to_owned()),
        };
    }
    Ok(Some(found))
}

/// Where in `text` the value at `step` stands.
fn part(
    text: &str,
    step: impl sonic_rs::Index,
) -> Result<Option<std::ops::Range<usize>>, JsonError> {
    match sonic_rs::get(text, [step]) {
        Ok(value) => {
            let raw = value.as_raw_str();
            let start = raw.as_ptr().addr() - text.as_ptr().addr();
            Ok(Some(start..start + raw.len()))
        }
        Err(error) if error.is_not_found() || error.is_unmatched_type() => Ok(None),
        Err(error) => Err(invalid(&error)),
    }
}

fn checked(text: &[u8]) -> Result<&str, JsonError> {
    let text = std::str::from_utf8(text).map_err(|error| JsonError::Utf8(error.valid_up_to()))?;
    check_depth(text.as_bytes())?;
    Ok(text)
}

/// Counts brackets outside of strings, so that no document can exhaust the stack of whoever reads it.
fn check_depth(text: &[u8]) -> Result<(), JsonError> {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = text.get(at) {
        match byte {
            b'[' | b'{' if depth == MAX_DEPTH => return Err(JsonError::TooDeep(at)),
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => at = end_of_string(text, at + 1),
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// The offset of the closing quotation mark, or the text's end.
fn end_of_string(text: &[u8], mut at: usize) -> usize {
    while let Some(found) = text
        .get(at..)
        .and_then(|rest| memchr2(b'"', b'\\', rest))
    {
        at += found;
        if text[at] == b'"' {
            return at;
        }
        at += 2;
    }
    text.len()
}

fn invalid(error: &sonic_rs::Error) -> JsonError {
    JsonError::Invalid {
        reason: first_line(error),
        line: error.line(),
        column: error.column(),
    }
}

/// The library's messages go on with a drawing of the place; and their first line ends with where it is.
fn first_line(error: &sonic_rs::Error) -> String {
    let whole = error.to_string();
    let line = whole.lines().next().unwrap_or_default();
    line.split(" at line ").next().unwrap_or(line).to_owned()
}
