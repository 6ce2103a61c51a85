//! Whom an asyncio `Server` counts among its clients. Knows no socket.
//!
//! From Python 3.13 on a server has a weak set of them, and `_attach()` and `_detach()` do little more than add and
//! discard: that is done from here, without the calls of both classes. Older ones only count.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PySet, PySetMethods, PyString, PyWeakrefReference};

use super::attributes::{Attributes, name};
use super::original::Original;
use crate::ffi::python;

/// `server._attach(transport)`
pub fn attach(server: &Bound<'_, PyAny>, transport: &Bound<'_, PyAny>) -> PyResult<()> {
    tell(server, transport, intern!(server.py(), "_attach"), |set| {
        let reference = PyWeakrefReference::new_with(transport, &set.remove)?;
        set.references.add(reference)
    })
}

/// `server._detach(transport)`
pub fn detach(server: &Bound<'_, PyAny>, transport: &Bound<'_, PyAny>) -> PyResult<()> {
    tell(server, transport, intern!(server.py(), "_detach"), |set| {
        let reference = PyWeakrefReference::new(transport)?;
        set.references.discard(reference).map(drop)
    })
}

fn tell<'py>(
    server: &Bound<'py, PyAny>,
    transport: &Bound<'py, PyAny>,
    method: &Bound<'py, PyString>,
    change: impl FnOnce(&WeakSet<'py>) -> PyResult<()>,
) -> PyResult<()> {
    if !python::is_at_least(13) {
        return server.call_method0(method).map(drop);
    }
    match clients_of_open(server)? {
        Some(clients) => change(&clients),
        None => server.call_method1(method, (transport,)).map(drop),
    }
}

/// The set of a server that is asyncio's own and still open: nobody waits for the last client to leave.
fn clients_of_open<'py>(server: &Bound<'py, PyAny>) -> PyResult<Option<WeakSet<'py>>> {
    if !Original::server(server.py())?.has_made_untouched(server)? {
        return Ok(None);
    }
    let attributes = Attributes::of(server)?;
    let is_changed = attributes.has(name!("_attach"))? || attributes.has(name!("_detach"))?;
    if is_changed || attributes.is_none(name!("_sockets"))? {
        return Ok(None);
    }
    WeakSet::of(&attributes.get(name!("_clients"))?)
}

/// What a `weakref.WeakSet` is made of.
struct WeakSet<'py> {
    references: Bound<'py, PySet>,
    /// Called with a reference whose object is gone.
    remove: Bound<'py, PyAny>,
}

impl<'py> WeakSet<'py> {
    /// `None`: somebody has changed something about it.
    fn of(set: &Bound<'py, PyAny>) -> PyResult<Option<Self>> {
        if !Original::weak_set(set.py())?.has_made_untouched(set)? {
            return Ok(None);
        }
        let attributes = Attributes::of(set)?;
        let Ok(references) = attributes.get(name!("data"))?.cast_into_exact() else {
            return Ok(None);
        };
        let remove = attributes.get(name!("_remove"))?;
        Ok(Some(Self { references, remove }))
    }
}
