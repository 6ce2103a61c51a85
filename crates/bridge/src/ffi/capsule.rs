//! A native handler behind a Python capsule.

use api::native::foreign::Foreign;
use data_bridge_abi as abi;
use pyo3::exceptions::{PyImportError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyCapsuleMethods};

/// The handler that `capsule` points to. `TypeError` for another kind of capsule, `ImportError` for another version.
pub fn handler(capsule: &Bound<'_, PyCapsule>) -> PyResult<Foreign> {
    let name = capsule.name()?;
    // SAFETY: the name is read now, while the capsule has it.
    let name = name.map(|name| unsafe { name.as_cstr() }.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let Some(version) = name.strip_prefix(abi::CAPSULE_STEM) else {
        return Err(PyTypeError::new_err(format!(
            "the capsule {name:?} is no native handler: those of data-bridge-sdk are called {:?}",
            abi::CAPSULE.to_string_lossy()
        )));
    };
    if version != abi::VERSION.to_string() {
        return Err(refuse(&format!("version {version}")));
    }
    let pointer = capsule.pointer_checked(Some(abi::CAPSULE))?;
    // SAFETY: the capsule has the contract's name and version.
    unsafe { Foreign::new(pointer.as_ptr()) }.map_err(|error| refuse(&error.to_string()))
}

fn refuse(found: &str) -> PyErr {
    PyImportError::new_err(format!(
        "the native handler was built for another ABI ({found}) than that of data_bridge {}, version {}: build its module \
         with the data-bridge-sdk of that release",
        env!("CARGO_PKG_VERSION"),
        abi::VERSION
    ))
}
