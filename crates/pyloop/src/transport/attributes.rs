//! The attributes that lie in an object itself, without the search through its class. Knows no protocol.

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::ffi::python;

/// An object's `__dict__`.
pub struct Attributes<'py>(Bound<'py, PyDict>);

impl<'py> Attributes<'py> {
    /// Those of `object`, whose class must not have attributes of the same names that are computed.
    pub fn of(object: &Bound<'py, PyAny>) -> PyResult<Self> {
        python::instance_dict(object).map(Self)
    }

    /// The `__dict__` itself.
    pub fn dict(&self) -> &Bound<'py, PyDict> {
        &self.0
    }

    /// `object.name`
    pub fn get(&self, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        let missing = || PyAttributeError::new_err(name.clone().unbind());
        self.0.get_item(name)?.ok_or_else(missing)
    }

    /// `bool(object.name)`
    pub fn is(&self, name: &Bound<'py, PyString>) -> PyResult<bool> {
        self.get(name)?.is_truthy()
    }

    /// Whether the object has an attribute of its own of that name.
    pub fn has(&self, name: &Bound<'py, PyString>) -> PyResult<bool> {
        self.0.contains(name)
    }

    /// `object.name = value`
    pub fn set(&self, name: &Bound<'py, PyString>, value: impl IntoPyObject<'py>) -> PyResult<()> {
        self.0.set_item(name, value)
    }
}
