//! One try of a socket call that must not block: what it does and what came of it. Knows no registration.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::RawFd;

use loopcore::Landing;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyBlockingIOError, PyInterruptedError, PyOSError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView, PyString, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use crate::ffi::{buffer, socket};
use crate::gil;
use crate::transport::os_error;

/// Reads of up to this many bytes are ours; who wants more asks Python's socket for it.
pub const LARGEST: usize = 256 * 1024;

thread_local! {
    /// Reads land here first: copying into an exact `bytes` is cheaper than allocating for the largest case.
    static LANDING: RefCell<Landing> = const { RefCell::new(Landing::new()) };
}

/// What is to be done.
pub enum Attempt {
    /// Read up to so many bytes.
    Receive(usize),
    /// Read into a writable buffer.
    ReceiveInto(Py<PyAny>),
    /// Send what is left.
    SendAll {
        /// All of it: `bytes`, or a `memoryview` of bytes.
        data: Py<PyAny>,
        /// How much the kernel has taken.
        sent: Cell<usize>,
        /// By a method of the socket that may be overridden.
        method: bool,
    },
    /// Send a stretch of a file.
    SendFile(Stretch),
    /// See how connecting to an address came out.
    Connected(Py<PyAny>),
    /// Call a method of the socket that raises `BlockingIOError` when it is too early.
    Method {
        /// Its name.
        name: Py<PyString>,
        /// What it gets.
        arguments: Py<PyTuple>,
    },
}

/// A part of a file.
#[derive(Clone, Copy)]
pub struct Stretch {
    /// The file's descriptor.
    pub file: RawFd,
    /// Where it begins, in bytes.
    pub offset: i64,
    /// Its length, in bytes.
    pub count: usize,
}

/// What came of it.
pub enum Outcome<'py> {
    /// The result.
    Done(Bound<'py, PyAny>),
    /// The result, which is less than was asked for.
    Short(Bound<'py, PyAny>),
    /// Again when the descriptor is ready.
    NotYet,
}

/// Whether `target` is plain writable memory of bytes.
pub fn is_writable(target: &Bound<'_, PyAny>) -> bool {
    PyBuffer::<u8>::get(target).is_ok_and(|buffer| {
        !buffer.readonly() && buffer.is_c_contiguous() && buffer.item_count() > 0
    })
}

/// Whether the socket module says "not now".
pub fn would_block(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PyBlockingIOError>(py) || error.is_instance_of::<PyInterruptedError>(py)
}

/// `BlockingIOError` and its like mean "not yet".
fn unless_blocking(error: PyErr, py: Python<'_>) -> PyResult<Outcome<'_>> {
    if would_block(py, &error) {
        Ok(Outcome::NotYet)
    } else {
        Err(error)
    }
}

/// `sock.connect(address)` of any class, as an error number.
pub fn connect(sock: &Bound<'_, PyAny>, address: &Bound<'_, PyAny>) -> PyResult<i32> {
    let py = sock.py();
    match sock.call_method1(intern!(py, "connect"), (address,)) {
        Ok(_) => Ok(0),
        Err(error) => unless_blocking(error, py).map(|_| libc::EINPROGRESS),
    }
}

impl Attempt {
    /// A call of a method of the socket.
    pub fn method(name: &Bound<'_, PyString>, arguments: &Bound<'_, PyTuple>) -> Self {
        Self::Method {
            name: name.clone().unbind(),
            arguments: arguments.clone().unbind(),
        }
    }

    /// All of `data`, of which a try by `sock.send()` may have sent a part already where the memory is unusual.
    pub fn send_all(
        sock: &Bound<'_, PyAny>,
        plain: bool,
        data: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let py = sock.py();
        if plain && data.is_exact_instance_of::<PyBytes>() {
            return Ok(Self::SendAll {
                data: data.clone().unbind(),
                sent: Cell::new(0),
                method: false,
            });
        }
        let usual = data.is_instance_of::<PyBytes>()
            || PyBuffer::<u8>::get(data).is_ok_and(|buffer| buffer.is_c_contiguous());
        let mut sent = 0;
        if !usual {
            // Python's own error for what cannot be sent.
            match sock.call_method1(intern!(py, "send"), (data,)) {
                Ok(count) => sent = count.extract()?,
                Err(error) => drop(unless_blocking(error, py)?),
            }
        }
        let view = PyMemoryView::from(data)?;
        let view = if usual {
            view.into_any()
        } else {
            view.call_method1(intern!(py, "cast"), ("B",))?
        };
        Ok(Self::SendAll {
            data: view.unbind(),
            sent: Cell::new(sent),
            method: !plain,
        })
    }

    /// Tries once.
    pub fn run<'py>(&self, sock: &Bound<'py, PyAny>, fd: RawFd) -> PyResult<Outcome<'py>> {
        let py = sock.py();
        match self {
            Self::Receive(size) => receive(py, fd, *size),
            Self::ReceiveInto(target) => receive_into(fd, target.bind(py)),
            Self::SendAll { data, sent, method } => {
                let method = method.then_some(sock);
                send(fd, data.bind(py), sent, method)
            }
            Self::SendFile(stretch) => send_file(py, fd, *stretch),
            Self::Connected(address) => connected(sock, address.bind(py)),
            Self::Method { name, arguments } => {
                match sock.call_method1(name.bind(py), arguments.bind(py)) {
                    Ok(result) => Ok(Outcome::Done(result)),
                    Err(error) => unless_blocking(error, py),
                }
            }
        }
    }

    /// Shows the garbage collector what is held.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Receive(_) | Self::SendFile(_) => Ok(()),
            Self::ReceiveInto(object) | Self::Connected(object) => visit.call(object),
            Self::SendAll { data, .. } => visit.call(data),
            Self::Method { arguments, .. } => visit.call(arguments),
        }
    }
}

