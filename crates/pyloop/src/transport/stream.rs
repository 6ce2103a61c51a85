//! The stream transport as Python sees it: its state and thin methods. Knows no system call.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::{PyTraverseError, PyVisit};

use super::clients;
use super::endpoint::Endpoint;
use super::opening::{Audience, claimed_class};
use super::outgoing::Outgoing;
use super::pressure::{Parties, Pressure};
use super::receiver::Receiver;
use super::watch::{Readiness, Watch};
use crate::core::Core;
use crate::event_loop::EventLoop;
use crate::ffi::cell::GilCell;
use crate::ffi::{context, python};
use crate::host::Job;
use crate::poller::{Interest, Mode};

/// A transport, bound.
pub type Me<'py> = Bound<'py, StreamTransport>;

/// A connected stream socket: asyncio's `Transport`.
#[pyclass(frozen, weakref, dict, module = "data_bridge._native")]
pub struct StreamTransport(GilCell<Stream>);

/// The state of a transport. The names of the flags are asyncio's where it has them.
pub struct Stream {
    pub(super) event_loop: Py<EventLoop>,
    pub(super) endpoint: Endpoint,
    pub(super) readiness: Rc<Readiness>,
    watch: RefCell<Weak<Watch>>,
    /// `None` before the start and after `connection_lost`.
    pub(super) receiver: RefCell<Option<Receiver>>,
    /// Where every callback of the protocol runs; `None`: where asyncio runs them before 3.15.
    pub(super) context: Option<Py<PyAny>>,
    /// Where the protocol hears of what was read: a copy of the context in which reading was asked for.
    pub(super) read_context: RefCell<Option<Py<PyAny>>>,
    pub(super) outgoing: RefCell<Outgoing>,
    pub(super) pressure: Pressure,
    pub(super) server: RefCell<Option<Py<PyAny>>>,
    /// Data is wanted: not before `connection_made`, not while paused, not after the end.
    pub(super) reading: Cell<bool>,
    /// Raised whenever reading stops.
    pub(super) read_turn: Cell<u32>,
    pub(super) paused: Cell<bool>,
    /// The last read brought much.
    pub(super) large: Cell<bool>,
    /// A callback from the poller is running: what it writes is sent with the rest of its poll.
    pub(super) serving: Cell<bool>,
    /// Output has gathered and was not tried yet.
    pub(super) dirty: Cell<bool>,
    /// The kernel took no more; it will say when it does.
    pub(super) blocked: Cell<bool>,
    pub(super) eof_written: Cell<bool>,
    pub(super) closing: Cell<bool>,
    /// Not 0 once `connection_lost` is on its way; counts the writes since.
    pub(super) lost: Cell<u32>,
    pub(super) closed: Cell<bool>,
    /// A future of the end of the output; while it is there, nothing may be written.
    pub(super) empty_waiter: RefCell<Option<Py<PyAny>>>,
    /// The tie to the poller while the socket is lent, which the poller does not hold meanwhile.
    pub(super) lent: RefCell<Option<Rc<Watch>>>,
}

/// Who asks for a transport.
pub struct Origin<'a, 'py> {
    /// The loop it lives on.
    pub event_loop: &'a Bound<'py, EventLoop>,
    /// Whom it serves.
    pub protocol: &'a Bound<'py, PyAny>,
    /// A future to be completed after `connection_made`.
    pub waiter: Option<&'a Bound<'py, PyAny>>,
    /// The context of all its callbacks, from Python 3.15 on.
    pub context: Option<&'a Bound<'py, PyAny>>,
    /// The server that has accepted it, which counts its clients.
    pub server: Option<&'a Bound<'py, PyAny>>,
}

/// The first read comes after `connection_made`.
struct Begin(Py<StreamTransport>);

impl Job for Begin {
    fn run(self: Rc<Self>, py: Python<'_>) {
        let me = self.0.bind(py);
        let stream = me.get().stream(py);
        if stream.is_reading() {
            stream.start_reading(me);
        }
    }
}

impl StreamTransport {
    /// A transport on `endpoint`; `connection_made` comes with the next batch.
    pub fn open<'py>(endpoint: Endpoint, origin: &Origin<'_, 'py>) -> PyResult<Bound<'py, Self>> {
        let py = origin.event_loop.py();
        let core = origin.event_loop.get().core(py);
        core.check_usable()?;
        let fd = endpoint.fd();
        endpoint.set_nodelay();
        let stream = Stream::new(origin, endpoint)?;
        let watch = Rc::new(Watch::new(stream.readiness.clone()));
        stream.watch.replace(Rc::downgrade(&watch));
        let me = python::new_with_dict(py, Self(GilCell::new(stream)))?;
        core.poller()
            .register(fd, Mode::Edge, Interest::BOTH, watch)?;
        if let Some(server) = origin.server {
            clients::attach(server, &me)?;
        }
        let audience = Audience {
            protocol: origin.protocol,
            context: origin.context,
            waiter: origin.waiter,
        };
        let begin = Rc::new(Begin(me.clone().unbind()));
        audience.tell(origin.event_loop, me.clone().into_any(), begin)?;
        Ok(me)
    }

