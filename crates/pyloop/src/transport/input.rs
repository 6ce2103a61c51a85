//! What programs write: as immutable `bytes`, and whether they have been told that nobody reads it. Knows no transport.

use std::cell::Cell;

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView};

use crate::debug;

/// After so many writes on a lost connection each further one is warned of.
const WARN_AFTER: u32 = 5;

/// What a transport takes, as immutable `bytes`: anything that could change later is copied now. `wanted` is what the
/// interpreter's asyncio calls it.
pub fn exact_bytes<'py>(data: &Bound<'py, PyAny>, wanted: &str) -> PyResult<Bound<'py, PyBytes>> {
    if let Ok(data) = data.cast::<PyBytes>() {
        return Ok(data.clone());
    }
    if let Ok(data) = data.cast::<PyByteArray>() {
        return Ok(PyBytes::new(data.py(), &data.to_vec()));
    }
    if data.is_instance_of::<PyMemoryView>() {
        let copied = data.call_method0(intern!(data.py(), "tobytes"))?;
        return Ok(copied.cast_into()?);
    }
    let name = data.get_type().name()?.repr()?;
    Err(PyTypeError::new_err(format!(
        "data argument must be a {wanted}, not {name}"
    )))
}

/// One more write on a connection that is `lost`, and asyncio's warning once there are many.
pub fn count_lost(py: Python<'_>, lost: &Cell<u32>) -> PyResult<()> {
    if lost.get() >= WARN_AFTER {
        debug::logger(py)?.call_method1("warning", ("socket.send() raised exception.",))?;
    }
    lost.set(lost.get().saturating_add(1));
    Ok(())
}
