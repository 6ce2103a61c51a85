//! Forked children: a child shares descriptors with its parent, so it must not use the parent's loops.
//! Knows which loops live, and nothing of what they do.

use std::cell::RefCell;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyWeakrefMethods, PyWeakrefReference};

use crate::core::Core;
use crate::event_loop::EventLoop;
use crate::ffi::cell::GilCell;
use crate::ffi::sys;
use crate::runtime;

static LOOPS: GilCell<RefCell<Vec<Py<PyWeakrefReference>>>> =
    GilCell::new(RefCell::new(Vec::new()));

/// Notes a new loop, and forgets the dead ones now and then.
pub(crate) fn register(event_loop: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = event_loop.py();
    let reference = PyWeakrefReference::new(event_loop)?.unbind();
    let mut known = LOOPS.get(py).take();
    if known.len() == known.capacity() {
        known.retain(|loop_reference| loop_reference.bind(py).upgrade().is_some());
    }
    known.push(reference);
    LOOPS.get(py).replace(known);
    Ok(())
}

/// Has [`after_in_child`] called in every forked child.
pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
    let hook = pyo3::types::PyCFunction::new_closure(py, None, None, |arguments, _| {
        after_in_child(arguments.py());
    })?;
    let options = PyDict::new(py);
    options.set_item(intern!(py, "after_in_child"), hook)?;
    py.import("os")?
        .call_method(intern!(py, "register_at_fork"), (), Some(&options))
        .map(drop)
}

/// In the child: makes the inherited loops unusable and gives their descriptors back.
fn after_in_child(py: Python<'_>) {
    runtime::forget_all();
    for reference in LOOPS.get(py).take() {
        let Some(event_loop) = reference.bind(py).upgrade() else {
            continue;
        };
        if let Ok(event_loop) = event_loop.cast::<EventLoop>() {
            abandon(py, event_loop.get().core(py));
        }
    }
}

fn abandon(py: Python<'_>, core: &Core) {
    core.set_forked();
    if core.signals.is_installed() {
        // Newer interpreters do this themselves; a failure leaves a descriptor that is inert below.
        let reset = py
            .import("signal")
            .and_then(|signal| signal.call_method1("set_wakeup_fd", (-1,)));
        drop(reset);
    }
    // The epoll set is an object of the kernel's, shared with the parent: the child must neither wait on it nor change it.
    let mut fds = core.signals.fds();
    fds.extend([core.poller().epoll_fd(), core.shared().bell_fd()]);
    for fd in fds {
        sys::neutralise(fd);
    }
}
