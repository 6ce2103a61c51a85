//! Listening sockets: from a connection in the kernel's queue to a transport. Knows no address and no `Server`:
//! those are asyncio's own.

use std::cell::Cell;
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::rc::Rc;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use socket2::SockAddr;

use crate::core::Core;
use crate::debug;
use crate::event_loop::EventLoop;
use crate::ffi::{context, python, socket};
use crate::handle::ends_the_loop;
use crate::poller::{Events, Interest, Mode, Source};
use crate::transport::{
    Endpoint, Kind, Origin, StreamTransport, fileno, os_error, transport_socket,
};

/// A listening socket and whom its connections are for.
struct Listener {
    fd: RawFd,
    kind: Kind,
    backlog: u32,
    /// How many connections the next poll takes: one more than there are costs as much as one.
    quota: Cell<u32>,
    /// The poll after which more was left, maybe.
    filled: Cell<u32>,
    event_loop: Py<EventLoop>,
    sock: Py<PyAny>,
    protocol_factory: Py<PyAny>,
    server: Py<PyAny>,
    /// Where the factory runs: a copy of it for each connection.
    context: Py<PyAny>,
    /// All callbacks of a connection share that copy, from Python 3.15 on.
    shares_context: bool,
}

/// Accepts from now on, for `server`; `sock` listens already.
pub fn listen(
    event_loop: &Bound<'_, EventLoop>,
    protocol_factory: &Bound<'_, PyAny>,
    sock: &Bound<'_, PyAny>,
    server: &Bound<'_, PyAny>,
    backlog: u32,
    context: Option<Bound<'_, PyAny>>,
) -> PyResult<()> {
    let py = event_loop.py();
    let core = event_loop.get().core(py);
    core.check_usable()?;
    let fd = fileno(sock)?;
    let listener = Listener {
        fd,
        kind: Kind::of(sock)?,
        backlog,
        quota: Cell::new(1),
        filled: Cell::new(0),
        event_loop: event_loop.clone().unbind(),
        sock: sock.clone().unbind(),
        protocol_factory: protocol_factory.clone().unbind(),
        server: server.clone().unbind(),
        shares_context: python::is_at_least(15),
        context: match context {
            Some(context) => context.unbind(),
            None => context::copy_current(py)?,
        },
    };
    core.poller()
        .register(fd, Mode::Level, Interest::READ, Rc::new(listener))?;
    Ok(())
}

impl Source for Listener {
    fn ready(&self, py: Python<'_>, core: &Core, _events: Events) {
        for _ in 0..self.begin(core.poller().polls()) {
            match socket::accept(self.fd) {
                Ok((fd, peer)) => self.connected(py, core, fd, &peer),
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => return self.refused(py, core, &error),
            }
            if core.poller().source(self.fd).is_none() {
                return; // the program has closed the server
            }
        }
    }
}

impl Listener {
    /// How many connections to take now. The kernel reports what is left at once again: while it does, twice as many as
    /// the last time, so that a burst is taken in few polls and a single connection by a single call.
    fn begin(&self, poll: u32) -> u32 {
        let quota = if self.filled.replace(poll) == poll.wrapping_sub(1) {
            (self.quota.get() * 2).min(self.backlog.saturating_add(1))
        } else {
            1
        };
        self.quota.set(quota);
        quota
    }

    fn refused(&self, py: Python<'_>, core: &Core, error: &io::Error) {
        match error.raw_os_error() {
            Some(libc::EAGAIN | libc::EINTR) => {}
            Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => {
                self.out_of_resources(py, core, error);
            }
            _ => core.report(
                py,
                os_error(py, error),
                "Exception in accepting a connection",
                &[],
            ),
        }
    }

    /// The kernel would report the same connection again and again: looks away for a while, as asyncio does.
    fn out_of_resources(&self, py: Python<'_>, core: &Core, error: &io::Error) {
        core.poller().deregister(self.fd);
        let resume = || -> PyResult<()> {
            let constants = py.import("asyncio.constants")?;
            let event_loop = self.event_loop.bind(py);
            let arguments = (
                constants.getattr("ACCEPT_RETRY_DELAY")?,
                event_loop.getattr(intern!(py, "_start_serving"))?,
                &self.protocol_factory,
                &self.sock,
                py.None(),
                &self.server,
                self.backlog,
            );
            let options = PyDict::new(py);
            options.set_item(
                intern!(py, "context"),
                context::copy(self.context.bind(py))?,
            )?;
            event_loop
                .call_method(intern!(py, "call_later"), arguments, Some(&options))
                .map(drop)
        };
        let resumed = resume();
        let report = |error| match transport_socket(self.sock.bind(py)) {
            Ok(sock) => core.report(
                py,
                error,
                "socket.accept() out of system resource",
                &[("socket", &sock)],
            ),
            Err(error) => core.interrupt(error),
        };
        report(os_error(py, error));
        if let Err(error) = resumed {
            core.interrupt(error);
        }
    }

    fn connected(&self, py: Python<'_>, core: &Core, fd: OwnedFd, peer: &SockAddr) {
        let mut protocol = None;
        let made = context::copy(self.context.bind(py)).and_then(|context| {
            let shared = self.shares_context.then_some(&context);
            context::run_in(&context, || {
                let endpoint = Endpoint::accepted(py, fd, self.kind, peer)?;
                self.make_transport(py, core, endpoint, shared, &mut protocol)
            })
        });
        let Err(error) = made.and_then(|made| made) else {
            return;
        };
        if ends_the_loop(py, &error) {
            core.interrupt(error);
        } else if core.is_debug() {
            let details: Vec<_> = protocol
                .iter()
                .map(|protocol| ("protocol", protocol))
                .collect();
            core.report(
                py,
                error,
                "Error on transport creation for incoming connection",
                &details,
            );
        }
    }

    fn make_transport<'py>(
        &self,
        py: Python<'py>,
        core: &Core,
        endpoint: Endpoint,
        context: Option<&Bound<'py, PyAny>>,
        protocol: &mut Option<Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let server = self.server.bind(py);
        if core.is_debug() {
            let (peer, sock) = endpoint.describe(py)?;
            debug::logger(py)?.call_method1(
                "debug",
                ("%r got a new connection from %r: %r", server, peer, sock),
            )?;
        }
        let protocol = protocol.insert(self.protocol_factory.bind(py).call0()?);
        let event_loop = self.event_loop.bind(py);
        let origin = Origin {
            event_loop,
            protocol,
            waiter: None,
            context,
            server: Some(server),
        };
        StreamTransport::open(endpoint, &origin).map(drop)
    }
}

/// Looks away for good and closes the listening socket.
pub fn stop_listening(event_loop: &Bound<'_, EventLoop>, sock: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = event_loop.py();
    let fd = fileno(sock)?;
    event_loop.get().core(py).poller().deregister(fd);
    sock.call_method0(intern!(py, "close")).map(drop)
}
