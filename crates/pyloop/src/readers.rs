//! `add_reader` and its like: level-triggered callbacks on any descriptor. Knows no transport.

use std::cell::RefCell;
use std::os::fd::RawFd;
use std::rc::Rc;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyInt;
use pyo3::{PyTraverseError, PyVisit};

use crate::core::Core;
use crate::ffi::handle::{CANCELLED, HandleRef};
use crate::poller::{Events, Interest, Mode, Source};
use crate::ready::Ready;
use crate::sock::Operations;

/// Which callback.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Read,
    Write,
}

/// A callback and the file object it was asked for, which must not be closed by the garbage collector meanwhile.
struct Side {
    handle: HandleRef,
    file: Py<PyAny>,
}

/// The callbacks of one descriptor.
pub struct Watch {
    fd: RawFd,
    reader: RefCell<Option<Side>>,
    writer: RefCell<Option<Side>>,
    /// The `sock_*` calls that wait for the same descriptor.
    operations: RefCell<Option<Rc<Operations>>>,
}

impl Watch {
    fn new(fd: RawFd, operations: Option<Rc<Operations>>) -> Self {
        Self {
            fd,
            reader: RefCell::default(),
            writer: RefCell::default(),
            operations: RefCell::new(operations),
        }
    }

    fn side(&self, direction: Direction) -> &RefCell<Option<Side>> {
        match direction {
            Direction::Read => &self.reader,
            Direction::Write => &self.writer,
        }
    }

    fn interest(&self) -> Interest {
        let read = if self.reader.borrow().is_some() {
            Interest::READ
        } else {
            Interest::NONE
        };
        let write = if self.writer.borrow().is_some() {
            Interest::WRITE
        } else {
            Interest::NONE
        };
        let operations = self.operations.borrow();
        let operations = operations.as_ref().map_or(Interest::NONE, |o| o.interest());
        read | write | operations
    }

    /// From now on `operations` hear of the descriptor too.
    pub fn join(&self, operations: Rc<Operations>) {
        let replaced = self.operations.replace(Some(operations));
        drop(replaced); // outside the borrow
    }

    fn queue(&self, core: &Core, py: Python<'_>, direction: Direction) {
        let handle = self
            .side(direction)
            .borrow()
            .as_ref()
            .map(|side| side.handle.clone_ref(py));
        match handle {
            Some(handle) if handle.has(CANCELLED) => {
                remove(core, self.fd, direction);
            }
            Some(handle) => core.ready.push(Ready::Handle(handle)),
            None => {}
        }
    }

    /// Whether `file` is what a callback was asked for.
    fn is_for(&self, file: &Bound<'_, PyAny>) -> bool {
        [&self.reader, &self.writer]
            .iter()
            .any(|side| side.borrow().as_ref().is_some_and(|s| s.file.is(file)))
    }
}

impl Source for Watch {
    fn only_queues(&self) -> bool {
        true
    }

    fn ready(&self, py: Python<'_>, core: &Core, events: Events) {
        if events.readable() {
            self.queue(core, py, Direction::Read);
        }
        if events.writable() {
            self.queue(core, py, Direction::Write);
        }
        if let Some(operations) = self.operations() {
            operations.ready(py, core, events);
            operations_changed(core, self.fd);
        }
    }

    fn operations(&self) -> Option<Rc<Operations>> {
        self.operations.borrow().clone()
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        for side in [&self.reader, &self.writer] {
            if let Ok(side) = side.try_borrow()
                && let Some(side) = side.as_ref()
            {
                visit.call(&side.file)?;
                side.handle.visit_queued(visit)?;
            }
        }
        if let Ok(operations) = self.operations.try_borrow()
            && let Some(operations) = operations.as_ref()
        {
            operations.traverse(visit)?;
        }
        Ok(())
    }

    fn as_watch(&self) -> Option<&Watch> {
        Some(self)
    }
}

/// The descriptor of an integer or of an object with `fileno()`.
fn fileno(file: &Bound<'_, PyAny>) -> PyResult<RawFd> {
    let py = file.py();
    let invalid = || PyValueError::new_err(format!("Invalid file object: {file:?}"));
    if let Ok(number) = file.cast::<PyInt>() {
        return number.extract().map_err(|_| invalid());
    }
    let number = file
        .call_method0(intern!(py, "fileno"))
        .map_err(|_| invalid())?;
    let number = number.cast::<PyInt>().map_err(|_| invalid())?;
    number.extract().map_err(|_| invalid())
}

