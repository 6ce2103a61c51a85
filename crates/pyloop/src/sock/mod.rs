//! `sock_recv` and its like: the call at once, or a future of it. Knows neither transports nor callbacks of `add_reader`.
//!
//! The first call that has to wait registers the socket, edge-triggered and for both directions, and the registration
//! stays: later calls wait without a word to the kernel. It belongs to one Python socket object; a descriptor number that
//! has come to mean another one is registered anew.

mod attempt;
mod literal;
mod operations;

use std::os::fd::RawFd;
use std::rc::Rc;

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyModule, PyString, PyTuple, PyType};

pub use attempt::{Attempt, Outcome, Stretch, would_block};
pub use literal::resolved;
pub use operations::{Operation, Operations};

use crate::core::Core;
use crate::event_loop::EventLoop;
use crate::ffi::python::Finding;
use crate::ffi::{create, socket};
use crate::poller::{Interest, Mode};
use crate::readers::{self, Direction};
use crate::transport::{bare_class, os_error};

/// A socket as the caller gave it, checked as asyncio does.
struct Sock<'a, 'py> {
    event_loop: &'a Bound<'py, EventLoop>,
    object: &'a Bound<'py, PyAny>,
    /// Exactly `socket.socket`, or what that stands on: no method of it can be overridden.
    plain: bool,
    fd: RawFd,
}

fn is_plain(sock: &Bound<'_, PyAny>) -> PyResult<bool> {
    static SOCKET: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = SOCKET.import(sock.py(), "socket", "socket")?;
    let kind = sock.get_type();
    Ok(kind.is(class) || kind.is(bare_class(sock.py())?))
}

/// Whether nobody has put a class or a `connect()` of their own in the place of Python's.
pub(crate) fn is_genuine(py: Python<'_>) -> PyResult<bool> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    static GENUINE: Finding = Finding::new();
    let module = MODULE.get_or_try_init(py, || py.import("socket").map(Bound::unbind))?;
    let class = module.bind(py).getattr(intern!(py, "socket"))?;
    let Ok(class) = class.cast::<PyType>() else {
        return Ok(false);
    };
    GENUINE.holds(class, || {
        let base = class.getattr(intern!(py, "__base__"))?;
        Ok(base.is(bare_class(py)?) && has_genuine_connect(class)?)
    })
}

/// Whether sockets of `class` connect as Python's do: a test suite that guards its connections replaces the method.
fn has_genuine_connect(class: &Bound<'_, PyType>) -> PyResult<bool> {
    let py = class.py();
    let (bare, connect) = (bare_class(py)?, intern!(py, "connect"));
    Ok(class.is(bare) || class.getattr(connect)?.is(&bare.getattr(connect)?))
}

/// Refuses a TLS socket, and in debug mode one that blocks.
pub(crate) fn check(core: &Core, sock: &Bound<'_, PyAny>) -> PyResult<bool> {
    static REFUSE_TLS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = sock.py();
    let plain = is_plain(sock)?;
    if !plain {
        REFUSE_TLS
            .import(py, "asyncio.base_events", "_check_ssl_socket")?
            .call1((sock,))?;
    }
    if core.is_debug() && !sock.call_method0(intern!(py, "gettimeout"))?.eq(0)? {
        return Err(PyValueError::new_err("the socket must be non-blocking"));
    }
    Ok(plain)
}

impl<'a, 'py> Sock<'a, 'py> {
    fn new(event_loop: &'a Bound<'py, EventLoop>, object: &'a Bound<'py, PyAny>) -> PyResult<Self> {
        let py = object.py();
        let plain = check(event_loop.get().core(py), object)?;
        let fd = object
            .call_method0(intern!(py, "fileno"))?
            .extract()
            .unwrap_or(-1);
        Ok(Self {
            event_loop,
            object,
            plain,
            fd,
        })
    }

    fn core(&self) -> &'a Core {
        self.event_loop.get().core(self.object.py())
    }

    /// What is known of this very socket.
    fn operations(&self) -> Option<Rc<Operations>> {
        let source = self.core().poller().source(self.fd)?;
        source
            .operations()
            .filter(|operations| operations.is_for(self.object))
    }

    /// The result of the attempt, or a future of it.
    fn begin(&self, direction: Direction, attempt: Attempt) -> PyResult<Bound<'py, PyAny>> {
        let operations = self.operations();
        if operations
            .as_ref()
            .is_none_or(|known| known.may_be_ready(direction))
        {
            match attempt.run(self.object, self.fd)? {
                Outcome::Done(result) => return Ok(result),
                Outcome::Short(result) => {
                    if let Some(known) = &operations {
                        known.was_short();
                    }
                    return Ok(result);
                }
                Outcome::NotYet => {}
            }
        }
        self.wait(operations, direction, attempt)
    }

    fn wait(
        &self,
        operations: Option<Rc<Operations>>,
        direction: Direction,
        attempt: Attempt,
    ) -> PyResult<Bound<'py, PyAny>> {
        let core = self.core();
        core.check_usable()?;
        let future = create::future_of(self.event_loop)?;
        let operation = Operation::new(self.object, &future, attempt);
        let operations = match operations {
            Some(operations) => operations,
            None => self.register()?,
        };
        operations.push(direction, operation);
        readers::operations_changed(core, self.fd);
        Ok(future)
    }

    /// Ties the socket to the poller, or to the callbacks that its descriptor has already.
    fn register(&self) -> PyResult<Rc<Operations>> {
        let core = self.core();
        let fd = self.fd.into_pyobject(self.object.py())?;
        readers::check_free(core, &fd)?;
        let operations = Rc::new(Operations::new(self.object, self.fd));
        if let Some(source) = core.poller().source(self.fd) {
            if let Some(older) = source.operations() {
                older.hand_over(&operations, self.object.py());
            }
            if let Some(watch) = source.as_watch() {
                watch.join(operations.clone());
                return Ok(operations);
            }
        }
        if !self.plain {
            // What such a class calls blocking, the kernel may call ready: it is asked again and again.
            readers::watch_for(core, self.fd, operations.clone())?;
            return Ok(operations);
        }
        let source = Rc::new(operations.clone());
        let interest = Interest::BOTH | Interest::URGENT;
        core.poller()
            .register(self.fd, Mode::Edge, interest, source)?;
        Ok(operations)
    }
}

