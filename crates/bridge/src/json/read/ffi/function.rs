//! `loads` as one of the interpreter's fast calls: no tuple, no dictionary. Knows how arguments arrive.

use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{ptr, slice};

use pyloop::gil;
use pyo3::Borrowed;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use super::super::{Options, read};
use super::input::Text;

const DOCUMENTATION: &CStr = c"loads(data, /, *, max_depth=128, allow_nan=False)
--

The objects that a JSON document describes.";

const DEFAULTS: Options = Options {
    max_depth: 128,
    allow_nan: false,
};

unsafe extern "C" fn loads(
    _module: *mut ffi::PyObject,
    values: *const *mut ffi::PyObject,
    positional: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the interpreter calls attached, with `positional` live values, then one for each of `names`, and keeps
        // all of them until this returns.
        unsafe {
            let py = Python::assume_attached();
            if positional == 1 && names.is_null() {
                return load(Borrowed::from_ptr(py, *values), DEFAULTS);
            }
            let names = Borrowed::from_ptr_or_opt(py, names).map(|names| names.cast_unchecked());
            let count = names.map_or(0, |names: Borrowed<'_, '_, PyTuple>| names.len());
            let values = slice::from_raw_parts(values, positional.unsigned_abs() + count);
            attached(|py| {
                let (data, options) =
                    arguments(py, values, positional.unsigned_abs(), names.as_deref())?;
                Ok(load(data, options))
            })
        }
    }));
    outcome.unwrap_or_else(|_| {
        attached(|_| {
            Err(PyRuntimeError::new_err(
                "data_bridge: internal error (panic)",
            ))
        })
    })
}

/// Runs what may fail with an exception where `PyO3` knows the thread to be attached, so that exceptions can be dropped.
#[cold]
fn attached(f: impl FnOnce(Python<'_>) -> PyResult<*mut ffi::PyObject>) -> *mut ffi::PyObject {
    let outcome = gil::attach(|py| {
        f(py).unwrap_or_else(|error| {
            error.restore(py);
            ptr::null_mut()
        })
    });
    outcome.unwrap_or(ptr::null_mut())
}

/// The result for the interpreter: a new reference, or null with an error set.
#[inline]
fn load(data: Borrowed<'_, '_, PyAny>, options: Options) -> *mut ffi::PyObject {
    if let Some(text) = Text::immediate(&data) {
        return finish(data, text.bytes(), options);
    }
    attached(|_| {
        let text = Text::prepared(&data)?;
        Ok(finish(data, text.bytes(), options))
    })
}

#[inline]
fn finish(data: Borrowed<'_, '_, PyAny>, text: &[u8], options: Options) -> *mut ffi::PyObject {
    match read(data.py(), text, options) {
        Ok(object) => object.into_ptr(),
        Err(fault) => attached(|py| {
            let document = data
                .cast::<PyString>()
                .ok()
                .map(|string| string.as_any().to_owned());
            Err(fault.into_error(py, text, document.as_ref()))
        }),
    }
}

/// The document and the options of an unusual call.
///
/// # Safety
/// `values` are live: `positional` ones, then those of the `names`.
unsafe fn arguments<'a, 'py>(
    py: Python<'py>,
    values: &'a [*mut ffi::PyObject],
    positional: usize,
    names: Option<&Bound<'py, PyTuple>>,
) -> PyResult<(Borrowed<'a, 'py, PyAny>, Options)> {
    let [data, ..] = values[..positional] else {
        return Err(PyTypeError::new_err(
            "loads() missing required argument: 'data' (pos 1)",
        ));
    };
    if positional > 1 {
        return Err(PyTypeError::new_err(format!(
            "loads() takes exactly 1 positional argument ({positional} given)"
        )));
    }
    let mut options = DEFAULTS;
    for (name, value) in names.into_iter().flatten().zip(&values[positional..]) {
        // SAFETY: the caller says that it is live.
        let value = unsafe { Borrowed::from_ptr(py, *value) };
        match name.cast::<PyString>()?.to_str()? {
            "max_depth" => options.max_depth = value.extract()?,
            "allow_nan" => options.allow_nan = value.is_truthy()?,
            other => {
                let message = format!("loads() got an unexpected keyword argument '{other}'");
                return Err(PyTypeError::new_err(message));
            }
        }
    }
    // SAFETY: the caller says that it is live.
    Ok((unsafe { Borrowed::from_ptr(py, data) }, options))
}

/// Puts `loads` into the module.
pub fn install(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let definition = ffi::PyMethodDef {
        ml_name: c"loads".as_ptr(),
        ml_meth: ffi::PyMethodDefPointer {
            PyCFunctionFastWithKeywords: loads,
        },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: DOCUMENTATION.as_ptr(),
    };
    let name = module.name()?;
    // SAFETY: attached; the definition lives for ever, as the function may; `name` is a string.
    let function = unsafe {
        let definition = Box::leak(Box::new(definition));
        let function = ffi::PyCFunction_NewEx(definition, ptr::null_mut(), name.as_ptr());
        Bound::from_owned_ptr_or_err(module.py(), function)?
    };
    module.add("loads", function)
}
