//! The Python class `EventLoop`: thin methods, each calling one room. Knows how Python calls, not what happens then.
//!
//! `call_soon`, `call_later`, `get_debug` and the other hot methods are not here: `ffi::methods` puts them on the class.
//! What is cold and awaits, the face has in Python (`data_bridge.loop`).
#![allow(clippy::doc_markdown)] // these are Python's docstrings

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use crate::children;
use crate::clock;
use crate::core::Core;
use crate::debug;
use crate::ffi::cell::GilCell;
use crate::ffi::handle::{HandleRef, REPEATING};
use crate::ffi::python;
use crate::fork;
use crate::readers::{self, Direction};
use crate::runtime;
use crate::server;
use crate::signals;
use crate::sock;
use crate::tick;
use crate::transport::{DatagramTransport, Endpoint, Origin, StreamTransport};

/// The native half of `data_bridge.Loop`.
#[pyclass(frozen, subclass, weakref, module = "data_bridge._native")]
pub struct EventLoop {
    core: GilCell<Core>,
}

impl EventLoop {
    /// The loop's state, for an attached thread.
    pub fn core<'a, 'py: 'a>(&'a self, py: Python<'py>) -> &'a Core {
        self.core.get(py)
    }
}

/// A handle for callbacks that run many times: readers, writers and signal handlers.
fn repeating(
    slf: &Bound<'_, EventLoop>,
    callback: &Bound<'_, PyAny>,
    arguments: &Bound<'_, PyTuple>,
) -> PyResult<HandleRef> {
    let arguments: Vec<_> = arguments.iter().collect();
    let handle = HandleRef::create(slf.as_any(), callback, &arguments, None, REPEATING)?;
    if slf.get().core(slf.py()).is_debug() {
        debug::note_source(slf.py(), &handle)?;
    }
    Ok(handle)
}

#[pymethods]
impl EventLoop {
    #[new]
    fn new() -> PyResult<Self> {
        Ok(Self {
            core: GilCell::new(Core::new()?),
        })
    }

    fn __init__(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().core(slf.py()).set_owner(slf.as_any());
        fork::register(slf.as_any())
    }