/// `bytes`, or a future of them.
pub(crate) fn receive<'py>(
    event_loop: &Bound<'py, EventLoop>,
    sock: &Bound<'py, PyAny>,
    size: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let sock = Sock::new(event_loop, sock)?;
    let attempt = match size.extract() {
        Ok(size) if sock.plain && (1..=attempt::LARGEST).contains(&size) => Attempt::Receive(size),
        _ => {
            let py = size.py();
            Attempt::method(intern!(py, "recv"), &PyTuple::new(py, [size])?)
        }
    };
    sock.begin(Direction::Read, attempt)
}

/// How many bytes came into `buffer`, or a future of it.
pub(crate) fn receive_into<'py>(
    event_loop: &Bound<'py, EventLoop>,
    sock: &Bound<'py, PyAny>,
    buffer: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let sock = Sock::new(event_loop, sock)?;
    let attempt = if sock.plain && attempt::is_writable(buffer) {
        Attempt::ReceiveInto(buffer.clone().unbind())
    } else {
        let py = buffer.py();
        Attempt::method(intern!(py, "recv_into"), &PyTuple::new(py, [buffer])?)
    };
    sock.begin(Direction::Read, attempt)
}

/// `None` once all of `data` is sent, or a future of it.
pub(crate) fn send_all<'py>(
    event_loop: &Bound<'py, EventLoop>,
    sock: &Bound<'py, PyAny>,
    data: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let sock = Sock::new(event_loop, sock)?;
    let attempt = Attempt::send_all(sock.object, sock.plain, data)?;
    sock.begin(Direction::Write, attempt)
}

/// How much of a stretch of a file was sent, or a future of it.
pub(crate) fn send_file<'py>(
    event_loop: &Bound<'py, EventLoop>,
    sock: &Bound<'py, PyAny>,
    stretch: Stretch,
) -> PyResult<Bound<'py, PyAny>> {
    Sock::new(event_loop, sock)?.begin(Direction::Write, Attempt::SendFile(stretch))
}

/// What a method of the socket answers once it does not raise `BlockingIOError`, or a future of it.
pub(crate) fn call<'py>(
    event_loop: &Bound<'py, EventLoop>,
    sock: &Bound<'py, PyAny>,
    direction: Direction,
    method: &Bound<'py, PyString>,
    arguments: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let sock = Sock::new(event_loop, sock)?;
    let attempt = Attempt::method(method, arguments);
    sock.begin(direction, attempt)
}

/// `None` once the socket is connected to `address`, or a future of it.
pub(crate) fn connect<'py>(
    event_loop: &Bound<'py, EventLoop>,
    sock: &Bound<'py, PyAny>,
    address: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = sock.py();
    let sock = Sock::new(event_loop, sock)?;
    let is_plain = sock.plain && has_genuine_connect(&sock.object.get_type())?;
    // `connect_ex()` is `connect()` without an exception for what is in progress.
    let number: i32 = if is_plain {
        sock.object
            .call_method1(intern!(py, "connect_ex"), (address,))?
            .extract()?
    } else {
        attempt::connect(sock.object, address)?
    };
    match number {
        0 => Ok(py.None().into_bound(py)),
        // Over the loopback the connection is there before the call returns, which does not look at it again.
        libc::EINPROGRESS if is_plain && socket::peer_address(sock.fd).is_ok() => {
            Ok(py.None().into_bound(py))
        }
        libc::EINPROGRESS | libc::EAGAIN | libc::EALREADY | libc::EINTR => {
            // Whatever was known of the descriptor was known of an unconnected one.
            sock.wait(
                None,
                Direction::Write,
                Attempt::Connected(address.clone().unbind()),
            )
        }
        number => Err(os_error(py, &std::io::Error::from_raw_os_error(number))),
    }
}

/// Nobody awaits the future any more.
pub(crate) fn forget(
    core: &Core,
    sock: &Bound<'_, PyAny>,
    future: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let fd: RawFd = sock
        .call_method0(intern!(sock.py(), "fileno"))?
        .extract()
        .unwrap_or(-1);
    if let Some(operations) = core
        .poller()
        .source(fd)
        .and_then(|source| source.operations())
        && operations.forget(future)
    {
        readers::operations_changed(core, fd);
        return Ok(());
    }
    // The socket was closed meanwhile.
    for (fd, source) in core.poller().sources() {
        if source
            .operations()
            .is_some_and(|operations| operations.forget(future))
        {
            readers::operations_changed(core, fd);
            return Ok(());
        }
    }
    Ok(())
}

/// Whether the socket under `fd` is a TCP connection, where a short read means that nothing is left.
fn is_tcp(fd: RawFd) -> bool {
    socket::protocol(fd).is_ok_and(|protocol| protocol == libc::IPPROTO_TCP)
}
