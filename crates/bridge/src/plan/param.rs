//! Parameters as Python's plan has them, read into api's. Knows neither routes nor requests.

use api::plan::{Names, Param, Scalar, Source};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// Reads a `data_bridge.plan.types.Param`.
pub fn read(param: &Bound<'_, PyAny>) -> PyResult<Param> {
    let scalar: String = param.getattr("scalar")?.extract()?;
    let place: String = param.getattr("place")?.extract()?;
    let aliases: Vec<String> = param.getattr("aliases")?.extract()?;
    let names: Names = aliases.into_iter().map(Into::into).collect();
    Ok(Param {
        source: match &*place {
            "path" => Source::Path(param.getattr("path_index")?.extract()?),
            "query" => Source::Query(names),
            "header" => Source::Header(names),
            "cookie" => Source::Cookie(names),
            _ => return Err(unknown("place", &place)),
        },
        scalar: Scalar::parse_name(&scalar).ok_or_else(|| unknown("scalar", &scalar))?,
        many: param.getattr("many")?.extract()?,
        required: param.getattr("required")?.extract()?,
    })
}

/// A name for a call by keyword.
pub fn interned<'py>(name: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    Ok(PyString::intern(
        name.py(),
        name.cast::<PyString>()?.to_str()?,
    ))
}

/// Python's plan says something that Rust's does not have.
pub fn unknown(what: &str, name: &str) -> PyErr {
    PyValueError::new_err(format!("the plan has no {what} {name:?}"))
}
