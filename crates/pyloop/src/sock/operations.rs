//! The calls that wait for one socket, in order, and what its descriptor is known to be ready for. Knows no system call.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::os::fd::RawFd;
use std::rc::Rc;

use pyo3::exceptions::PyOSError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};
use pyo3::{PyTraverseError, PyVisit};

use super::attempt::{Attempt, Outcome};
use crate::core::Core;
use crate::handle;
use crate::poller::{Events, Interest, Source};
use crate::readers::Direction;

/// A call that waits.
pub struct Operation {
    sock: Py<PyAny>,
    future: Py<PyAny>,
    attempt: Attempt,
}

impl Operation {
    /// `attempt` on `sock`, whose result goes to `future`.
    pub fn new(sock: &Bound<'_, PyAny>, future: &Bound<'_, PyAny>, attempt: Attempt) -> Rc<Self> {
        Rc::new(Self {
            sock: sock.clone().unbind(),
            future: future.clone().unbind(),
            attempt,
        })
    }

    fn is_done(&self, py: Python<'_>) -> bool {
        self.future
            .call_method0(py, intern!(py, "done"))
            .and_then(|done| done.is_truthy(py))
            .unwrap_or(true)
    }

    fn finish(&self, py: Python<'_>, result: PyResult<Bound<'_, PyAny>>) -> PyResult<()> {
        let future = self.future.bind(py);
        match result {
            Ok(value) => future.call_method1(intern!(py, "set_result"), (value,)),
            Err(error) => {
                future.call_method1(intern!(py, "set_exception"), (error.into_value(py),))
            }
        }
        .map(drop)
    }
}

type Queue = RefCell<VecDeque<Rc<Operation>>>;

/// Everything that waits for one socket.
pub struct Operations {
    fd: RawFd,
    /// Whose descriptor it is. Not kept alive: a socket that everybody forgot must close.
    sock: Option<Py<PyWeakrefReference>>,
    /// On TCP a short read means that nothing is left.
    is_tcp: bool,
    reading: Queue,
    writing: Queue,
    /// There may be something to read. Edges come once, so they are remembered until a call contradicts them.
    readable: Cell<bool>,
    writable: Cell<bool>,
    /// The end of the stream, an error or urgent data lies ahead: a short read says nothing.
    ended: Cell<bool>,
}

impl Operations {
    /// Nothing waits yet.
    pub fn new(sock: &Bound<'_, PyAny>, fd: RawFd) -> Self {
        Self {
            fd,
            sock: PyWeakrefReference::new(sock).ok().map(Bound::unbind),
            is_tcp: super::is_tcp(fd),
            reading: RefCell::default(),
            writing: RefCell::default(),
            readable: Cell::new(true),
            writable: Cell::new(true),
            ended: Cell::new(false),
        }
    }

    /// Whether the descriptor was registered for this very object, and not for an earlier one of the same number.
    pub fn is_for(&self, sock: &Bound<'_, PyAny>) -> bool {
        self.sock
            .as_ref()
            .and_then(|known| known.bind(sock.py()).upgrade())
            .is_some_and(|known| known.is(sock))
    }

    fn queue(&self, direction: Direction) -> &Queue {
        match direction {
            Direction::Read => &self.reading,
            Direction::Write => &self.writing,
        }
    }

    fn readiness(&self, direction: Direction) -> &Cell<bool> {
        match direction {
            Direction::Read => &self.readable,
            Direction::Write => &self.writable,
        }
    }

    /// `false`: a call would find nothing, the kernel will say when it does.
    pub(crate) fn may_be_ready(&self, direction: Direction) -> bool {
        self.readiness(direction).get()
    }

    /// A read got less than it asked for.
    pub fn was_short(&self) {
        if self.is_tcp && !self.ended.get() {
            self.readable.set(false);
        }
    }

    /// Puts a call that came too early last.
    pub(crate) fn push(&self, direction: Direction, operation: Rc<Operation>) {
        self.readiness(direction).set(false);
        self.queue(direction).borrow_mut().push_back(operation);
    }

