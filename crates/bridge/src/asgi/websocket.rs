//! One ASGI `websocket` call: what `receive` and `send` mean for its exchange, before and after it became a WebSocket.

mod message;

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::{Rc, Weak};

use api::error::ResponseError;
use api::exchange::{Exchange, Next, Observer, WebSocket};
use api::websocket::handshake::Handshake;
use pyloop::gil::Kept;
use pyloop::host::{self, Job};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use self::message::{Accept, Closing, Kind, Payload};
use super::awaitable::{Awaited, For, resolve};
use super::message::{Body, Start};
use super::protocol::{Outcome, Protocol, Sent};
use super::route::Routing;
use crate::errors;

/// The order in which an app may send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// The WebSocket is to be accepted or refused.
    Connecting,
    /// It is accepted.
    Open,
    /// It is refused with a response, of which more has to come.
    Denial,
    /// Nothing more may be sent.
    Done,
}

/// The state of one call, shared by `receive`, `send` and the events of the connection. Lives on the loop's thread.
pub struct Conversation {
    exchange: Exchange,
    routing: Routing,
    handshake: Handshake,
    socket: OnceCell<WebSocket>,
    phase: Cell<Phase>,
    /// `websocket.connect` was delivered.
    connected: Cell<bool>,
    /// Futures of tasks that wait in `receive()`.
    receivers: RefCell<Vec<Kept<PyAny>>>,
    /// Futures of tasks that wait in `send()`.
    senders: RefCell<Vec<Kept<PyAny>>>,
    /// A job that wakes them is queued.
    queued: Cell<bool>,
    itself: Weak<Self>,
}

impl Conversation {
    /// Takes over `exchange`, whose events come here from now on.
    pub fn new(exchange: Exchange, handshake: Handshake) -> Rc<Self> {
        let made = Rc::new_cyclic(|itself| Self {
            exchange,
            routing: Routing::default(),
            handshake,
            socket: OnceCell::new(),
            phase: Cell::new(Phase::Connecting),
            connected: Cell::new(false),
            receivers: RefCell::default(),
            senders: RefCell::default(),
            queued: Cell::new(false),
            itself: itself.clone(),
        });
        let observer: Weak<dyn Observer> = Rc::downgrade(&made) as Weak<dyn Observer>;
        made.exchange.watch(observer);
        made
    }

    fn receive<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        if !self.connected.replace(true) {
            return message::connect(py).map(Some);
        }
        let Some(socket) = self.socket.get() else {
            let gone = self.phase.get() == Phase::Done || self.exchange.is_disconnected();
            return gone.then(|| message::disconnect(py, None)).transpose();
        };
        loop {
            return match socket.next() {
                Next::Message(_) if self.phase.get() == Phase::Done => continue,
                Next::Message(received) => message::receive(py, &received).map(Some),
                Next::Closed(close) => message::disconnect(py, Some(&close)).map(Some),
                Next::Pending => Ok(None),
            };
        }
    }

    fn accept(&self, py: Python<'_>, sent: &Bound<'_, PyDict>) -> PyResult<()> {
        let Accept { protocol, headers } = Accept::read(py, sent)?;
        let protocol = protocol.as_ref().map(|name| name.to_str()).transpose()?;
        let socket = self
            .exchange
            .upgrade(&self.handshake, protocol, headers.pairs())
            .map_err(|error| errors::response(&error))?;
        if self.socket.set(socket).is_ok() {
            self.phase.set(Phase::Open);
            // Whoever waits in receive() waited for this.
            resolve(py, &self.receivers);
        }
        Ok(())
    }

    fn refuse(&self, py: Python<'_>) -> PyResult<()> {
        let headers = std::iter::empty::<(&[u8], &[u8])>();
        let refused = self.exchange.respond(403, headers, &b""[..]);
        self.end(py);
        refused.map_err(|error| errors::response(&error))
    }

    fn start_denial(&self, py: Python<'_>, sent: &Bound<'_, PyDict>) -> PyResult<()> {
        let start = Start::read(py, sent)?;
        self.exchange
            .start(start.status, start.headers.pairs())
            .map_err(|error| errors::response(&error))?;
        self.phase.set(Phase::Denial);
        Ok(())
    }

    fn deny(&self, py: Python<'_>, sent: &Bound<'_, PyDict>) -> PyResult<()> {
        let body = Body::read(py, sent)?;
        let mut written = self.exchange.write(body.chunk());
        if !body.more {
            self.end(py);
            written = written.and_then(|()| self.exchange.finish());
        }
        written.map_err(|error| errors::response(&error))
    }

    /// Sends a message, or says that it waits until it can be.
    fn send_message(self: Rc<Self>, py: Python<'_>, sent: &Bound<'_, PyDict>) -> PyResult<Sent> {
        let payload = Payload::read(py, sent)?;
        let socket = self.open()?;
        if !socket.has_room() && !socket.is_closed() {
            return Ok(Sent::Waits(Rc::new(Deferred {
                conversation: self,
                payload: RefCell::new(Some(payload.keep())),
            })));
        }
        transmit(py, socket, &payload)?;
        if self.may_go_on() {
            return Ok(Sent::Done);
        }
        Ok(Sent::Waits(self))
    }

    fn close_socket(&self, py: Python<'_>, sent: &Bound<'_, PyDict>) -> PyResult<()> {
        let Closing { code, reason } = Closing::read(py, sent)?;
        let socket = self.open()?;
        // The client may have been faster, which is as good.
        let _ = socket.close(code, &reason);
        self.end(py);
        Ok(())
    }

    fn open(&self) -> PyResult<&WebSocket> {
        let missing = || errors::illegal_order("the WebSocket is not accepted");
        self.socket.get().ok_or_else(missing)
    }

    fn end(&self, py: Python<'_>) {
        self.phase.set(Phase::Done);
        resolve(py, &self.receivers);
        resolve(py, &self.senders);
    }

    fn may_go_on(&self) -> bool {
        self.exchange.is_disconnected()
            || match self.socket.get() {
                Some(socket) => socket.is_writable() || socket.is_closed(),
                None => self.exchange.is_writable(),
            }
    }

    fn tell(&self) {
        let waiting = !self.receivers.borrow().is_empty() || !self.senders.borrow().is_empty();
        if waiting
            && !self.queued.replace(true)
            && let Some(itself) = self.itself.upgrade()
        {
            host::push_job(itself);
        }
    }
}

