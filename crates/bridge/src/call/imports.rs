//! The Python objects that calls need, looked up once for a service. Touched attached only.

use pyloop::gil::Kept;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString, PyTuple};

use crate::ffi;
use crate::json::write::Web;

/// What calls use of Python.
pub struct Imports {
    /// `data_bridge.responses.Response`.
    pub response: Kept<PyAny>,
    /// `data_bridge.requests.Request`.
    pub request: Kept<PyAny>,
    /// `data_bridge.reference.run.respond`: T3.
    pub respond: Kept<PyAny>,
    /// `data_bridge.reference.result.response_of`: the response to any result.
    pub response_of: Kept<PyAny>,
    /// `data_bridge.reference.result.settle`: the response to any exception, logged if it is a fault.
    pub settle: Kept<PyAny>,
    /// `data_bridge.reference.result.report`: logs a fault that has no response any more.
    pub report: Kept<PyAny>,
    /// `data_bridge.background.after`: awaits one thing, then another.
    pub after: Kept<PyAny>,
    /// `data_bridge.background.BackgroundTasks`.
    pub background_tasks: Kept<PyAny>,
    /// `data_bridge.reference.result.unfit`: the error of a result that its annotation refuses.
    pub unfit: Kept<PyAny>,
    /// What results without a type of their own are written by.
    pub web: Web,
    /// `("from_attributes",)`, for a validator.
    from_attributes: Kept<PyTuple>,
    /// `("by_alias",)`, for a type's serialiser.
    by_alias: Kept<PyTuple>,
}

impl Imports {
    /// Imports them.
    pub fn new(py: Python<'_>) -> PyResult<Self> {
        let get = |module: &str, name: &str| {
            Ok::<_, PyErr>(Kept::new(py.import(module)?.getattr(name)?.unbind()))
        };
        let names = |names: &[&str]| {
            let interned = names.iter().map(|name| PyString::intern(py, name));
            Ok::<_, PyErr>(Kept::new(
                PyTuple::new(py, interned.collect::<Vec<_>>())?.unbind(),
            ))
        };
        Ok(Self {
            response: get("data_bridge.responses", "Response")?,
            request: get("data_bridge.requests", "Request")?,
            respond: get("data_bridge.reference.run", "respond")?,
            response_of: get("data_bridge.reference.result", "response_of")?,
            settle: get("data_bridge.reference.result", "settle")?,
            report: get("data_bridge.reference.result", "report")?,
            after: get("data_bridge.background", "after")?,
            background_tasks: get("data_bridge.background", "BackgroundTasks")?,
            unfit: get("data_bridge.reference.result", "unfit")?,
            from_attributes: names(&["from_attributes"])?,
            by_alias: names(&["by_alias"])?,
            web: Web::new(py)?,
        })
    }

    /// A value's valid form by its type.
    pub fn validate<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        validate: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let truth = PyBool::new(value.py(), true).to_owned().into_any();
        let arguments = [value.clone(), truth];
        ffi::call(validate, &arguments, self.from_attributes.bind(value.py()))
    }

    /// A valid value as JSON by its type's serialiser.
    pub fn typed_json<'py>(
        &self,
        valid: &Bound<'py, PyAny>,
        serialise: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let truth = PyBool::new(valid.py(), true).to_owned().into_any();
        let arguments = [valid.clone(), truth];
        ffi::call(serialise, &arguments, self.by_alias.bind(valid.py()))
    }
}
