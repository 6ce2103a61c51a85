//! Pydantic's models as JSON: by a plan where there is one, by Pydantic itself otherwise. Knows when, not how.

mod known;
mod plan;
mod read;

use std::sync::Arc;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyDict, PyType};

use super::write::{Document, Into, Options, Settings, Stop, Writer};

pub use self::plan::{BLOCK, Class, Field, Form, Key, Model, Node, Plan, Wishes};
pub use self::read::read;

/// A value as a response's body, by a plan; `None` where something is not as planned.
pub fn body(plan: &Plan, value: &Bound<'_, PyAny>) -> PyResult<Option<Document>> {
    let py = value.py();
    let mut writer = Writer::new(py, Into::Response, Settings::default());
    match writer.by_plan(plan, value) {
        Ok(written) => Ok(written.then(|| writer.finish())),
        Err(stop) => Err(stop.into_err(py)),
    }
}

/// The plan by which `FastAPI` writes instances of a class where no type says anything of them: their `model_dump()` by
/// aliases. `None` for what is no model, has a `model_dump()` of its own, or has keys that `FastAPI` drops.
pub fn plan_of_plain(class: &Bound<'_, PyType>) -> PyResult<Option<Arc<Plan>>> {
    static BASE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let py = class.py();
    let name = intern!(py, "model_dump");
    let base = BASE.import(py, "pydantic", "BaseModel")?;
    let dump = class.getattr_opt(name)?;
    if !dump.is_some_and(|dump| base.getattr(name).is_ok_and(|own| own.is(&dump))) {
        return Ok(None);
    }
    let wishes = Wishes {
        by_alias: Some(true),
        ..Wishes::default()
    };
    Ok(known::plan_of(class, wishes)?.filter(|plan| !plan.has_key_like("_sa")))
}

/// Writes a model as its own `model_dump_json()` does; with the document's indentation and order where it has any.
pub fn write_own<'py>(writer: &mut Writer<'_, 'py>, model: &Bound<'py, PyAny>) -> Result<(), Stop> {
    let shapes = Options::INDENT_2 | Options::SORT_KEYS;
    if !writer.settings.options.has(shapes) {
        return write(writer, model, Wishes::default());
    }
    let py = model.py();
    let options = PyDict::new(py);
    options.set_item(intern!(py, "mode"), intern!(py, "json"))?;
    let serialiser = serialiser_of(model)?;
    let value = serialiser.call_method(intern!(py, "to_python"), (model,), Some(&options))?;
    writer.write(&value)
}

fn write<'py>(
    writer: &mut Writer<'_, 'py>,
    model: &Bound<'py, PyAny>,
    wishes: Wishes,
) -> Result<(), Stop> {
    if !writer.knows_plan(model, wishes) {
        match known::plan_of(&model.get_type(), wishes)? {
            Some(plan) => writer.learn_plan(model, plan),
            None => return ask_pydantic(writer, model, wishes),
        }
    }
    if writer.by_known_plan(model)? {
        return Ok(());
    }
    ask_pydantic(writer, model, wishes)
}

/// Lets the model's own serialiser write it.
fn ask_pydantic<'py>(
    writer: &mut Writer<'_, 'py>,
    model: &Bound<'py, PyAny>,
    wishes: Wishes,
) -> Result<(), Stop> {
    let py = model.py();
    let options = PyDict::new(py);
    if let Some(by_alias) = wishes.by_alias {
        options.set_item(intern!(py, "by_alias"), PyBool::new(py, by_alias))?;
    }
    let serialiser = serialiser_of(model)?;
    let json = serialiser.call_method(intern!(py, "to_json"), (model,), Some(&options))?;
    let json = json.cast::<PyBytes>().map_err(PyErr::from)?;
    Ok(writer.buffer().append(json.as_bytes())?)
}

fn serialiser_of<'py>(model: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let name = intern!(model.py(), "__pydantic_serializer__");
    model.get_type().getattr(name)
}
