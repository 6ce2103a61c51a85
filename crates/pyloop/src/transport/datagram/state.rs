//! The state of a datagram transport, and its tie to the poller. Knows no system call and no signature.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use super::super::endpoint::Endpoint;
use super::super::pressure::{Parties, Pressure};
use super::super::tie::Tie;
use super::address::Addresses;
use super::receive::Burst;
use super::send::Outbox;
use super::{DatagramTransport, Me};
use crate::core::Core;
use crate::debug;
use crate::event_loop::EventLoop;
use crate::ffi::context;
use crate::host::Job;
use crate::poller::{Events, Interest, Source};

/// The state of a transport. The names of the flags are asyncio's where it has them.
pub struct Datagrams {
    pub(super) event_loop: Py<EventLoop>,
    pub(super) endpoint: Endpoint,
    pub(super) addresses: Addresses,
    pub(super) watch: RefCell<Weak<Watch>>,
    /// `None` after `connection_lost`.
    pub(super) protocol: RefCell<Option<Py<PyAny>>>,
    /// Where everything is sent; `None`: each datagram says where.
    pub(super) address: Option<Py<PyAny>>,
    /// The socket is connected.
    pub(super) has_peer: bool,
    /// Where the protocol hears of what was received: a copy of the context in which receiving was asked for.
    pub(super) read_context: RefCell<Option<Py<PyAny>>>,
    pub(super) outbox: RefCell<Outbox>,
    pub(super) pressure: Pressure,
    pub(super) burst: Burst,
    /// Datagrams are wanted: not before `connection_made`, not while paused, not after the end.
    pub(super) reading: Cell<bool>,
    /// Raised whenever reading stops.
    pub(super) read_turn: Cell<u32>,
    pub(super) paused: Cell<bool>,
    pub(super) closing: Cell<bool>,
    /// Not 0 once `connection_lost` is on its way; counts the datagrams since.
    pub(super) lost: Cell<u32>,
    pub(super) closed: Cell<bool>,
}

/// The poller's end.
#[derive(Default)]
pub struct Watch(pub(super) Tie<DatagramTransport>);

impl Source for Watch {
    fn ready(&self, py: Python<'_>, core: &Core, events: Events) {
        let Some(me) = self.0.held(py) else { return };
        debug::serve(core, &me, || me.get().state(py).serve(&me, events));
    }

    fn transport<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let transport = self.0.known(py)?;
        let closing = transport.get().state(py).closing.get();
        (!closing).then(|| transport.into_any())
    }
}

/// Receiving begins after `connection_made`.
pub struct Begin(pub(super) Py<DatagramTransport>);

impl Job for Begin {
    fn run(self: Rc<Self>, py: Python<'_>) {
        let me = self.0.bind(py);
        let state = me.get().state(py);
        state.reading.set(state.is_reading());
        state.update_interest_reporting(me);
    }
}

impl Datagrams {
    pub(super) fn new(
        event_loop: &Bound<'_, EventLoop>,
        endpoint: Endpoint,
        protocol: &Bound<'_, PyAny>,
        address: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let py = event_loop.py();
        let address = match address {
            Some(address) if address.is_truthy()? => Some(address.clone().unbind()),
            _ => None,
        };
        Ok(Self {
            event_loop: event_loop.clone().unbind(),
            addresses: Addresses::new(endpoint.family()),
            has_peer: endpoint.has_peer(py)?,
            endpoint,
            watch: RefCell::default(),
            protocol: RefCell::new(Some(protocol.clone().unbind())),
            address,
            read_context: RefCell::new(Some(context::copy_current(py)?)),
            outbox: RefCell::default(),
            pressure: Pressure::default(),
            burst: Burst::default(),
            reading: Cell::new(false),
            read_turn: Cell::new(0),
            paused: Cell::new(false),
            closing: Cell::new(false),
            lost: Cell::new(0),
            closed: Cell::new(false),
        })
    }

    pub(super) fn core<'a, 'py: 'a>(&'a self, py: Python<'py>) -> &'a Core {
        self.event_loop.get().core(py)
    }

