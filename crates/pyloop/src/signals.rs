//! Signals: the wake-up descriptor of the main thread's loop, and `add_signal_handler`. Knows nothing of what handlers do.
//!
//! The interpreter's own C handler writes the number of each signal into a descriptor; here it is one end of a socket
//! pair whose other end lies in the loop's poller. So a signal ends every sleep, whoever waits, and no signal handler
//! but the interpreter's is ever installed.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use pyo3::exceptions::{PyOSError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyCFunction, PyDict, PyInt};
use pyo3::{PyTraverseError, PyVisit};

use crate::core::Core;
use crate::ffi::handle::{CANCELLED, HandleRef};
use crate::ffi::sys;
use crate::poller::{Events, Interest, Mode, Source};
use crate::ready::Ready;

/// The loop's end of the pair, registered with the poller.
struct Receiver(RawFd);

impl Source for Receiver {
    fn only_queues(&self) -> bool {
        true
    }

    fn ready(&self, py: Python<'_>, core: &Core, _events: Events) {
        let mut numbers = [0_u8; 256];
        loop {
            let count = sys::read_available(self.0, &mut numbers);
            for number in &numbers[..count] {
                core.signals.deliver(py, core, *number);
            }
            core.signals.forward(&numbers[..count]);
            if count < numbers.len() {
                break;
            }
        }
    }
}

struct Pair {
    receiver: UnixStream,
    sender: UnixStream,
}

/// The signals of one loop.
#[derive(Default)]
pub(crate) struct Signals {
    pair: RefCell<Option<Pair>>,
    /// The descriptor that was in place before ours.
    saved: Cell<Option<RawFd>>,
    handlers: RefCell<BTreeMap<u8, HandleRef>>,
}

fn module(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    MODULE
        .get_or_try_init(py, || py.import("signal").map(Bound::unbind))
        .map(|module| module.bind(py))
}

fn set_wakeup_fd(py: Python<'_>, fd: RawFd) -> PyResult<RawFd> {
    let options = PyDict::new(py);
    options.set_item(intern!(py, "warn_on_full_buffer"), false)?;
    module(py)?
        .call_method(intern!(py, "set_wakeup_fd"), (fd,), Some(&options))?
        .extract()
}

impl Signals {
    fn deliver(&self, py: Python<'_>, core: &Core, number: u8) {
        let handle = self
            .handlers
            .borrow()
            .get(&number)
            .map(|handle| handle.clone_ref(py));
        match handle {
            Some(handle) if handle.has(CANCELLED) => {
                if let Err(error) = remove(core, py, number.into()) {
                    core.report(
                        py,
                        error,
                        "Exception in removing a cancelled signal handler",
                        &[],
                    );
                }
            }
            Some(handle) => core.ready.push(Ready::Handle(handle)),
            None => {}
        }
    }

    /// Passes the numbers on to whoever had set a wake-up descriptor before.
    fn forward(&self, numbers: &[u8]) {
        if let Some(fd) = self
            .saved
            .get()
            .filter(|fd| *fd >= 0 && !numbers.is_empty())
        {
            sys::write_some(fd, numbers);
        }
    }

    /// Puts our descriptor in place. `ValueError` in any thread but the main one.
    fn install(&self, py: Python<'_>, core: &Core) -> PyResult<()> {
        if self.saved.get().is_some() {
            return Ok(());
        }
        if self.pair.borrow().is_none() {
            let (receiver, sender) = UnixStream::pair()?;
            receiver.set_nonblocking(true)?;
            sender.set_nonblocking(true)?;
            let fd = receiver.as_raw_fd();
            core.poller()
                .register(fd, Mode::Level, Interest::READ, Rc::new(Receiver(fd)))?;
            self.pair.replace(Some(Pair { receiver, sender }));
        }
        let fd = self
            .pair
            .borrow()
            .as_ref()
            .map_or(-1, |pair| pair.sender.as_raw_fd());
        self.saved.set(Some(set_wakeup_fd(py, fd)?));
        Ok(())
    }

    /// Puts the earlier descriptor back, unless somebody has replaced ours meanwhile.
    fn uninstall(&self, py: Python<'_>) -> PyResult<()> {
        let Some(saved) = self.saved.take() else {
            return Ok(());
        };
        let ours = self
            .pair
            .borrow()
            .as_ref()
            .map_or(-1, |pair| pair.sender.as_raw_fd());
        let current = set_wakeup_fd(py, saved)?;
        if current != ours {
            set_wakeup_fd(py, current)?;
        }
        Ok(())
    }

    /// The loop starts to run: in the main thread, signals must end its sleep.
    pub(crate) fn begin_run(&self, py: Python<'_>, core: &Core) -> PyResult<()> {
        match self.install(py, core) {
            Err(error) if error.is_instance_of::<PyValueError>(py) => Ok(()),
            result => result,
        }
    }

    /// The loop stops: the descriptor stays only for the sake of registered handlers.
    pub(crate) fn end_run(&self, py: Python<'_>) -> PyResult<()> {
        if self.handlers.borrow().is_empty() {
            self.uninstall(py)
        } else {
            Ok(())
        }
    }

