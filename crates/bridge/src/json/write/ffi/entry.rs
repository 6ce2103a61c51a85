//! `dumps` as the interpreter's fast call: no tuple, no dictionary, no trampoline. Knows how arguments arrive.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use pyloop::gil;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyString;
use pyo3::{Borrowed, ffi};

use super::buffer::Into;
use super::walk::Writer;
use crate::json::write::options::{NAMED, Options, Settings};

type Object = *mut ffi::PyObject;

/// Adds `dumps` and the names of its options to the module.
pub fn add_dumps(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let definition = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: c"dumps".as_ptr(),
        ml_meth: ffi::PyMethodDefPointer {
            PyCFunctionFastWithKeywords: dumps,
        },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: c"dumps(obj, /, default=None, option=None)\n--\n\nSerialise to JSON, see `data_bridge.json.dumps`.".as_ptr(),
    }));
    // SAFETY: attached; the definition lives as long as the process.
    let function = unsafe {
        let function =
            ffi::PyCFunction_NewEx(ptr::from_mut(definition), ptr::null_mut(), ptr::null_mut());
        Bound::from_owned_ptr_or_err(module.py(), function)?
    };
    for (name, bit) in NAMED {
        module.add(name, bit)?;
    }
    module.add("dumps", function)
}

/// Adds `respond`: a value as a response's body into a connection's output; gives its length.
#[cfg(feature = "testing")]
pub fn add_respond(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let definition = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: c"respond".as_ptr(),
        ml_meth: ffi::PyMethodDefPointer {
            PyCFunction: respond,
        },
        ml_flags: ffi::METH_O,
        ml_doc: c"respond(value, /)\n--\n\n".as_ptr(),
    }));
    // SAFETY: attached; the definition lives as long as the process.
    let function = unsafe {
        let function =
            ffi::PyCFunction_NewEx(ptr::from_mut(definition), ptr::null_mut(), ptr::null_mut());
        Bound::from_owned_ptr_or_err(module.py(), function)?
    };
    module.add("respond", function)
}

#[cfg(feature = "testing")]
unsafe extern "C" fn respond(_module: Object, value: Object) -> Object {
    use crate::json::model::{self, Plan};
    use api::exchange::Unconnected;
    use std::cell::RefCell;

    thread_local! {
        static OUTPUT: RefCell<Unconnected> = RefCell::default();
    }
    // SAFETY: the interpreter calls attached, with a live object.
    unsafe {
        let body = gil::attach(|py| {
            let body = model::body(&Plan::PLAIN, &Borrowed::from_ptr(py, value))?;
            body.ok_or_else(|| PyTypeError::new_err("the plan leaves this value to the app"))
        });
        match body.unwrap_or_else(|| Err(shutting_down())) {
            Ok(document) => {
                let length = OUTPUT.with_borrow_mut(|output| output.take(document.chunk()));
                ffi::PyLong_FromSize_t(length)
            }
            Err(error) => {
                gil::attach(|py| error.restore(py));
                ptr::null_mut()
            }
        }
    }
}

/// Where each argument stands: the object, `default`, `option`.
type Slots = [Object; 3];

const NAMES: [&str; 3] = ["obj", "default", "option"];

unsafe extern "C" fn dumps(
    _module: Object,
    values: *const Object,
    count: ffi::Py_ssize_t,
    names: Object,
) -> Object {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the interpreter calls attached, with `count` values and one more for each of `names`.
        unsafe {
            let py = Python::assume_attached();
            if count == 1 && names.is_null() {
                return run(
                    py,
                    [*values, ptr::null_mut(), ptr::null_mut()],
                    Options::NONE,
                );
            }
            // What may raise drops errors, which `PyO3` has to know to be attached for.
            let (slots, options) = gil::attach(|py| {
                let slots = slots(py, values, count.unsigned_abs(), names)?;
                Ok::<_, PyErr>((slots, options(py, slots[2])?))
            })
            .unwrap_or_else(|| Err(shutting_down()))?;
            run(py, slots, options)
        }
    }));
    let error = match outcome {
        Ok(Ok(bytes)) => return bytes,
        Ok(Err(error)) => error,
        Err(_) => PyRuntimeError::new_err("data_bridge: internal error (panic)"),
    };
    gil::attach(|py| error.restore(py));
    ptr::null_mut()
}

