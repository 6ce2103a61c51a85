//! The attributes that lie in an object itself, without the search through its class. Knows no protocol.

#![expect(
    clippy::inline_always,
    reason = "some twenty looks a round trip, and a call would cost as much as a look"
)]

use std::sync::atomic::{AtomicIsize, Ordering};

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyNone, PyString};

use crate::ffi::python::{self, Entry};

/// The name of an attribute, and where it was found: objects that one `__init__` has made have their attributes in one order,
/// and to look there costs less than half of a search.
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

    #[inline]
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
    #[inline(always)]
    pub fn get(&self, name: &Name) -> PyResult<Bound<'py, PyAny>> {
        match self.entry(name).value() {
            Some(value) => Ok(value),
            None => self.search(name),
        }
    }

    /// `object.name is value`
    #[inline(always)]
    pub fn has_as(&self, name: &Name, value: &Bound<'py, PyAny>) -> PyResult<bool> {
        match self.entry(name).is(value) {
            Some(is) => Ok(is),
            None => Ok(self.search(name)?.is(value)),
        }
    }

    /// Where it lay the last time.
    #[inline(always)]
    fn entry<'a>(&'a self, name: &'a Name) -> Entry<'a, 'py> {
        Entry {
            dict: &self.0,
            position: name.position.load(Ordering::Relaxed),
            key: name.of(self.0.py()),
        }
    }

    #[cold]
    #[inline(never)]
    fn search(&self, name: &Name) -> PyResult<Bound<'py, PyAny>> {
        let key = name.of(self.0.py());
        if let Some(position) = python::position_of(&self.0, key) {
            name.position.store(position, Ordering::Relaxed);
        }
        let missing = || PyAttributeError::new_err(key.clone().unbind());
        self.0.get_item(key)?.ok_or_else(missing)
    }

    /// `bool(object.name)`
    #[inline]
    pub fn is(&self, name: &Name) -> PyResult<bool> {
        let no = PyBool::new(self.0.py(), false);
        Ok(!self.has_as(name, no.as_any())? && self.get(name)?.is_truthy()?)
    }

    /// `object.name is None`
    #[inline]
    pub fn is_none(&self, name: &Name) -> PyResult<bool> {
        self.has_as(name, &PyNone::get(self.0.py()))
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