    /// The registered signal numbers.
    pub(crate) fn registered(&self) -> Vec<i32> {
        self.handlers
            .borrow()
            .keys()
            .map(|number| i32::from(*number))
            .collect()
    }

    /// Ends it all; after every handler was removed.
    pub(crate) fn close(&self, py: Python<'_>, core: &Core) -> PyResult<()> {
        drop(std::mem::take(&mut *self.handlers.borrow_mut()));
        let result = if self.saved.get().is_some() {
            self.uninstall(py)
        } else {
            Ok(())
        };
        if let Some(pair) = self.pair.take() {
            core.poller().deregister(pair.receiver.as_raw_fd());
        }
        result
    }

    /// The descriptors, for a forked child that must not share them.
    pub(crate) fn fds(&self) -> Vec<RawFd> {
        self.pair.borrow().as_ref().map_or_else(Vec::new, |p| {
            vec![p.receiver.as_raw_fd(), p.sender.as_raw_fd()]
        })
    }

    /// Whether our wake-up descriptor is in place.
    pub(crate) fn is_installed(&self) -> bool {
        self.saved.get().is_some()
    }

    /// Shows the handlers to the garbage collector.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(handlers) = self.handlers.try_borrow() else {
            return Ok(());
        };
        handlers
            .values()
            .try_for_each(|handle| handle.visit_queued(visit))
    }
}

/// A signal number, checked as asyncio does.
pub(crate) fn check(signal: &Bound<'_, PyAny>) -> PyResult<i32> {
    let py = signal.py();
    if !signal.is_instance_of::<PyInt>() {
        return Err(PyTypeError::new_err(format!(
            "sig must be an int, not {}",
            signal.repr()?
        )));
    }
    if !module(py)?
        .call_method0(intern!(py, "valid_signals"))?
        .contains(signal)?
    {
        return Err(PyValueError::new_err(format!(
            "invalid signal number {}",
            signal.str()?
        )));
    }
    signal.extract()
}

fn uncatchable(py: Python<'_>, error: PyErr, number: i32) -> PyErr {
    let errno = error
        .value(py)
        .getattr(intern!(py, "errno"))
        .and_then(|errno| errno.extract::<i32>());
    if errno.is_ok_and(|errno| errno == libc::EINVAL) {
        return PyRuntimeError::new_err(format!("sig {number} cannot be caught"));
    }
    error
}

/// Registers `handle` for a signal that [`check`] has passed.
pub(crate) fn add(core: &Core, py: Python<'_>, number: i32, handle: HandleRef) -> PyResult<()> {
    let key = u8::try_from(number).map_err(io::Error::other)?;
    core.signals.install(py, core).map_err(|error| {
        let refused =
            error.is_instance_of::<PyValueError>(py) || error.is_instance_of::<PyOSError>(py);
        if refused {
            PyRuntimeError::new_err(error.value(py).to_string())
        } else {
            error
        }
    })?;
    let replaced = core.signals.handlers.borrow_mut().insert(key, handle);
    drop(replaced);
    let set = || -> PyResult<()> {
        let signal = module(py)?;
        // The interpreter writes the number for signals with a handler in Python only; this one does nothing.
        signal.call_method1(intern!(py, "signal"), (number, noop(py)?))?;
        signal.call_method1(intern!(py, "siginterrupt"), (number, false))?;
        Ok(())
    };
    set().map_err(|error| {
        drop(core.signals.handlers.borrow_mut().remove(&key));
        if core.signals.handlers.borrow().is_empty() && !core.is_running() {
            // The reason of the failure matters more than a second one.
            let _ = core.signals.uninstall(py);
        }
        uncatchable(py, error, number)
    })
}

fn noop(py: Python<'_>) -> PyResult<&Bound<'_, PyCFunction>> {
    static NOOP: PyOnceLock<Py<PyCFunction>> = PyOnceLock::new();
    let make = || PyCFunction::new_closure(py, None, None, |_, _| ()).map(Bound::unbind);
    NOOP.get_or_try_init(py, make).map(|noop| noop.bind(py))
}

/// Takes a handler away and restores the signal's default. `false`: there was none.
pub(crate) fn remove(core: &Core, py: Python<'_>, number: i32) -> PyResult<bool> {
    let removed = u8::try_from(number)
        .ok()
        .and_then(|key| core.signals.handlers.borrow_mut().remove(&key));
    if removed.is_none() {
        return Ok(false);
    }
    let signal = module(py)?;
    let default = if number == libc::SIGINT {
        intern!(py, "default_int_handler")
    } else {
        intern!(py, "SIG_DFL")
    };
    signal
        .call_method1(intern!(py, "signal"), (number, signal.getattr(default)?))
        .map_err(|error| uncatchable(py, error, number))?;
    if core.signals.handlers.borrow().is_empty() && !core.is_running() {
        core.signals.uninstall(py)?;
    }
    Ok(true)
}