#[cold]
fn shutting_down() -> PyErr {
    PyRuntimeError::new_err("the interpreter is shutting down")
}

/// # Safety
/// As the interpreter calls `dumps`.
unsafe fn slots(
    py: Python<'_>,
    values: *const Object,
    count: usize,
    names: Object,
) -> PyResult<Slots> {
    let mut slots = [ptr::null_mut(); 3];
    if count > slots.len() {
        let text = format!("dumps() takes from 1 to 3 positional arguments but {count} were given");
        return Err(PyTypeError::new_err(text));
    }
    // SAFETY: the caller says so.
    unsafe {
        for (index, slot) in slots.iter_mut().enumerate().take(count) {
            *slot = *values.add(index);
        }
        if !names.is_null() {
            for index in 0..ffi::PyTuple_GET_SIZE(names) {
                let name = Borrowed::from_ptr(py, ffi::PyTuple_GET_ITEM(names, index));
                let place = place(&name, &slots)?;
                slots[place] = *values.add(count + index.unsigned_abs());
            }
        }
    }
    if slots[0].is_null() {
        let text = "dumps() missing 1 required positional argument: 'obj'";
        return Err(PyTypeError::new_err(text));
    }
    Ok(slots)
}

/// The place of a named argument.
fn place(name: &Bound<'_, PyAny>, slots: &Slots) -> PyResult<usize> {
    let name = name.cast::<PyString>()?;
    // The object itself has no name: orjson's has none either.
    match NAMES.iter().skip(1).position(|known| name == known) {
        Some(found) if slots[found + 1].is_null() => Ok(found + 1),
        Some(found) => Err(PyTypeError::new_err(format!(
            "dumps() got multiple values for argument '{}'",
            NAMES[found + 1]
        ))),
        None => Err(PyTypeError::new_err(format!(
            "dumps() got an unexpected keyword argument '{name}'"
        ))),
    }
}

/// # Safety
/// Attached; the slots hold objects that live during the call, or null.
#[inline]
unsafe fn run(py: Python<'_>, [object, default, _]: Slots, options: Options) -> PyResult<Object> {
    // SAFETY: the caller says so; a null or `None` stands for an argument that was not given.
    unsafe {
        let given = !default.is_null() && default != ffi::Py_None();
        let default = given.then(|| Bound::from_borrowed_ptr(py, default));
        let settings = Settings {
            options,
            default: default.as_ref(),
        };
        let mut writer = Writer::new(py, Into::Python, settings);
        let object = Borrowed::from_ptr(py, object);
        let written = writer.write(&object);
        if written.is_ok() && options.has(Options::APPEND_NEWLINE) {
            writer.buffer().literal(*b"\n")?;
        }
        match written {
            Ok(()) => Ok(writer.buffer().take_bytes(py)?.into_ptr()),
            Err(stop) => Err(gil::attach(|py| stop.into_err(py)).unwrap_or_else(shutting_down)),
        }
    }
}

/// # Safety
/// `option` lives, or is null.
unsafe fn options(py: Python<'_>, option: Object) -> PyResult<Options> {
    // SAFETY: the caller says so.
    let option = unsafe { Bound::from_borrowed_ptr_or_opt(py, option) };
    let Some(option) = option.filter(|option| !option.is_none()) else {
        return Ok(Options::NONE);
    };
    let known = option.extract::<u32>().ok().and_then(Options::from_bits);
    known.ok_or_else(|| {
        let text = "option is not a combination of data_bridge.json's OPT_* values";
        PyTypeError::new_err(text)
    })
}
