//! Whom an asyncio `Server` counts among its clients. Knows no socket.
//!
//! From Python 3.13 on a server has a weak set of them, and `_attach()` and `_detach()` do little more than add and
//! discard: that is done from here. Older ones only count.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::attributes::{Attributes, name};
use super::original::Original;
use crate::ffi::python;

/// `server._attach(transport)`
pub fn attach(server: &Bound<'_, PyAny>, transport: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = server.py();
    let (change, method) = (intern!(py, "add"), intern!(py, "_attach"));
    tell(server, transport, change, method)
}

/// `server._detach(transport)`
pub fn detach(server: &Bound<'_, PyAny>, transport: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = server.py();
    let (change, method) = (intern!(py, "discard"), intern!(py, "_detach"));
    tell(server, transport, change, method)
}

fn tell<'py>(
    server: &Bound<'py, PyAny>,
    transport: &Bound<'py, PyAny>,
    change: &Bound<'py, PyString>,
    method: &Bound<'py, PyString>,
) -> PyResult<()> {
    if !python::is_at_least(13) {
        return server.call_method0(method).map(drop);
    }
    if let Some(clients) = clients_of_open(server)? {
        return clients.call_method1(change, (transport,)).map(drop);
    }
    server.call_method1(method, (transport,)).map(drop)
}

/// The set of a server that is asyncio's own and still open: nobody waits for the last client to leave.
fn clients_of_open<'py>(server: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = server.py();
    let original = Original::server(py)?;
    if !original.has_made(server) || !original.is_untouched(py)? {
        return Ok(None);
    }
    let attributes = Attributes::of(server)?;
    let is_changed = attributes.has(name!("_attach"))? || attributes.has(name!("_detach"))?;
    if is_changed || attributes.is_none(name!("_sockets"))? {
        return Ok(None);
    }
    attributes.get(name!("_clients")).map(Some)
}
