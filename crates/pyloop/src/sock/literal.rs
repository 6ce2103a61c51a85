//! IP addresses written as such, which nobody has to look up. Knows no socket.

use std::net::{Ipv4Addr, Ipv6Addr};

use pyo3::prelude::*;
use pyo3::types::{PyInt, PyString, PyTuple};

/// The family of `host`, and what `connect()` takes for it and `port`; `None`: a name, a zone, a service, or nothing.
pub fn resolved<'py>(
    host: &Bound<'py, PyAny>,
    port: &Bound<'py, PyAny>,
) -> PyResult<Option<(i32, Bound<'py, PyTuple>)>> {
    let py = host.py();
    let Ok(text) = host.cast_exact::<PyString>() else {
        return Ok(None);
    };
    let (true, Ok(text)) = (port.is_exact_instance_of::<PyInt>(), text.to_str()) else {
        return Ok(None);
    };
    if text.parse::<Ipv4Addr>().is_ok() {
        return Ok(Some((libc::AF_INET, (host, port).into_pyobject(py)?)));
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        let address = (host, port, 0, 0).into_pyobject(py)?;
        return Ok(Some((libc::AF_INET6, address)));
    }
    Ok(None)
}