/// The descriptor that `file` means; a file closed meanwhile is found by identity.
fn lookup(core: &Core, file: &Bound<'_, PyAny>) -> PyResult<RawFd> {
    let fd = fileno(file)?;
    if fd >= 0 {
        if let Some(transport) = core
            .poller()
            .source(fd)
            .and_then(|source| source.transport(file.py()))
        {
            return Err(PyRuntimeError::new_err(format!(
                "File descriptor {} is used by transport {}",
                file.repr()?,
                transport.repr()?
            )));
        }
        return Ok(fd);
    }
    let sources = core.poller().sources();
    let known = sources
        .iter()
        .find(|(_, source)| source.as_watch().is_some_and(|watch| watch.is_for(file)));
    known
        .map(|(fd, _)| *fd)
        .ok_or_else(|| PyValueError::new_err(format!("Invalid file descriptor: {fd}")))
}

/// Refuses a descriptor that belongs to a transport already.
pub(crate) fn check_free(core: &Core, file: &Bound<'_, PyAny>) -> PyResult<()> {
    lookup(core, file).map(drop)
}

/// Sets or replaces the callback of `file` for one direction.
pub(crate) fn add(
    core: &Core,
    file: &Bound<'_, PyAny>,
    direction: Direction,
    handle: HandleRef,
) -> PyResult<()> {
    let fd = lookup(core, file)?;

    let side = Side {
        handle,
        file: file.clone().unbind(),
    };
    let registered = core.poller().source(fd);
    if let Some(watch) = registered.as_ref().and_then(|source| source.as_watch()) {
        let before = watch.interest();
        let replaced = watch.side(direction).replace(Some(side));
        if watch.interest() != before {
            core.poller().modify(fd, watch.interest())?;
        }
        cancel(replaced, file.py())?;
        return Ok(());
    }
    let watch = Watch::new(fd, registered.and_then(|source| source.operations()));
    watch.side(direction).replace(Some(side));
    core.poller()
        .register(fd, Mode::Level, watch.interest(), Rc::new(watch))?;
    Ok(())
}

/// Takes the callback of `file` for one direction away. `false`: there was none.
pub(crate) fn remove_file(
    core: &Core,
    file: &Bound<'_, PyAny>,
    direction: Direction,
) -> PyResult<bool> {
    let fd = lookup(core, file)?;
    if core.is_closed() {
        return Ok(false);
    }
    cancel(remove(core, fd, direction), file.py())
}

/// Has `operations` told of `fd` for as long as they wait, and as often as it is ready.
pub(crate) fn watch_for(core: &Core, fd: RawFd, operations: Rc<Operations>) -> PyResult<()> {
    let watch = Rc::new(Watch::new(fd, Some(operations)));
    core.poller()
        .register(fd, Mode::Level, Interest::NONE, watch)?;
    Ok(())
}

/// A `sock_*` call has come or gone: a level-triggered descriptor is watched only as long as somebody waits.
pub(crate) fn operations_changed(core: &Core, fd: RawFd) {
    if let Some(source) = core.poller().source(fd)
        && let Some(watch) = source.as_watch()
    {
        watched(core, fd, watch);
    }
}

fn watched(core: &Core, fd: RawFd, watch: &Watch) {
    let gone =
        watch.interest() == Interest::NONE || core.poller().modify(fd, watch.interest()).is_err();
    if gone {
        core.poller().deregister(fd);
    }
}

fn remove(core: &Core, fd: RawFd, direction: Direction) -> Option<Side> {
    let registered = core.poller().source(fd)?;
    let watch = registered.as_watch()?;
    let removed = watch.side(direction).take()?;
    watched(core, fd, watch);
    Some(removed)
}

fn cancel(side: Option<Side>, py: Python<'_>) -> PyResult<bool> {
    let Some(side) = side else { return Ok(false) };
    side.handle.bind(py).call_method0(intern!(py, "cancel"))?;
    Ok(true)
}