    /// The state, for an attached thread.
    pub fn stream<'a, 'py: 'a>(&'a self, py: Python<'py>) -> &'a Stream {
        self.0.get(py)
    }
}

impl Stream {
    fn new(origin: &Origin<'_, '_>, endpoint: Endpoint) -> PyResult<Self> {
        let read_context = match origin.context {
            Some(context) => context.clone().unbind(),
            None => context::copy_current(origin.event_loop.py())?,
        };
        Ok(Self {
            event_loop: origin.event_loop.clone().unbind(),
            endpoint,
            readiness: Rc::default(),
            watch: RefCell::default(),
            receiver: RefCell::new(Some(Receiver::new(origin.protocol)?)),
            context: origin.context.map(|context| context.clone().unbind()),
            read_context: RefCell::new(Some(read_context)),
            outgoing: RefCell::default(),
            pressure: Pressure::default(),
            server: RefCell::new(origin.server.map(|server| server.clone().unbind())),
            reading: Cell::new(false),
            read_turn: Cell::new(0),
            paused: Cell::new(false),
            large: Cell::new(false),
            serving: Cell::new(false),
            dirty: Cell::new(false),
            blocked: Cell::new(false),
            eof_written: Cell::new(false),
            closing: Cell::new(false),
            lost: Cell::new(0),
            closed: Cell::new(false),
            empty_waiter: RefCell::default(),
            lent: RefCell::default(),
        })
    }

    pub(super) fn core<'a, 'py: 'a>(&'a self, py: Python<'py>) -> &'a Core {
        self.event_loop.get().core(py)
    }

    /// The tie to the poller; `None` once the loop is closed.
    pub(super) fn watch(&self) -> Option<Rc<Watch>> {
        self.watch.borrow().upgrade()
    }

    /// Whom data and the end are told.
    pub(super) fn receiver(&self, py: Python<'_>) -> Option<Receiver> {
        let receiver = self.receiver.borrow();
        receiver.as_ref().map(|receiver| receiver.clone_ref(py))
    }

    pub(super) fn protocol<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.receiver
            .borrow()
            .as_ref()
            .map(|receiver| receiver.protocol().bind(py).clone())
    }

    /// Who is concerned when the output grows or shrinks.
    pub(super) fn parties<'a, 'py>(&'a self, me: &'a Me<'py>) -> Parties<'a, 'py> {
        Parties {
            core: self.core(me.py()),
            transport: me.as_any(),
            protocol: self.protocol(me.py()),
            context: self.context.as_ref(),
        }
    }

    /// The loop keeps the transport alive while it reads or has output.
    pub(super) fn update_hold(&self, me: &Me<'_>) {
        let Some(watch) = self.watch() else { return };
        let wanted = self.reading.get() || !self.outgoing.borrow().is_empty();
        if wanted == watch.tie.holds() {
            return;
        }
        if wanted {
            watch.tie.hold(me);
        } else {
            watch.tie.release(me.py(), !self.closing.get());
        }
    }

    /// Whether `close()` was called or an error has come.
    pub fn is_closing(&self) -> bool {
        self.closing.get()
    }

    pub(super) fn is_reading(&self) -> bool {
        !self.closing.get() && !self.paused.get()
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        visit.call(&self.context)?;
        self.endpoint.traverse(visit)?;
        self.pressure.traverse(visit)?;
        if let Ok(receiver) = self.receiver.try_borrow()
            && let Some(receiver) = &*receiver
        {
            receiver.traverse(visit)?;
        }
        for slot in [&self.read_context, &self.server, &self.empty_waiter] {
            if let Ok(slot) = slot.try_borrow() {
                visit.call(&*slot)?;
            }
        }
        Ok(())
    }

    /// asyncio's representation.
    pub(super) fn repr(&self, py: Python<'_>) -> String {
        let mut parts = vec![String::from("StreamTransport")];
        if self.closed.get() {
            parts.push("closed".into());
        } else if self.closing.get() {
            parts.push("closing".into());
        }
        parts.push(format!("fd={}", self.endpoint.fd()));
        if !self.closed.get() && !self.core(py).is_closed() {
            let polling = |on| if on { "polling" } else { "idle" };
            parts.push(format!("read={}", polling(self.reading.get())));
            let size = self.outgoing.borrow().size();
            parts.push(format!(
                "write=<{}, bufsize={size}>",
                polling(self.blocked.get())
            ));
        }
        format!("<{}>", parts.join(" "))
    }
}

