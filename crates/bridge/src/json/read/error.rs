//! What is wrong with a document, and where: as `json.JSONDecodeError`, with the standard library's words and positions.

use std::borrow::Cow;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// A document that is refused, or an error of Python's own. One pointer wide, because every value could be one.
pub struct Fault(Box<Inner>);

struct Inner {
    /// The offset in bytes.
    at: usize,
    problem: Problem,
}

/// What is wrong.
pub enum Problem {
    Value,
    PropertyName,
    Colon,
    Comma,
    /// Of an array or object; the offset is where a member should be, the comma's own stands here.
    CommaAtEnd(&'static str, usize),
    ExtraData,
    Unterminated,
    Control,
    Escape,
    UnicodeEscape,
    LoneSurrogate,
    Utf8,
    ByteOrderMark,
    TooDeep(usize),
    OutOfRange,
    TooManyDigits(String),
    /// An error of the interpreter, not of the document.
    Python(PyErr),
}

impl Fault {
    #[cold]
    pub fn new(at: usize, problem: Problem) -> Self {
        Self(Box::new(Inner { at, problem }))
    }

    /// The interpreter could not make an object, and has an error set that says why.
    #[cold]
    pub fn python(py: Python<'_>) -> Self {
        Self::new(0, Problem::Python(PyErr::fetch(py)))
    }

    /// The fault in a part that begins at `start`, seen from the whole.
    #[cold]
    pub fn found_at(self, start: usize) -> Self {
        Self::new(self.0.at + start, self.0.problem)
    }

    /// The exception for the document that `text` is the bytes of.
    ///
    /// `document` is the string that the exception shows; `None` stands for the text, decoded.
    #[cold]
    pub fn into_error(
        self,
        py: Python<'_>,
        text: &[u8],
        document: Option<&Bound<'_, PyAny>>,
    ) -> PyErr {
        let (at, message) = match self.message(py) {
            Ok(found) => found,
            Err(error) => return error,
        };
        // The text before a fault is valid, so its characters can be counted by their first bytes.
        let position = text[..at]
            .iter()
            .filter(|byte| **byte & 0xc0 != 0x80)
            .count();
        match document {
            Some(document) => decode_error(py, &message, document, position),
            None => decode_error(py, &message, String::from_utf8_lossy(text), position),
        }
    }

    fn message(self, py: Python<'_>) -> Result<(usize, Cow<'static, str>), PyErr> {
        let Inner { at, problem } = *self.0;
        let message: Cow<'static, str> = match problem {
            Problem::Colon => "Expecting ':' delimiter".into(),
            Problem::Comma => "Expecting ',' delimiter".into(),
            // CPython names this mistake since 3.13; before, it says what it expected instead.
            Problem::CommaAtEnd(container, comma) if py.version_info() >= (3, 13) => {
                let message = format!("Illegal trailing comma before end of {container}");
                return Ok((comma, message.into()));
            }
            Problem::Value | Problem::CommaAtEnd("array", _) => "Expecting value".into(),
            Problem::PropertyName | Problem::CommaAtEnd(..) => {
                "Expecting property name enclosed in double quotes".into()
            }
            Problem::ExtraData => "Extra data".into(),
            Problem::Unterminated => "Unterminated string starting at".into(),
            Problem::Control => "Invalid control character at".into(),
            Problem::Escape => r"Invalid \escape".into(),
            Problem::UnicodeEscape => r"Invalid \uXXXX escape".into(),
            Problem::LoneSurrogate => "Lone surrogate".into(),
            Problem::Utf8 => "Invalid UTF-8".into(),
            Problem::ByteOrderMark => "Unexpected UTF-8 BOM (decode using utf-8-sig)".into(),
            Problem::TooDeep(limit) => {
                format!("More than {limit} levels of nesting (max_depth)").into()
            }
            Problem::OutOfRange => "Number is too large for a float".into(),
            Problem::TooManyDigits(reason) => reason.into(),
            Problem::Python(error) => return Err(error),
        };
        Ok((at, message))
    }
}

/// A `json.JSONDecodeError` about a document at a position in characters.
pub fn decode_error<'py>(
    py: Python<'py>,
    message: &str,
    document: impl IntoPyObject<'py>,
    position: usize,
) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let made = CLASS
        .import(py, "json", "JSONDecodeError")
        .and_then(|class| class.call1((message, document, position)));
    match made {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}
