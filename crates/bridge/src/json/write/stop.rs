//! Why a document was not finished, and where in it: the path is put together on the way out, so that a document without
//! fault pays nothing for it.

use std::fmt::Write as _;

use pyo3::exceptions::{PyException, PyMemoryError, PyRuntimeError, PyUnicodeEncodeError};
use pyo3::ffi::PyObject;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use super::ffi::{DEPTH, NoRoom};

/// What every step of the writer gives.
pub type Written = Result<(), Stop>;

/// A document's end before its time.
pub struct Stop(Box<Fault>);

struct Fault {
    cause: Cause,
    /// From the fault outwards.
    path: Vec<Step>,
}

/// What stopped it.
pub enum Cause {
    /// A `JSONEncodeError` with this text, and what led to it.
    Refused(String, Option<PyErr>),
    /// The container at this address lies too deep; it may be its own ancestor.
    Deep(usize, bool),
    /// A container of this kind changed its size.
    Changed(&'static str),
    /// An exception that is not about the document.
    Raised(PyErr),
    /// The interpreter ends.
    Finalizing,
    /// A value is not as its plan says.
    Surprise,
}

enum Step {
    Index(usize),
    /// A key as it stands in the document, with its quotes.
    Key(String),
}

/// Steps of a path that a message names; the ones next to the fault win.
const SHOWN: usize = 16;

/// Bytes of a key that a message names.
const LONGEST_KEY: usize = 64;

impl Stop {
    #[cold]
    pub fn new(cause: Cause) -> Self {
        Self(Box::new(Fault {
            cause,
            path: Vec::new(),
        }))
    }

    /// The document holds what JSON cannot carry.
    #[cold]
    pub fn refused(text: &str) -> Self {
        Self::new(Cause::Refused(text.to_owned(), None))
    }

    /// An object of a class that has no form in JSON.
    #[cold]
    pub fn unknown(object: &Bound<'_, PyAny>, error: Option<PyErr>) -> Self {
        let name = object.get_type().name();
        let name = name.map_or_else(|_| "object".into(), |name| name.to_string());
        Self::new(Cause::Refused(
            format!("Type is not JSON serializable: {name}"),
            error,
        ))
    }

    /// A key that is no string.
    #[cold]
    pub fn refused_key(key: &Bound<'_, PyAny>) -> Self {
        let name = key.get_type().name();
        let name = name.map_or_else(|_| "object".into(), |name| name.to_string());
        Self::refused(&format!(
            "Dict key must be str, not {name} (OPT_NON_STR_KEYS allows some others)"
        ))
    }

    #[cold]
    pub fn changed(what: &'static str) -> Self {
        Self::new(Cause::Changed(what))
    }

    #[cold]
    pub fn deep(container: *mut PyObject) -> Self {
        Self::new(Cause::Deep(container as usize, false))
    }

    /// A string that UTF-8 cannot carry; the interpreter has set the error.
    #[cold]
    pub fn unencodable(py: Python<'_>) -> Self {
        let error = PyErr::fetch(py);
        if error.is_instance_of::<PyUnicodeEncodeError>(py) {
            let text = "str is not valid UTF-8: surrogates not allowed".to_owned();
            return Self::new(Cause::Refused(text, Some(error)));
        }
        Self::new(Cause::Raised(error))
    }

    /// An exception from an object's own code: the refusal's cause, unless it means to end more than this.
    #[cold]
    pub fn from_code(object: &Bound<'_, PyAny>, error: PyErr) -> Self {
        if error.is_instance_of::<PyException>(object.py()) {
            return Self::unknown(object, Some(error));
        }
        Self::new(Cause::Raised(error))
    }

    /// Whether a document that has a plan is Pydantic's to write, or to refuse.
    #[cold]
    pub fn is_for_pydantic(&self, py: Python<'_>) -> bool {
        match &self.0.cause {
            Cause::Surprise | Cause::Refused(..) | Cause::Deep(..) => true,
            Cause::Raised(error) => {
                error.is_instance_of::<PyException>(py)
                    && !error.is_instance_of::<PyMemoryError>(py)
            }
            Cause::Changed(_) | Cause::Finalizing => false,
        }
    }

