//! Objects beyond the exact built-in types, by their class's kind. Knows what becomes of each, not how a container is walked.

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;

use super::kind::{self, Kind};
use super::options::Options;
use super::stop::{Cause, Stop, Written};
use super::{Writer, dataclass, datetime, numpy};
use crate::json::model::{self, Wishes};

/// Calls of `default` whose results need `default` again.
const DEFAULTS: u32 = 254;

/// Writes an object that is none of the exact built-in types.
pub fn write<'py>(writer: &mut Writer<'_, 'py>, object: &Bound<'py, PyAny>) -> Written {
    let options = writer.settings.options;
    if options.has(Options::AS_PYTHON) {
        return Err(Stop::unknown(object, None));
    }
    // The next one in a list of models.
    if writer.knows_plan(object, Wishes::default()) {
        return model::write_own(writer, object);
    }
    let kind = kind::of(&object.get_type())?;
    match kind {
        Kind::Model => model::write_own(writer, object),
        Kind::DateTime | Kind::Date | Kind::Time if options.has(Options::PASSTHROUGH_DATETIME) => {
            by_default(writer, object)
        }
        Kind::DateTime => writer.str(&datetime::datetime(object, options)?),
        Kind::Date => writer.str(&datetime::date(object)?),
        Kind::Time => writer.str(&datetime::time(object, options)?),
        Kind::Uuid => writer.str(&uuid(object)?),
        Kind::Enum { overridden } => {
            let value = enum_value(object, overridden)?;
            writer.nested(object, |writer| writer.write(&value))
        }
        Kind::Str | Kind::Int | Kind::List | Kind::Dict
            if options.has(Options::PASSTHROUGH_SUBCLASS) =>
        {
            by_default(writer, object)
        }
        Kind::Str | Kind::Int | Kind::List | Kind::Dict => writer.subclass(object),
        Kind::Dataclass { .. } if options.has(Options::PASSTHROUGH_DATACLASS) => {
            by_default(writer, object)
        }
        Kind::Dataclass { slots } => dataclass::write(writer, object, slots),
        Kind::Array => numpy::write_array(writer, object),
        Kind::Scalar(scalar) => numpy::write_scalar(writer, object, scalar),
        Kind::Unknown => by_default(writer, object),
    }
}

/// Writes what the caller's `default` makes of an object.
fn by_default<'py>(writer: &mut Writer<'_, 'py>, object: &Bound<'py, PyAny>) -> Written {
    let Some(default) = writer.settings.default else {
        return Err(Stop::unknown(object, None));
    };
    if writer.defaults == DEFAULTS {
        return Err(Stop::refused("default serializer exceeds recursion limit"));
    }
    let value = default
        .call1((object,))
        .map_err(|error| Stop::from_code(object, error))?;
    writer.defaults += 1;
    writer.write(&value)?;
    writer.defaults -= 1;
    Ok(())
}

/// The value of an enumeration's member.
pub fn enum_value<'py>(
    member: &Bound<'py, PyAny>,
    overridden: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let py = member.py();
    member.getattr(if overridden {
        intern!(py, "value")
    } else {
        intern!(py, "_value_")
    })
}

/// A UUID in its usual form.
pub fn uuid(object: &Bound<'_, PyAny>) -> PyResult<String> {
    let number: u128 = object.getattr(intern!(object.py(), "int"))?.extract()?;
    let text = format!("{number:032x}");
    Ok([
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..],
    ]
    .join("-"))
}

/// Writes an integer of more than 64 bits.
pub fn write_long_integer<'py>(
    writer: &mut Writer<'_, 'py>,
    object: &Bound<'py, PyAny>,
) -> Written {
    if writer.settings.options.has(Options::STRICT_INTEGER) {
        return Err(Stop::refused("Integer exceeds 53-bit range"));
    }
    let py = object.py();
    let digits = py
        .get_type::<pyo3::types::PyInt>()
        .call_method1(intern!(py, "__repr__"), (object,));
    match digits {
        Ok(digits) => Ok(writer
            .buffer()
            .append(digits.extract::<&str>()?.as_bytes())?),
        Err(error) if error.is_instance_of::<PyValueError>(py) => {
            let text = "Integer has more digits than sys.get_int_max_str_digits() allows";
            Err(Stop::new(Cause::Refused(text.to_owned(), Some(error))))
        }
        Err(error) => Err(error.into()),
    }
}
