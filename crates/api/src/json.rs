//! JSON for native handlers: typed, and lazy. The one file that names the library behind it, so that it can be replaced.
//!
//! What the library leaves to its caller is checked here, before it sees the text: UTF-8, and a bound on the depth.

use bytes::Bytes;
use memchr::memchr2;
use serde::Serialize;
use serde::de::Deserialize;
use sonic_rs::LazyValue;
use std::borrow::Cow;
use thiserror::Error;

/// How many arrays and objects may be inside each other, unless the caller says otherwise.
pub const MAX_DEPTH: usize = 128;

/// Why a text is no JSON, or not what was asked for; or why a value cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JsonError {
    /// The text is no UTF-8.
    #[error("invalid UTF-8 at byte {0}")]
    Utf8(usize),
    /// More levels of nesting than are allowed.
    #[error("more than {limit} levels of nesting at byte {at}")]
    TooDeep {
        /// Where the level begins that is too many, in bytes.
        at: usize,
        /// How many are allowed.
        limit: usize,
    },
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
    parse_within(text, MAX_DEPTH)
}

/// [`parse`] with a limit of its own for the depth. The library has one at 254 that cannot be lifted.
pub fn parse_within<'a, T: Deserialize<'a>>(
    text: &'a [u8],
    max_depth: usize,
) -> Result<T, JsonError> {
    let text = checked(text, max_depth)?;
    sonic_rs::from_str(text).map_err(|error| invalid(&error))
}

/// The document of a value: compact UTF-8. A float that is no number becomes `null`.
pub fn write<T: Serialize + ?Sized>(value: &T) -> Result<Bytes, JsonError> {
    let written = sonic_rs::to_vec(value);
    written
        .map(Bytes::from)
        .map_err(|error| JsonError::Unwritable(first_line(&error)))
}

/// The text of one value deep in a document, without making values of the rest; `None` if it is not there.
///
/// The syntax of the whole document is checked, and the last of equal keys counts: it is the value that [`parse`] would give.
pub fn get<'a>(text: &'a [u8], path: &[Step<'_>]) -> Result<Option<Cow<'a, str>>, JsonError> {
    let mut found: LazyValue<'a> = parse(text)?;
    for step in path {
        let next = match step {
            Step::Key(key) => member(found, key)?,
            Step::Index(index) => item(found, *index)?,
        };
        let Some(next) = next else { return Ok(None) };
        found = next;
    }
    Ok(Some(found.as_raw_cow()))
}

fn member<'a>(object: LazyValue<'a>, key: &str) -> Result<Option<LazyValue<'a>>, JsonError> {
    let mut last = None;
    for entry in object.into_object_iter().into_iter().flatten() {
        let (name, value) = entry.map_err(|error| invalid(&error))?;
        if name == key {
            last = Some(value);
        }
    }
    Ok(last)
}

fn item(array: LazyValue<'_>, index: usize) -> Result<Option<LazyValue<'_>>, JsonError> {
    let mut items = array.into_array_iter().into_iter().flatten();
    let found = items.nth(index).transpose();
    found.map_err(|error| invalid(&error))
}

fn checked(text: &[u8], max_depth: usize) -> Result<&str, JsonError> {
    let text = std::str::from_utf8(text).map_err(|error| JsonError::Utf8(error.valid_up_to()))?;
    check_depth(text.as_bytes(), max_depth)?;
    Ok(text)
}

/// Counts brackets outside of strings, so that no document can exhaust the stack of whoever reads it.
fn check_depth(text: &[u8], max_depth: usize) -> Result<(), JsonError> {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = text.get(at) {
        match byte {
            b'[' | b'{' if depth == max_depth => {
                return Err(JsonError::TooDeep {
                    at,
                    limit: max_depth,
                });
            }
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
    while let Some(found) = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
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
