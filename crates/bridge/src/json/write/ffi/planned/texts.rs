//! Planned values without items: floats, and what becomes a string.

use pyloop::gil::Kept;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyString};

use super::super::walk::{Object, Writer};
use super::{Under, surprise};
use crate::json::model::Form;
use crate::json::write::kind::{self, Kind};
use crate::json::write::options::Options;
use crate::json::write::stop::Written;
use crate::json::write::{datetime, special};

impl Writer<'_, '_> {
    /// # Safety
    /// `value` is a float and lives.
    #[inline]
    pub(super) unsafe fn planned_float(&mut self, under: Under<'_>, value: Object) -> Written {
        // SAFETY: the caller says so.
        let number = unsafe { ffi::PyFloat_AS_DOUBLE(value) };
        let size = number.abs();
        if (1e-4..1e16).contains(&size) || size == 0.0 || under.plain && number.is_finite() {
            return self.float(number);
        }
        if number.is_finite() {
            // SAFETY: the caller says so.
            return unsafe { self.float_by_pydantic(value) };
        }
        surprise()
    }

    /// Floats with an exponent look different in Pydantic's releases.
    ///
    /// # Safety
    /// `value` is a float and lives.
    #[cold]
    unsafe fn float_by_pydantic(&mut self, value: Object) -> Written {
        static TO_JSON: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        // SAFETY: the caller says so.
        let value = unsafe { Bound::from_borrowed_ptr(self.py, value) };
        let to_json = TO_JSON.import(self.py, "pydantic_core", "to_json")?;
        let json = to_json.call1((value,))?;
        let json = json.cast::<PyBytes>().map_err(PyErr::from)?;
        Ok(self.buffer.append(json.as_bytes())?)
    }

    /// # Safety
    /// `value` lives until code runs, and is of a class that has this form.
    pub(super) unsafe fn form(&mut self, form: Form, value: Object) -> Written {
        // SAFETY: the caller says so.
        let value = unsafe { &Bound::from_borrowed_ptr(self.py, value) };
        let options = Options::PYDANTIC;
        let text = match form {
            Form::DateTime if datetime::has_whole_minutes(value)? => {
                datetime::datetime(value, options)?
            }
            Form::Time if value.getattr(intern!(self.py, "tzinfo"))?.is_none() => {
                datetime::time(value, options)?
            }
            Form::Date => datetime::date(value)?,
            Form::Uuid => special::uuid(value)?,
            Form::Decimal => value.str()?.to_str()?.to_owned(),
            Form::DateTime | Form::Time => return surprise(),
        };
        self.str(&text)
    }

    /// A value beyond the built-in types that nothing is said about.
    ///
    /// # Safety
    /// `value` lives until code runs.
    #[inline(never)]
    pub(super) unsafe fn any_text(&mut self, value: Object) -> Written {
        // SAFETY: the caller says so; from here on the value is held.
        unsafe {
            let held = Bound::from_borrowed_ptr(self.py, value);
            let form = match kind::of(&held.get_type())? {
                Kind::DateTime => Form::DateTime,
                Kind::Date => Form::Date,
                Kind::Time => Form::Time,
                Kind::Uuid => Form::Uuid,
                _ => return surprise(),
            };
            self.form(form, value)
        }
    }

    /// # Safety
    /// `member` is an enumeration's and lives until code runs.
    pub(super) unsafe fn member(&mut self, member: Object) -> Written {
        // SAFETY: the caller says so; the value is held.
        unsafe {
            let member = Bound::from_borrowed_ptr(self.py, member);
            let value = special::enum_value(&member, false)?;
            let class = ffi::Py_TYPE(value.as_ptr());
            if class == &raw mut ffi::PyUnicode_Type {
                self.text(value.as_ptr())
            } else if class == &raw mut ffi::PyLong_Type {
                self.integer(value.as_ptr())
            } else {
                surprise()
            }
        }
    }

    /// # Safety
    /// `value` is a string and lives.
    pub(super) unsafe fn one_of(&mut self, strings: &[Kept<PyString>], value: Object) -> Written {
        let is_known = strings.iter().any(|known| {
            let known = known.bind(self.py);
            // SAFETY: the caller says so; strings alone are compared, which runs no code.
            known.as_ptr() == value || unsafe { ffi::PyUnicode_Compare(known.as_ptr(), value) } == 0
        });
        if !is_known {
            return surprise();
        }
        // SAFETY: the caller says so.
        unsafe { self.text(value) }
    }
}