    #[allow(clippy::needless_pass_by_value)] // the signature that PyO3 wants
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.core.get_in_traverse(&visit).traverse(&visit)
    }

    fn __clear__(slf: &Bound<'_, Self>) {
        slf.get().core(slf.py()).clear();
    }

    /// Runs turns until `stop()`; the face has prepared the thread.
    #[pyo3(name = "_run")]
    fn run(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let core = slf.get().core(py);
        core.check_usable()?;
        if core.is_running() {
            return Err(PyRuntimeError::new_err(
                "This event loop is already running",
            ));
        }
        if !runtime::is_here(core) {
            return Err(PyRuntimeError::new_err(
                "the event loop has native work that belongs to another thread",
            ));
        }
        core.set_owner(slf.as_any());
        core.running_thread.set(Some(python::thread_ident()));
        let result = core
            .signals
            .begin_run(py, core)
            .and_then(|()| tick::run(py, core));
        core.stopping.set(false);
        core.running_thread.set(None);
        if core.is_forked() {
            return result;
        }
        result.and(core.signals.end_run(py))
    }

    /// Stop running the event loop after the current batch of callbacks.
    fn stop(&self, py: Python<'_>) {
        self.core(py).stopping.set(true);
    }

    /// Drops what is queued, the native tasks and the descriptors; the face has checked that the loop does not run.
    #[pyo3(name = "_close")]
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let core = self.core(py);
        runtime::stop(py, core.id());
        let signals = core.signals.close(py, core);
        core.close();
        signals
    }

    /// Return True if the event loop is running.
    fn is_running(&self, py: Python<'_>) -> bool {
        self.core(py).is_running()
    }

    /// Return True if the event loop was closed.
    fn is_closed(&self, py: Python<'_>) -> bool {
        self.core(py).is_closed()
    }

    /// Whether the loop was inherited by a forked child, which must not use it.
    #[getter]
    fn _forked(&self, py: Python<'_>) -> bool {
        self.core(py).is_forked()
    }

    /// The number of the thread that runs the loop, or None.
    #[getter]
    fn _thread_id(&self, py: Python<'_>) -> Option<u64> {
        self.core(py).running_thread.get()
    }

    /// The handle that is being run, in debug mode.
    #[getter]
    fn _current_handle<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.core(py)
            .current_handle
            .borrow()
            .as_ref()
            .map(|handle| handle.bind(py))
    }

    fn _check_closed(&self, py: Python<'_>) -> PyResult<()> {
        self.core(py).check_usable()
    }

    /// Raises `TypeError` for a coroutine or what cannot be called; for debug mode.
    #[staticmethod]
    #[allow(clippy::needless_pass_by_value)] // the signature that PyO3 wants
    fn _check_callback(callback: &Bound<'_, PyAny>, method: &str) -> PyResult<()> {
        debug::check_callback(callback, method)
    }

    /// Return the time according to the event loop's clock, which is that of time.monotonic(), in seconds.
    #[allow(clippy::unused_self)]
    fn time(&self) -> f64 {
        clock::to_seconds(clock::now())
    }

    fn set_debug(&self, py: Python<'_>, enabled: &Bound<'_, PyAny>) -> PyResult<()> {
        self.core(py).set_debug(enabled.is_truthy()?);
        Ok(())
    }

    /// In debug mode, callbacks that run for longer than this are logged; in seconds.
    #[getter]
    fn slow_callback_duration(&self, py: Python<'_>) -> f64 {
        self.core(py).slow_callback_duration.get()
    }

    #[setter]
    fn set_slow_callback_duration(&self, py: Python<'_>, seconds: f64) {
        self.core(py).slow_callback_duration.set(seconds);
    }

    /// Set the function that makes the tasks of create_task(), or None for asyncio.Task.
    fn set_task_factory(&self, py: Python<'_>, factory: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        if factory
            .as_ref()
            .is_some_and(|factory| !factory.is_callable())
        {
            return Err(PyTypeError::new_err(
                "task factory must be a callable or None",
            ));
        }
        let replaced = self
            .core(py)
            .task_factory
            .replace(factory.map(Bound::unbind));
        drop(replaced);
        Ok(())
    }

    /// Return the task factory, or None if tasks are made by asyncio.Task.
    fn get_task_factory(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.core(py)
            .task_factory
            .borrow()
            .as_ref()
            .map(|factory| factory.clone_ref(py))
    }

    /// Have callback called whenever fd can be read.
    #[pyo3(signature = (fd, callback, *args))]
    fn add_reader(
        slf: &Bound<'_, Self>,
        fd: &Bound<'_, PyAny>,
        callback: &Bound<'_, PyAny>,
        args: &Bound<'_, PyTuple>,
    ) -> PyResult<()> {
        add_watch(slf, fd, callback, args, Direction::Read).map(drop)
    }

    /// Have callback called whenever fd can be written.
    #[pyo3(signature = (fd, callback, *args))]
    fn add_writer(
        slf: &Bound<'_, Self>,
        fd: &Bound<'_, PyAny>,
        callback: &Bound<'_, PyAny>,
        args: &Bound<'_, PyTuple>,
    ) -> PyResult<()> {
        add_watch(slf, fd, callback, args, Direction::Write).map(drop)
    }

    /// add_writer() that returns the handle, for asyncio's own coroutines.
    #[pyo3(signature = (fd, callback, *args))]
    fn _add_writer<'py>(
        slf: &Bound<'py, Self>,
        fd: &Bound<'py, PyAny>,
        callback: &Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        add_watch(slf, fd, callback, args, Direction::Write)
    }

    /// Stop watching fd for reading. Return False if it was not watched.
    fn remove_reader(&self, py: Python<'_>, fd: &Bound<'_, PyAny>) -> PyResult<bool> {
        readers::remove_file(self.core(py), fd, Direction::Read)
    }

    /// Stop watching fd for writing. Return False if it was not watched.
    fn remove_writer(&self, py: Python<'_>, fd: &Bound<'_, PyAny>) -> PyResult<bool> {
        readers::remove_file(self.core(py), fd, Direction::Write)
    }

    /// Have callback called, by the loop, when the process gets the signal.
    #[pyo3(signature = (sig, callback, *args))]
    fn add_signal_handler(
        slf: &Bound<'_, Self>,
        sig: &Bound<'_, PyAny>,
        callback: &Bound<'_, PyAny>,
        args: &Bound<'_, PyTuple>,
    ) -> PyResult<()> {
        let py = slf.py();
        debug::check_no_coroutine(callback, "add_signal_handler")?;
        let number = signals::check(sig)?;
        let core = slf.get().core(py);
        core.check_usable()?;
        signals::add(core, py, number, repeating(slf, callback, args)?)
    }

    /// Remove the callback of a signal. Return False if there was none.
    fn remove_signal_handler(&self, py: Python<'_>, sig: &Bound<'_, PyAny>) -> PyResult<bool> {
        signals::remove(self.core(py), py, signals::check(sig)?)
    }

    /// Raise RuntimeError if the descriptor belongs to a transport.
    fn _check_free(&self, py: Python<'_>, fd: &Bound<'_, PyAny>) -> PyResult<()> {
        readers::check_free(self.core(py), fd)
    }

    /// Have callback(pid, returncode, argument) called when a child process has ended; OSError if there is no pidfd.
    fn _add_child(
        &self,
        py: Python<'_>,
        pid: i32,
        callback: &Bound<'_, PyAny>,
        argument: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        children::add(self.core(py), pid, callback, argument)
    }

    /// The bytes that sock.recv(n) has, or a future of them.
    fn _sock_recv<'py>(
        slf: &Bound<'py, Self>,
        sock: &Bound<'py, PyAny>,
        n: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        sock::receive(slf, sock, n)
    }

    /// What sock.recv_into(buf) says, or a future of it.
    fn _sock_recv_into<'py>(
        slf: &Bound<'py, Self>,
        sock: &Bound<'py, PyAny>,
        buf: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        sock::receive_into(slf, sock, buf)
    }

    /// None if all of data is sent, or a future that says so.
    fn _sock_sendall<'py>(
        slf: &Bound<'py, Self>,
        sock: &Bound<'py, PyAny>,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        sock::send_all(slf, sock, data)
    }

    /// How much of a stretch of a file sendfile(2) has sent, or a future of it.
    fn _sock_sendfile<'py>(
        slf: &Bound<'py, Self>,
        sock: &Bound<'py, PyAny>,
        file: i32,
        offset: i64,
        count: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let stretch = sock::Stretch {
            file,
            offset,
            count,
        };
        sock::send_file(slf, sock, stretch)
    }

    /// What a method of the socket answers, or a future of it if it raises BlockingIOError.
    #[pyo3(signature = (sock, writes, method, *args))]
    fn _sock_call<'py>(
        slf: &Bound<'py, Self>,
        sock: &Bound<'py, PyAny>,
        writes: bool,
        method: &Bound<'py, PyString>,
        args: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let direction = if writes {
            Direction::Write
        } else {
            Direction::Read
        };
        sock::call(slf, sock, direction, method, args)
    }

    /// None if the socket is connected to address, or a future that says so.
    fn _sock_connect<'py>(
        slf: &Bound<'py, Self>,
        sock: &Bound<'py, PyAny>,
        address: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        sock::connect(slf, sock, address)
    }

    /// Family and address for a socket where nothing has to be looked up and nothing logged, or None; None too where the
    /// program has sockets of its own.
    fn _sock_address<'py>(
        &self,
        host: &Bound<'py, PyAny>,
        port: &Bound<'py, PyAny>,
    ) -> PyResult<Option<(i32, Bound<'py, PyTuple>)>> {
        let py = host.py();
        if self.core(py).is_debug() || !sock::is_genuine(py)? {
            return Ok(None);
        }
        sock::resolved(host, port)
    }

    /// Refuse a TLS socket, and in debug mode one that blocks.
    fn _sock_check(&self, py: Python<'_>, sock: &Bound<'_, PyAny>) -> PyResult<()> {
        sock::check(self.core(py), sock).map(drop)
    }

    /// Nobody awaits the future of one of the calls above any more.
    fn _sock_forget(
        &self,
        py: Python<'_>,
        sock: &Bound<'_, PyAny>,
        future: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        sock::forget(self.core(py), sock, future)
    }

    /// A transport on a connected socket, which it owns from now on; the waiter is completed after connection_made().
    #[allow(clippy::too_many_arguments)] // asyncio's signature
    #[pyo3(signature = (sock, protocol, waiter=None, *, extra=None, server=None, context=None))]
    fn _make_socket_transport<'py>(
        slf: &Bound<'py, Self>,
        sock: &Bound<'py, PyAny>,
        protocol: &Bound<'py, PyAny>,
        waiter: Option<&Bound<'py, PyAny>>,
        extra: Option<Py<PyDict>>,
        server: Option<&Bound<'py, PyAny>>,
        context: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, StreamTransport>> {
        readers::check_free(slf.get().core(slf.py()), sock)?;
        StreamTransport::open(
            Endpoint::given(sock, extra)?,
            &Origin {
                event_loop: slf,
                protocol,
                waiter,
                context,
                server,
            },
        )
    }

    /// A transport on a datagram socket, which it owns from now on; address is where sendto() sends by default.
    #[pyo3(signature = (sock, protocol, address=None, waiter=None, extra=None))]
    fn _make_datagram_transport<'py>(
        slf: &Bound<'py, Self>,
        sock: &Bound<'py, PyAny>,
        protocol: &Bound<'py, PyAny>,
        address: Option<&Bound<'py, PyAny>>,
        waiter: Option<&Bound<'py, PyAny>>,
        extra: Option<Py<PyDict>>,
    ) -> PyResult<Bound<'py, DatagramTransport>> {
        readers::check_free(slf.get().core(slf.py()), sock)?;
        let endpoint = Endpoint::given(sock, extra)?;
        DatagramTransport::open(slf, endpoint, protocol, address, waiter)
    }

    /// Accept connections of a listening socket for server, until _stop_serving().
    fn _listen<'py>(
        slf: &Bound<'py, Self>,
        protocol_factory: &Bound<'py, PyAny>,
        sock: &Bound<'py, PyAny>,
        server: &Bound<'py, PyAny>,
        backlog: u32,
        context: Option<Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        server::listen(slf, protocol_factory, sock, server, backlog, context)
    }

    /// Accept no more and close the listening socket.
    fn _stop_serving(slf: &Bound<'_, Self>, sock: &Bound<'_, PyAny>) -> PyResult<()> {
        server::stop_listening(slf, sock)
    }

    /// The signals that have a callback.
    fn _signal_numbers(&self, py: Python<'_>) -> Vec<i32> {
        self.core(py).signals.registered()
    }
}

fn add_watch<'py>(
    slf: &Bound<'py, EventLoop>,
    fd: &Bound<'py, PyAny>,
    callback: &Bound<'py, PyAny>,
    arguments: &Bound<'py, PyTuple>,
    direction: Direction,
) -> PyResult<Bound<'py, PyAny>> {
    let py = slf.py();
    let core = slf.get().core(py);
    core.check_usable()?;
    let handle = repeating(slf, callback, arguments)?;
    let object = handle.bind(py);
    readers::add(core, fd, direction, handle)?;
    Ok(object)
}
