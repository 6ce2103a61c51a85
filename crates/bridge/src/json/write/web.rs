//! Objects beyond the built-in types in a response: they become what `FastAPI` makes of them. Pydantic is the reference, and
//! is asked for everything that the writer is not sure of.

use pyloop::gil::Kept;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyString, PyTuple};

use super::stop::{Stop, Written};
use super::{Dialect, Document, Into, Options, Settings, Writer};
use crate::ffi;
use crate::json::model;

/// What responses need of Python. Touched attached only.
pub struct Web {
    /// `pydantic_core.to_json`
    to_json: Kept<PyAny>,
    /// `data_bridge.reference.result.attributes`: what stands for an object without a form in JSON.
    attributes: Kept<PyAny>,
    /// The names of what is said to `to_json` beside the value.
    names: Kept<PyTuple>,
    null: Kept<PyString>,
}

impl Web {
    /// Imports it.
    pub fn new(py: Python<'_>) -> PyResult<Self> {
        let get = |module: &str, name: &str| {
            Ok::<_, PyErr>(Kept::new(py.import(module)?.getattr(name)?.unbind()))
        };
        let names = ["by_alias", "fallback", "inf_nan_mode"].map(|name| PyString::intern(py, name));
        Ok(Self {
            to_json: get("pydantic_core", "to_json")?,
            attributes: get("data_bridge.reference.result", "attributes")?,
            names: Kept::new(PyTuple::new(py, names)?.unbind()),
            null: Kept::new(PyString::intern(py, "null").unbind()),
        })
    }

    /// A value as a response's body.
    pub fn body(&self, value: &Bound<'_, PyAny>) -> PyResult<Document> {
        self.document(value, |writer| writer.write(value))
            .map(|(body, ())| body)
    }

    /// A model as a response's body; `None` for what is no model.
    pub fn model_body(&self, value: &Bound<'_, PyAny>) -> PyResult<Option<Document>> {
        self.document(value, |writer| model::write_by_alias(writer, value))
            .map(|(body, is_model)| is_model.then_some(body))
    }

    fn document<'py, R>(
        &self,
        value: &Bound<'py, PyAny>,
        write: impl FnOnce(&mut Writer<'_, 'py>) -> Result<R, Stop>,
    ) -> PyResult<(Document, R)> {
        let py = value.py();
        let settings = Settings {
            options: Options::NONE,
            default: None,
            dialect: Dialect::Web(self),
        };
        let mut writer = Writer::new(py, Into::Response, settings);
        match write(&mut writer) {
            Ok(written) => Ok((writer.finish(), written)),
            Err(stop) => Err(stop.into_err(py)),
        }
    }

    /// Writes a value that is none of the exact built-in types, or a dictionary with keys that are none.
    pub fn write<'py>(&self, writer: &mut Writer<'_, 'py>, value: &Bound<'py, PyAny>) -> Written {
        if model::write_by_alias(writer, value)? {
            return Ok(());
        }
        let py = value.py();
        let arguments = [
            value.clone(),
            PyBool::new(py, true).to_owned().into_any(),
            self.attributes.bind(py).clone(),
            self.null.bind(py).clone().into_any(),
        ];
        let json = ffi::call(self.to_json.bind(py), &arguments, self.names.bind(py))?;
        let json = json
            .cast::<PyBytes>()
            .map_err(PyErr::from)
            .map_err(Stop::from)?;
        Ok(writer.buffer().append(json.as_bytes())?)
    }
}