    /// The directions that somebody waits for.
    pub fn interest(&self) -> Interest {
        let of = |queue: &Queue, interest| {
            if queue.borrow().is_empty() {
                Interest::NONE
            } else {
                interest
            }
        };
        of(&self.reading, Interest::READ) | of(&self.writing, Interest::WRITE)
    }

    /// Takes the call of a future away. `false`: there is none.
    pub fn forget(&self, future: &Bound<'_, PyAny>) -> bool {
        for queue in [&self.reading, &self.writing] {
            let at = queue
                .borrow()
                .iter()
                .position(|operation| operation.future.is(future));
            if let Some(at) = at {
                let forgotten = queue.borrow_mut().remove(at);
                drop(forgotten); // outside the borrow: it may run Python code
                return true;
            }
        }
        false
    }

    /// The descriptor was registered for another object: calls go along, unless their socket is closed.
    pub fn hand_over(&self, to: &Self, py: Python<'_>) {
        for direction in [Direction::Read, Direction::Write] {
            for operation in self.queue(direction).take() {
                let fd = operation
                    .sock
                    .call_method0(py, intern!(py, "fileno"))
                    .and_then(|fd| fd.extract::<RawFd>(py));
                if fd.is_ok_and(|fd| fd == self.fd) {
                    to.push(direction, operation);
                } else if !operation.is_done(py) {
                    let closed = PyOSError::new_err((libc::EBADF, "Bad file descriptor"));
                    let _ = operation.finish(py, Err(closed));
                }
            }
        }
    }

    /// Tells everybody who waits that the socket is gone.
    pub fn fail(&self, py: Python<'_>, error: impl Fn() -> PyErr) {
        for queue in [&self.reading, &self.writing] {
            for operation in queue.take() {
                if !operation.is_done(py) {
                    let _ = operation.finish(py, Err(error()));
                }
            }
        }
    }

    /// Tries what waits, first come first served.
    fn serve(&self, py: Python<'_>, core: &Core, direction: Direction) {
        let queue = self.queue(direction);
        loop {
            let Some(first) = queue.borrow().front().cloned() else {
                return;
            };
            let result = if first.is_done(py) {
                None
            } else {
                match first.attempt.run(first.sock.bind(py), self.fd) {
                    Ok(Outcome::NotYet) => {
                        self.readiness(direction).set(false);
                        return;
                    }
                    Ok(Outcome::Short(result)) => {
                        self.was_short();
                        Some(Ok(result))
                    }
                    Ok(Outcome::Done(result)) => Some(Ok(result)),
                    Err(error) if handle::ends_the_loop(py, &error) => {
                        core.interrupt(error);
                        return;
                    }
                    Err(error) => Some(Err(error)),
                }
            };
            let at = queue
                .borrow()
                .iter()
                .position(|operation| Rc::ptr_eq(operation, &first));
            if let Some(at) = at {
                let taken = queue.borrow_mut().remove(at);
                drop(taken);
            }
            if let Some(Err(error)) = result.map(|result| first.finish(py, result)) {
                core.interrupt(error);
            }
            if !self.may_be_ready(direction) {
                return;
            }
        }
    }
}

impl Source for Rc<Operations> {
    fn ready(&self, py: Python<'_>, core: &Core, events: Events) {
        if events.readable() {
            self.readable.set(true);
        }
        if events.read_closed() || events.error() || events.urgent() {
            self.ended.set(true);
        }
        if events.writable() {
            self.writable.set(true);
        }
        if events.readable() {
            self.serve(py, core, Direction::Read);
        }
        if events.writable() {
            self.serve(py, core, Direction::Write);
        }
    }

    fn operations(&self) -> Option<Rc<Operations>> {
        Some(self.clone())
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        for queue in [&self.reading, &self.writing] {
            let Ok(queue) = queue.try_borrow() else {
                continue;
            };
            for operation in queue.iter() {
                visit.call(&operation.sock)?;
                visit.call(&operation.future)?;
                operation.attempt.traverse(visit)?;
            }
        }
        Ok(())
    }
}