fn failed<'py>(py: Python<'py>, error: &io::Error) -> PyResult<Outcome<'py>> {
    if error.kind() == io::ErrorKind::WouldBlock {
        Ok(Outcome::NotYet)
    } else {
        Err(os_error(py, error))
    }
}

fn count(py: Python<'_>, count: usize, asked: usize) -> PyResult<Outcome<'_>> {
    let result = count.into_pyobject(py)?.into_any();
    Ok(if count > 0 && count < asked {
        Outcome::Short(result)
    } else {
        Outcome::Done(result)
    })
}

fn receive(py: Python<'_>, fd: RawFd, size: usize) -> PyResult<Outcome<'_>> {
    let received = LANDING.with_borrow_mut(|landing| {
        let room = landing.room(size);
        socket::receive_now(fd, room)
            .map(|count| PyBytes::new(py, room.get(..count).unwrap_or_default()))
    });
    match received {
        Ok(data) => {
            let length = data.as_bytes().len();
            let data = data.into_any();
            Ok(if length > 0 && length < size {
                Outcome::Short(data)
            } else {
                Outcome::Done(data)
            })
        }
        Err(error) => failed(py, &error),
    }
}

fn receive_into<'py>(fd: RawFd, target: &Bound<'py, PyAny>) -> PyResult<Outcome<'py>> {
    let py = target.py();
    match buffer::receive_into_now(fd, target)? {
        (Ok(received), asked) => count(py, received, asked),
        (Err(error), _) => failed(py, &error),
    }
}

/// Sends until nothing is left or the kernel takes no more.
fn send<'py>(
    fd: RawFd,
    data: &Bound<'py, PyAny>,
    sent: &Cell<usize>,
    by: Option<&Bound<'py, PyAny>>,
) -> PyResult<Outcome<'py>> {
    let py = data.py();
    let size: usize = match data.cast::<PyBytes>() {
        Ok(bytes) => bytes.as_bytes().len(),
        Err(_) => data.getattr(intern!(py, "nbytes"))?.extract()?,
    };
    loop {
        let taken = match by {
            None => match buffer::send_from(fd, data, sent.get())? {
                Ok(taken) => taken,
                Err(error) => return failed(py, &error),
            },
            Some(sock) => {
                let rest = data.get_item(pyo3::types::PySlice::new(
                    py,
                    sent.get().cast_signed(),
                    size.cast_signed(),
                    1,
                ))?;
                match sock.call_method1(intern!(py, "send"), (rest,)) {
                    Ok(taken) => taken.extract()?,
                    Err(error) => return unless_blocking(error, py),
                }
            }
        };
        sent.set(sent.get() + taken);
        if sent.get() >= size {
            return Ok(Outcome::Done(py.None().into_bound(py)));
        }
    }
}

/// Detached, because the file may have to come from a disk.
fn send_file(py: Python<'_>, fd: RawFd, part: Stretch) -> PyResult<Outcome<'_>> {
    match gil::detach(py, || {
        socket::send_file(fd, part.file, part.offset, part.count)
    }) {
        Ok(sent) => Ok(Outcome::Done(sent.into_pyobject(py)?.into_any())),
        Err(error) => failed(py, &error),
    }
}

fn connected<'py>(sock: &Bound<'py, PyAny>, address: &Bound<'py, PyAny>) -> PyResult<Outcome<'py>> {
    let py = sock.py();
    let number: i32 = sock
        .call_method1(
            intern!(py, "getsockopt"),
            (libc::SOL_SOCKET, libc::SO_ERROR),
        )?
        .extract()?;
    if number == 0 {
        return Ok(Outcome::Done(py.None().into_bound(py)));
    }
    let text = format!("Connect call failed {}", address.str()?);
    let error = PyOSError::new_err((number, text));
    unless_blocking(error, py)
}