fn transmit(py: Python<'_>, socket: &WebSocket, payload: &Payload<'_>) -> PyResult<()> {
    let (kind, chunk) = payload.chunk()?;
    socket.send(kind, chunk).map_err(|error| match error {
        ResponseError::Disconnected => errors::disconnected(py),
        other => errors::response(&other),
    })
}

impl Protocol for Conversation {
    fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    fn routing(&self) -> &Routing {
        &self.routing
    }

    /// Errors: `RuntimeError` for an illegal order, `ClientDisconnected` (an `OSError`) once the client has left.
    fn send(self: Rc<Self>, py: Python<'_>, sent: &Bound<'_, PyDict>) -> PyResult<Sent> {
        let phase = self.phase.get();
        if matches!(phase, Phase::Connecting | Phase::Denial) && self.exchange.is_disconnected() {
            return Err(errors::disconnected(py));
        }
        let kind = Kind::of(py, sent)?;
        self.routing.settle(py, &self.exchange);
        match (phase, kind) {
            (Phase::Connecting, Kind::Accept) => self.accept(py, sent)?,
            (Phase::Connecting, Kind::Close) => self.refuse(py)?,
            (Phase::Connecting, Kind::ResponseStart) => self.start_denial(py, sent)?,
            (Phase::Denial, Kind::ResponseBody) => self.deny(py, sent)?,
            (Phase::Open, Kind::Send) => return self.send_message(py, sent),
            (Phase::Open, Kind::Close) => self.close_socket(py, sent)?,
            (phase, kind) => return Err(illegal(phase, kind)),
        }
        if self.may_go_on() {
            return Ok(Sent::Done);
        }
        Ok(Sent::Waits(self))
    }

    fn close(&self, py: Python<'_>, raised: bool) -> Outcome {
        let left = self.exchange.is_disconnected();
        let outcome = match (self.phase.get(), self.socket.get()) {
            (Phase::Done, _) => Outcome::Complete,
            (Phase::Open, Some(socket)) if !socket.is_closed() => {
                let _ = socket.close(if raised { 1011 } else { 1000 }, "");
                Outcome::Complete
            }
            (Phase::Open, _) => Outcome::Disconnected,
            _ if left => Outcome::Disconnected,
            (Phase::Connecting, _) => Outcome::NoResponse,
            (Phase::Denial, _) => Outcome::Incomplete,
        };
        if matches!(outcome, Outcome::NoResponse | Outcome::Incomplete) {
            self.exchange.fail();
        }
        self.end(py);
        outcome
    }
}

impl Awaited for Conversation {
    fn value<'py>(&self, py: Python<'py>, what: For) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(match what {
            For::Message => self.receive(py)?.map(Bound::into_any),
            For::Room => self.may_go_on().then(|| py.None().into_bound(py)),
        })
    }

    fn wait(&self, what: For, future: Kept<PyAny>) {
        match what {
            For::Message => self.receivers.borrow_mut().push(future),
            For::Room => self.senders.borrow_mut().push(future),
        }
    }
}

/// A message that found the write buffer full.
struct Deferred {
    conversation: Rc<Conversation>,
    payload: RefCell<Option<Kept<PyAny>>>,
}

impl Awaited for Deferred {
    fn value<'py>(&self, py: Python<'py>, what: For) -> PyResult<Option<Bound<'py, PyAny>>> {
        let waits = self.payload.borrow().is_some();
        if waits {
            let socket = self.conversation.open()?;
            if !socket.has_room() && !socket.is_closed() {
                return Ok(None);
            }
            if let Some(payload) = self.payload.take() {
                let payload = Payload::of(payload.bind(py).clone())?;
                transmit(py, socket, &payload)?;
            }
        }
        self.conversation.value(py, what)
    }

    fn wait(&self, what: For, future: Kept<PyAny>) {
        self.conversation.wait(what, future);
    }
}

impl Observer for Conversation {
    fn body_ready(&self) {
        self.tell();
    }

    fn writable(&self) {
        self.tell();
    }

    fn disconnected(&self) {
        self.tell();
    }
}

impl Job for Conversation {
    fn run(self: Rc<Self>, py: Python<'_>) {
        self.queued.set(false);
        resolve(py, &self.receivers);
        resolve(py, &self.senders);
    }
}

fn illegal(phase: Phase, kind: Kind) -> PyErr {
    let expected = match phase {
        Phase::Connecting => {
            "'websocket.accept', 'websocket.close' or 'websocket.http.response.start'"
        }
        Phase::Open => "'websocket.send' or 'websocket.close'",
        Phase::Denial => "'websocket.http.response.body'",
        Phase::Done => "no message any more: the WebSocket is closed or refused",
    };
    errors::illegal_order(&format!(
        "Unexpected ASGI message '{}' sent, expected {expected}.",
        kind.name()
    ))
}
