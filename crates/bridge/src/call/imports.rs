//! The Python objects that calls need, looked up once for a service. Touched attached only.

use pyloop::gil::Kept;
use pyo3::prelude::*;

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
}

impl Imports {
    /// Imports them.
    pub fn new(py: Python<'_>) -> PyResult<Self> {
        let get = |module: &str, name: &str| {
            Ok::<_, PyErr>(Kept::new(py.import(module)?.getattr(name)?.unbind()))
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
            web: Web::new(py)?,
        })
    }
}