    /// The fault lies in this item.
    #[cold]
    pub fn at_index(mut self, index: usize, container: *mut PyObject) -> Self {
        self.passes(container);
        self.0.path.push(Step::Index(index));
        self
    }

    /// The fault lies in the value behind the key with which `written` begins.
    #[cold]
    pub fn at_key(mut self, written: Option<&[u8]>, container: *mut PyObject) -> Self {
        self.passes(container);
        let key = written.map(first_string).unwrap_or_default();
        self.0.path.push(Step::Key(key));
        self
    }

    /// Notes a container on the way out: the one that was too deep may be among its own ancestors.
    fn passes(&mut self, container: *mut PyObject) {
        if let Cause::Deep(address, circular) = &mut self.0.cause {
            *circular |= *address == container as usize;
        }
    }

    /// The exception.
    #[cold]
    pub fn into_err(self, py: Python<'_>) -> PyErr {
        let Fault { cause, path } = *self.0;
        let place = describe(&path);
        let (text, from) = match cause {
            Cause::Refused(text, from) => (text, from),
            Cause::Deep(_, true) => ("Circular reference".to_owned(), None),
            Cause::Deep(_, false) => (format!("Containers nested deeper than {DEPTH}"), None),
            Cause::Changed(what) => {
                let text = format!("{what} changed size during serialization{place}");
                return PyRuntimeError::new_err(text);
            }
            Cause::Raised(error) => return error,
            // Whoever follows a plan asks Pydantic then.
            Cause::Surprise => ("Value is not of its type".to_owned(), None),
            Cause::Finalizing => {
                return PyRuntimeError::new_err("the interpreter is shutting down");
            }
        };
        let error = match encode_error(py) {
            Ok(class) => match class.call1((format!("{text}{place}"),)) {
                Ok(error) => PyErr::from_value(error),
                Err(error) => error,
            },
            Err(error) => error,
        };
        error.set_cause(py, from);
        error
    }
}

impl From<NoRoom> for Stop {
    fn from(error: NoRoom) -> Self {
        Self::new(Cause::Raised(error.into()))
    }
}

impl From<PyErr> for Stop {
    fn from(error: PyErr) -> Self {
        Self::new(Cause::Raised(error))
    }
}

/// The class that `dumps` raises.
fn encode_error(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS.import(py, "data_bridge.exceptions", "JSONEncodeError")
}

/// The string with which a piece of a document begins, with its quotes; cut where it is long.
fn first_string(written: &[u8]) -> String {
    let piece = String::from_utf8_lossy(&written[..written.len().min(LONGEST_KEY)]);
    let mut escaped = false;
    let end = piece.char_indices().skip(1).find(|(_, character)| {
        let ends = *character == '"' && !escaped;
        escaped = *character == '\\' && !escaped;
        ends
    });
    match end {
        Some((end, _)) => piece[..=end].to_owned(),
        None => format!("{piece}…\""),
    }
}

/// ` (at items[3].price)`, or nothing at the top.
fn describe(path: &[Step]) -> String {
    if path.is_empty() {
        return String::new();
    }
    let mut text = String::from(" (at ");
    if path.len() > SHOWN {
        text.push('…');
    }
    for (position, step) in path.iter().take(SHOWN).rev().enumerate() {
        match step {
            Step::Index(index) => {
                let _ = write!(text, "[{index}]");
            }
            Step::Key(key) => {
                let name = key.trim_matches('"');
                let plain = name
                    .chars()
                    .all(|character| character.is_alphanumeric() || character == '_');
                if plain && !name.is_empty() {
                    let dot = if position == 0 { "" } else { "." };
                    let _ = write!(text, "{dot}{name}");
                } else {
                    let _ = write!(text, "[{key}]");
                }
            }
        }
    }
    text.push(')');
    text
}