#[pymethods]
impl StreamTransport {
    #[getter]
    fn __class__<'py>(slf: &Me<'py>) -> PyResult<Bound<'py, PyAny>> {
        static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        claimed_class(slf.py(), &CLASS, "StreamTransport", &["_FlowControlMixin"])
    }

    /// `start_tls()` accepts it.
    #[classattr]
    #[pyo3(name = "_start_tls_compatible")]
    const START_TLS_COMPATIBLE: bool = true;

    /// `sendfile()` may lend the socket.
    #[classattr]
    fn _sendfile_compatible(py: Python<'_>) -> PyResult<Py<PyAny>> {
        let modes = py.import("asyncio.constants")?.getattr("_SendfileMode")?;
        modes.getattr("TRY_NATIVE").map(Bound::unbind)
    }

    fn _make_empty_waiter<'py>(slf: &Me<'py>) -> PyResult<Bound<'py, PyAny>> {
        slf.get().stream(slf.py()).make_empty_waiter(slf)
    }

    /// The socket is given back.
    fn _reset_empty_waiter(&self, py: Python<'_>) -> PyResult<()> {
        self.stream(py).take_back(py)
    }

    /// The socket, for as long as nothing is written.
    fn _lend<'py>(slf: &Me<'py>) -> PyResult<Bound<'py, PyAny>> {
        slf.get().stream(slf.py()).lend(slf)
    }

    fn __repr__(slf: &Me<'_>) -> String {
        slf.get().stream(slf.py()).repr(slf.py())
    }

    fn write(slf: &Me<'_>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        slf.get().stream(slf.py()).write(slf, data)
    }

    fn writelines(slf: &Me<'_>, list_of_data: &Bound<'_, PyAny>) -> PyResult<()> {
        slf.get().stream(slf.py()).writelines(slf, list_of_data)
    }

    fn write_eof(slf: &Me<'_>) -> PyResult<()> {
        slf.get().stream(slf.py()).write_eof(slf)
    }

    #[allow(clippy::unused_self)]
    fn can_write_eof(&self) -> bool {
        true
    }

    fn close(slf: &Me<'_>) -> PyResult<()> {
        slf.get().stream(slf.py()).close(slf)
    }

    fn abort(slf: &Me<'_>) -> PyResult<()> {
        slf.get().stream(slf.py()).force_close(slf, None)
    }

    fn _force_close<'py>(slf: &Me<'py>, exc: Option<Bound<'py, PyAny>>) -> PyResult<()> {
        slf.get().stream(slf.py()).force_close(slf, exc)
    }

    fn _call_connection_lost(slf: &Me<'_>, exc: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        slf.get().stream(slf.py()).call_connection_lost(slf, exc)
    }

    fn is_closing(slf: &Me<'_>) -> PyResult<bool> {
        let stream = slf.get().stream(slf.py());
        stream.flush(slf)?;
        Ok(stream.is_closing())
    }

    fn is_reading(&self, py: Python<'_>) -> bool {
        self.stream(py).is_reading()
    }

    fn pause_reading(slf: &Me<'_>) {
        slf.get().stream(slf.py()).pause_reading(slf);
    }

    fn resume_reading(slf: &Me<'_>) -> PyResult<()> {
        slf.get().stream(slf.py()).resume_reading(slf)
    }

    fn get_protocol<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.stream(py).protocol(py)
    }

    fn set_protocol(slf: &Me<'_>, protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        let stream = slf.get().stream(slf.py());
        stream.flush(slf)?;
        stream.set_protocol(protocol)
    }

    #[pyo3(signature = (high=None, low=None))]
    fn set_write_buffer_limits(slf: &Me<'_>, high: Option<i64>, low: Option<i64>) -> PyResult<()> {
        slf.get().stream(slf.py()).set_limits(slf, high, low)
    }

    fn get_write_buffer_limits(&self, py: Python<'_>) -> (usize, usize) {
        let limits = self.stream(py).pressure.limits.get();
        (limits.low(), limits.high())
    }

    fn get_write_buffer_size(slf: &Me<'_>) -> PyResult<usize> {
        let stream = slf.get().stream(slf.py());
        stream.flush(slf)?;
        let size = stream.outgoing.borrow().size();
        Ok(size)
    }

    #[pyo3(signature = (name, default=None))]
    fn get_extra_info<'py>(
        slf: &Me<'py>,
        name: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let stream = slf.get().stream(slf.py());
        stream.flush(slf)?; // whoever gets the socket may write to it
        Ok(stream.endpoint.extra_info(slf.py(), name)?.or(default))
    }

    #[getter]
    fn _loop<'py>(&self, py: Python<'py>) -> Option<Bound<'py, EventLoop>> {
        let stream = self.stream(py);
        (!stream.closed.get()).then(|| stream.event_loop.bind(py).clone())
    }

    #[getter]
    fn _closing(&self, py: Python<'_>) -> bool {
        self.stream(py).closing.get()
    }

    #[getter]
    fn _paused(&self, py: Python<'_>) -> bool {
        self.stream(py).paused.get()
    }

    #[getter]
    fn _protocol_paused(&self, py: Python<'_>) -> bool {
        self.stream(py).pressure.is_on()
    }

    #[allow(clippy::needless_pass_by_value)] // the signature that PyO3 wants
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.get_in_traverse(&visit).traverse(&visit)
    }

    fn __clear__(slf: &Me<'_>) {
        slf.get().stream(slf.py()).clear(slf.py());
    }
}
