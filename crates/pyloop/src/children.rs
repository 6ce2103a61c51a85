//! The ends of child processes, seen by their pidfds. Knows neither pipes nor how a child is started.

use std::cell::RefCell;
use std::io;
use std::os::fd::AsRawFd;
use std::rc::Rc;

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use crate::core::Core;
use crate::ffi::process::{self, PidFd};
use crate::poller::{Events, Interest, Mode, Source};

/// A child that was not seen to end yet. The poller owns it, and so closes the descriptor when the loop is closed.
struct Child {
    pid: i32,
    pidfd: PidFd,
    told: RefCell<Option<Told>>,
}

/// Who is told.
struct Told {
    callback: Py<PyAny>,
    argument: Py<PyAny>,
}

/// Has `callback(pid, returncode, argument)` called when the child ends; `None` for a status that somebody else has taken.
pub(crate) fn add(
    core: &Core,
    pid: i32,
    callback: &Bound<'_, PyAny>,
    argument: &Bound<'_, PyAny>,
) -> PyResult<()> {
    core.check_usable()?;
    let pidfd = PidFd::open(pid)?;
    let fd = pidfd.as_raw_fd();
    let told = Told {
        callback: callback.clone().unbind(),
        argument: argument.clone().unbind(),
    };
    let child = Child {
        pid,
        pidfd,
        told: RefCell::new(Some(told)),
    };
    core.poller()
        .register(fd, Mode::Edge, Interest::READ, Rc::new(child))?;
    Ok(())
}

impl Source for Child {
    fn ready(&self, py: Python<'_>, core: &Core, _events: Events) {
        let status = match process::wait(self.pid) {
            Ok(None) => return,
            Ok(status) => status,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return,
            Err(_) => None,
        };
        let Some(told) = self.told.take() else { return };
        // The caller holds the last reference to `self`: the descriptor is closed when it returns.
        core.poller().forget(self.pidfd.as_raw_fd());
        let queued = || {
            let arguments = [
                self.pid.into_pyobject(py)?.into_any(),
                status.into_pyobject(py)?.into_any(),
                told.argument.into_bound(py),
            ];
            core.call_soon(py, told.callback.bind(py), &arguments, None)
        };
        if let Err(error) = queued() {
            core.interrupt(error);
        }
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(told) = self.told.try_borrow()
            && let Some(told) = told.as_ref()
        {
            visit.call(&told.callback)?;
            visit.call(&told.argument)?;
        }
        Ok(())
    }
}
