//! Dictionaries in another order than their own, or with keys that are no strings.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::kind::{self, Kind};
use super::options::Options;
use super::stop::{Stop, Written};
use super::{Writer, special};

/// Writes a dictionary with its keys sorted, or turned into strings, or both.
pub fn write<'py>(writer: &mut Writer<'_, 'py>, dict: &Bound<'py, PyDict>) -> Written {
    // A copy of the pairs: a key's own code may change the dictionary.
    let pairs = dict.items();
    let mut entries = Vec::with_capacity(pairs.len());
    for pair in pairs.iter() {
        let (key, value) = pair.extract::<(Bound<'py, PyAny>, Bound<'py, PyAny>)>()?;
        entries.push((text(writer, &key)?, value));
    }
    if writer.settings.options.has(Options::SORT_KEYS) {
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    }
    writer.object(
        dict.as_any(),
        entries.iter().map(|(key, value)| (key.as_str(), value)),
    )
}

/// A key as the string that stands for it.
fn text<'py>(writer: &mut Writer<'_, 'py>, key: &Bound<'py, PyAny>) -> Result<String, Stop> {
    if let Ok(text) = key.cast_exact::<PyString>() {
        return owned(text);
    }
    if !writer.settings.options.has(Options::NON_STR_KEYS) {
        return match key.cast::<PyString>() {
            Ok(text) => owned(text),
            Err(_) => Err(Stop::refused_key(key)),
        };
    }
    if is_number_or_constant(key) {
        return written(writer, key);
    }
    match kind::of(&key.get_type())? {
        Kind::Enum { overridden } => text(writer, &special::enum_value(key, overridden)?),
        Kind::Str => key
            .cast::<PyString>()
            .map_err(PyErr::from)
            .map_err(Stop::from)
            .and_then(owned),
        Kind::DateTime | Kind::Date | Kind::Time | Kind::Uuid | Kind::Int | Kind::Scalar(_) => {
            written(writer, key)
        }
        _ => Err(Stop::refused(&format!(
            "Dict key must be a type that is serializable with OPT_NON_STR_KEYS, not {}",
            key.get_type()
                .name()
                .map_or_else(|_| String::new(), |name| name.to_string())
        ))),
    }
}

fn owned(text: &Bound<'_, PyString>) -> Result<String, Stop> {
    match text.to_str() {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            error.restore(text.py());
            Err(Stop::unencodable(text.py()))
        }
    }
}

fn is_number_or_constant(key: &Bound<'_, PyAny>) -> bool {
    use pyo3::types::{PyBool, PyFloat, PyInt};
    key.is_none()
        || key.is_exact_instance_of::<PyBool>()
        || key.is_exact_instance_of::<PyInt>()
        || key.is_exact_instance_of::<PyFloat>()
}

/// What the value would be written as, without the quotes: none of these has anything to escape.
fn written<'py>(writer: &mut Writer<'_, 'py>, key: &Bound<'py, PyAny>) -> Result<String, Stop> {
    let start = writer.buffer().len();
    writer.write(key)?;
    let text = String::from_utf8_lossy(&writer.buffer().as_slice()[start..]).into_owned();
    writer.buffer().truncate(start);
    Ok(text.trim_matches('"').to_owned())
}
