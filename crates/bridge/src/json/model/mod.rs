//! Pydantic's models as JSON.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict};

use super::write::{Stop, Writer};

/// Writes a model as its own `model_dump_json()` does.
pub fn write_own<'py>(writer: &mut Writer<'_, 'py>, model: &Bound<'py, PyAny>) -> Result<(), Stop> {
    ask_pydantic(writer, model, false)
}

/// Writes a model as a response has it, by its aliases; `false` for what is no model.
pub fn write_by_alias<'py>(
    writer: &mut Writer<'_, 'py>,
    model: &Bound<'py, PyAny>,
) -> Result<bool, Stop> {
    let class = model.get_type();
    if !class.hasattr(intern!(model.py(), "__pydantic_serializer__"))? {
        return Ok(false);
    }
    ask_pydantic(writer, model, true).map(|()| true)
}

/// Lets the model's own serialiser write it.
fn ask_pydantic<'py>(
    writer: &mut Writer<'_, 'py>,
    model: &Bound<'py, PyAny>,
    by_alias: bool,
) -> Result<(), Stop> {
    let py = model.py();
    let serialiser = model
        .get_type()
        .getattr(intern!(py, "__pydantic_serializer__"))?;
    let options = PyDict::new(py);
    if by_alias {
        options.set_item(intern!(py, "by_alias"), PyBool::new(py, true))?;
    }
    let json = serialiser.call_method(intern!(py, "to_json"), (model,), Some(&options))?;
    let json = json.cast::<PyBytes>().map_err(PyErr::from)?;
    Ok(writer.buffer().append(json.as_bytes())?)
}
