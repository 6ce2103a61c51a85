//! Dataclasses: their attributes in the order of definition, without those that begin with an underscore.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};

use super::Writer;
use super::stop::Written;

/// Writes a dataclass's instance. `slots`: it may keep attributes outside of its `__dict__`.
pub fn write<'py>(
    writer: &mut Writer<'_, 'py>,
    object: &Bound<'py, PyAny>,
    slots: bool,
) -> Written {
    let py = object.py();
    if !slots
        && let Some(attributes) = object.getattr_opt(intern!(py, "__dict__"))?
        && let Ok(attributes) = attributes.cast_exact::<PyDict>()
    {
        return writer.attributes(attributes);
    }
    let fields = object.getattr(intern!(py, "__dataclass_fields__"))?;
    let mut named = Vec::new();
    for field in fields.call_method0(intern!(py, "values"))?.try_iter()? {
        let field = field?;
        let name = field.getattr(intern!(py, "name"))?;
        let name = name.cast::<PyString>().map_err(PyErr::from)?;
        let text = name.to_str()?.to_owned();
        // Class variables and `InitVar`s stand among the fields too.
        let is_field = field.getattr(intern!(py, "_field_type"))?.is(real(py)?);
        if is_field && !text.starts_with('_') {
            named.push((text, object.getattr(name)?));
        }
    }
    writer.object(
        object,
        named.iter().map(|(name, value)| (name.as_str(), value)),
    )
}

/// The mark of a field that is one.
fn real(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static FIELD: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    FIELD.import(py, "dataclasses", "_FIELD")
}
