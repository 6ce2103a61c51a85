//! Extracted values as Python objects. Knows no route.

use api::plan::Value;
use api::route::{Captures, ParamKind};
use pyloop::gil::Kept;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyType};

static UUID: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// A value on its way to being an argument.
pub trait Argument {
    /// The object that the endpoint gets, or what was sent as Python's validator takes it.
    fn argument<'py>(&self, py: Python<'py>) -> PyResult<Decided<'py>>;
}

/// A value as an object, as far as the plan itself decides on it.
pub enum Decided<'py> {
    /// Nothing was sent.
    Default,
    /// The argument.
    Certain(Bound<'py, PyAny>),
    /// What was sent: a text or a list of texts.
    Sent(Bound<'py, PyAny>),
}

impl Argument for Value {
    fn argument<'py>(&self, py: Python<'py>) -> PyResult<Decided<'py>> {
        let certain = match self {
            Value::Default => return Ok(Decided::Default),
            Value::Undecided(text) => {
                return Ok(Decided::Sent(PyString::new(py, text).into_any()));
            }
            Value::Many(texts) => {
                return Ok(Decided::Sent(
                    PyList::new(py, texts.iter().map(|text| &**text))?.into_any(),
                ));
            }
            Value::Str(text) => PyString::new(py, text).into_any(),
            Value::Int(number) => number.into_pyobject(py)?.into_any(),
            Value::Float(number) => PyFloat::new(py, *number).into_any(),
            Value::Bool(truth) => PyBool::new(py, *truth).to_owned().into_any(),
            Value::Uuid(text) => uuid(py, text)?,
        };
        Ok(Decided::Certain(certain))
    }
}

/// The path's parameters by name, converted as the pattern says: what `request.path_params` shows.
pub fn path_params<'py>(
    py: Python<'py>,
    in_path: &[(Kept<PyString>, ParamKind)],
    captures: &Captures,
    path: &str,
) -> PyResult<Bound<'py, PyDict>> {
    let params = PyDict::new(py);
    for (index, (name, kind)) in in_path.iter().enumerate() {
        let text = captures.text(index, path).unwrap_or_default();
        let value = match kind {
            ParamKind::Str | ParamKind::Path => PyString::new(py, text).into_any(),
            ParamKind::Int => py.get_type::<PyInt>().call1((text,))?,
            ParamKind::Float => py.get_type::<PyFloat>().call1((text,))?,
            ParamKind::Uuid => uuid(py, text)?,
        };
        params.set_item(name.bind(py), value)?;
    }
    Ok(params)
}

fn uuid<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    UUID.import(py, "uuid", "UUID")?.call1((text,))
}