    pub(super) fn protocol<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.protocol
            .borrow()
            .as_ref()
            .map(|protocol| protocol.bind(py).clone())
    }

    pub(super) fn parties<'a, 'py>(&'a self, me: &'a Me<'py>) -> Parties<'a, 'py> {
        Parties {
            core: self.core(me.py()),
            transport: me.as_any(),
            protocol: self.protocol(me.py()),
            context: None,
        }
    }

    pub(super) fn serve(&self, me: &Me<'_>, events: Events) {
        if events.readable() && self.reading.get() {
            self.receive(me);
        }
        if events.writable() && !self.outbox.borrow().is_empty() {
            self.send_waiting(me);
        }
    }

    /// Has the kernel report what is of use, and nothing else: it would repeat itself.
    pub(super) fn update_interest(&self, me: &Me<'_>) -> PyResult<()> {
        let Some(watch) = self.watch.borrow().upgrade() else {
            return Ok(());
        };
        let (reading, sending) = (self.reading.get(), !self.outbox.borrow().is_empty());
        let (poller, fd) = (self.core(me.py()).poller(), self.endpoint.fd());
        match (reading, sending) {
            (true, true) => poller.modify(fd, Interest::BOTH)?,
            (true, false) => poller.modify(fd, Interest::READ)?,
            (false, true) => poller.modify(fd, Interest::WRITE)?,
            (false, false) => poller.mute(fd)?,
        }
        if reading || sending {
            watch.0.hold(me);
        } else {
            watch.0.release(me.py(), !self.closing.get());
        }
        Ok(())
    }

    /// [`Self::update_interest`] where nobody can return an error.
    pub(super) fn update_interest_reporting(&self, me: &Me<'_>) {
        if let Err(error) = self.update_interest(me) {
            self.fatal_error(me, error, "Fatal error on datagram transport");
        }
    }

    pub(super) fn is_reading(&self) -> bool {
        !self.closing.get() && !self.paused.get()
    }

    pub(super) fn stop_reading(&self, me: &Me<'_>) {
        self.reading.set(false);
        self.read_turn.set(self.read_turn.get().wrapping_add(1));
        self.update_interest_reporting(me);
    }

    pub(super) fn pause_reading(&self, me: &Me<'_>) -> PyResult<()> {
        if !self.is_reading() {
            return Ok(());
        }
        self.paused.set(true);
        self.stop_reading(me);
        self.debug_log(me, "%r pauses reading")
    }

    pub(super) fn resume_reading(&self, me: &Me<'_>) -> PyResult<()> {
        if self.closing.get() || !self.paused.get() {
            return Ok(());
        }
        let context = context::copy_current(me.py())?;
        drop(self.read_context.replace(Some(context)));
        self.paused.set(false);
        self.reading.set(true);
        self.update_interest(me)?;
        self.debug_log(me, "%r resumes reading")
    }

    pub(super) fn debug_log(&self, me: &Me<'_>, format: &str) -> PyResult<()> {
        let py = me.py();
        if self.core(py).is_debug() {
            debug::logger(py)?.call_method1("debug", (format, me))?;
        }
        Ok(())
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        visit.call(&self.address)?;
        self.endpoint.traverse(visit)?;
        self.addresses.traverse(visit)?;
        self.pressure.traverse(visit)?;
        for slot in [&self.protocol, &self.read_context] {
            if let Ok(slot) = slot.try_borrow() {
                visit.call(&*slot)?;
            }
        }
        Ok(())
    }

    /// asyncio's representation.
    pub(super) fn repr(&self, py: Python<'_>) -> String {
        let mut parts = vec![String::from("DatagramTransport")];
        if self.closed.get() {
            parts.push("closed".into());
        } else if self.closing.get() {
            parts.push("closing".into());
        }
        parts.push(format!("fd={}", self.endpoint.fd()));
        if !self.closed.get() && !self.core(py).is_closed() {
            let polling = |on| if on { "polling" } else { "idle" };
            let outbox = self.outbox.borrow();
            parts.push(format!("read={}", polling(self.reading.get())));
            let sending = polling(!outbox.is_empty());
            parts.push(format!("write=<{sending}, bufsize={}>", outbox.size));
        }
        format!("<{}>", parts.join(" "))
    }
}
