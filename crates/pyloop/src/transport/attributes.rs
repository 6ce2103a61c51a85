//! The attributes that lie in an object itself, without the search through its class. Knows no protocol.

use std::sync::atomic::{AtomicIsize, Ordering};

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};

use crate::ffi::python;

/// The name of an attribute, and where it was found: objects that one `__init__` has made have their attributes in one order,
/// and to look there costs two thirds of a search.
pub struct Name {
    text: &'static str,
    interned: PyOnceLock<Py<PyString>>,
    position: AtomicIsize,
}

impl Name {
    pub const fn new(text: &'static str) -> Self {
        Self {
            text,
            interned: PyOnceLock::new(),
            position: AtomicIsize::new(0),
        }
    }

    fn of<'py>(&self, py: Python<'py>) -> &Bound<'py, PyString> {
        let new = || PyString::intern(py, self.text).unbind();
        self.interned.get_or_init(py, new).bind(py)
    }
}

/// A [`Name`] that this place in the source has for itself.
macro_rules! name {
    ($text:literal) => {{
        static NAME: $crate::transport::attributes::Name =
            $crate::transport::attributes::Name::new($text);
        &NAME
    }};
}
pub(super) use name;

/// An object's `__dict__`.
pub struct Attributes<'py>(Bound<'py, PyDict>);

impl<'py> Attributes<'py> {
    /// Those of `object`, whose class must not have attributes of the same names that are computed.
    pub fn of(object: &Bound<'py, PyAny>) -> PyResult<Self> {
        python::instance_dict(object).map(Self)
    }

    /// `object.name`
    pub fn get(&self, name: &Name) -> PyResult<Bound<'py, PyAny>> {
        let key = name.of(self.0.py());
        let position = name.position.load(Ordering::Relaxed);
        match python::value_at(&self.0, position, key) {
            Some(value) => Ok(value),
            None => self.search(name, key),
        }
    }

    #[cold]
    fn search(&self, name: &Name, key: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        if let Some(position) = python::position_of(&self.0, key) {
            name.position.store(position, Ordering::Relaxed);
        }
        let missing = || PyAttributeError::new_err(key.clone().unbind());
        self.0.get_item(key)?.ok_or_else(missing)
    }

    /// `bool(object.name)`
    pub fn is(&self, name: &Name) -> PyResult<bool> {
        self.get(name)?.is_truthy()
    }

    /// Whether the object has an attribute of its own of that name.
    pub fn has(&self, name: &Name) -> PyResult<bool> {
        self.0.contains(name.of(self.0.py()))
    }

    /// `object.name = value`
    pub fn set(&self, name: &Name, value: impl IntoPyObject<'py>) -> PyResult<()> {
        self.0.set_item(name.of(self.0.py()), value)
    }
}
