//! One exchange over HTTP/1.1, between its handle and its connection: the request's body is pulled out of the
//! connection's input here. Knows neither the socket nor the phases of the connection.

use super::response::Response;
use super::websocket::Socket;
use super::{BodyEvent, ConnectionInfo, Observer};
use crate::access_log::Answered;
use crate::connection::{Link, SKIP_LIMIT, WakerSlot};
use crate::error::{BodyError, Refusal};
use crate::forwarded::Origin;
use crate::http1::Framing;
use crate::http1::body::{Decoded, Decoder};
use crate::http1::encode::CONTINUE;
use crate::http1::head::Head;
use crate::metrics::Meter;
use bytes::Bytes;
use std::cell::{Cell, OnceCell, RefCell};
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// The state of an exchange, shared by its handle and its connection.
pub(crate) struct Inner {
    pub(super) link: Rc<Link>,
    pub(super) head: Head,
    pub(super) response: Response,
    /// What the exchange became.
    pub(super) socket: OnceCell<Box<Socket>>,
    /// What a trusted proxy says of the client, once somebody has asked.
    origin: OnceCell<Origin>,
    /// Its name, once somebody has asked, where requests have names.
    request_id: OnceCell<Box<str>>,
    decoder: RefCell<Decoder>,
    /// Why the rest of the body will not come.
    lost: Cell<Option<BodyError>>,
    /// The client waits for `100 Continue` before it sends the body.
    continue_due: Cell<bool>,
    /// Somebody found nothing to read and was told to wait.
    awaited: Cell<bool>,
    /// The connection has gone on, or is gone: nothing of it belongs to this exchange any more.
    over: Cell<bool>,
    /// How long the response may take to begin.
    pub(super) time_limit: Cell<Option<Duration>>,
    /// It took longer.
    overdue: Cell<bool>,
    pub(super) body_waker: WakerSlot,
    pub(super) write_waker: WakerSlot,
    observer: RefCell<Option<Weak<dyn Observer>>>,
    /// When the request's head was complete, where somebody wants to know.
    began: Option<Instant>,
    /// Where it is counted; 0 until its route is known.
    row: Cell<u16>,
}

/// What counts as the status of a response whose client left before its end, as many servers have it.
const CLIENT_LEFT: u16 = 499;

/// What [`Inner::skip`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skipped {
    /// The body is complete.
    All,
    /// So many bytes were thrown away, and more is to come.
    Some(u64),
    /// Where the body ends cannot be known any more.
    Broken,
}

impl Inner {
    pub(crate) fn new(link: Rc<Link>, head: Head) -> Self {
        Self {
            decoder: RefCell::new(Decoder::new(head.framing(), &link.engine.limits)),
            continue_due: Cell::new(head.expects_continue()),
            response: Response::new(),
            socket: OnceCell::new(),
            origin: OnceCell::new(),
            request_id: OnceCell::new(),
            head,
            lost: Cell::new(None),
            awaited: Cell::new(false),
            over: Cell::new(false),
            time_limit: Cell::new(link.engine.timeouts.answer),
            overdue: Cell::new(false),
            body_waker: WakerSlot::default(),
            write_waker: WakerSlot::default(),
            observer: RefCell::new(None),
            began: link.engine.is_timed().then(|| link.engine.moment()),
            row: Cell::new(0),
            link,
        }
    }

    /// Begins anew for another request of the same connection.
    pub(crate) fn reset(&mut self, head: Head) {
        let link = Rc::clone(&self.link);
        *self = Self::new(link, head);
    }

    pub(super) fn connection(&self) -> &ConnectionInfo {
        &self.link.info
    }

    fn origin(&self) -> &Origin {
        let engine = &self.link.engine;
        let peer = self.link.info.peer();
        let origin = || engine.trusted.origin(engine.dialect, peer, &self.head);
        self.origin.get_or_init(origin)
    }

    /// Who asks: the peer, or whom a trusted proxy names.
    pub(super) fn client(&self) -> Option<SocketAddr> {
        self.origin().client.or(self.link.info.peer())
    }

    /// Whether the client speaks TLS, to us or to a trusted proxy.
    pub(super) fn is_secure(&self) -> bool {
        let said = self.origin().secure;
        said.unwrap_or_else(|| self.link.info.is_secure())
    }

    /// The request's name, where requests have names: a trusted proxy's, or one of our own.
    pub(super) fn request_id(&self) -> Option<&str> {
        let engine = &self.link.engine;
        let ids = engine.request_ids.as_ref()?;
        let name = || {
            let peer = self.link.info.peer();
            let is_believed = engine.trusted.believes(engine.dialect, peer);
            let given = self.head.get(ids.header().as_bytes());
            ids.name(given.filter(|_| is_believed))
        };
        Some(self.request_id.get_or_init(name))
    }

    /// The client is gone, or the connection went on without this exchange.
    pub(super) fn is_disconnected(&self) -> bool {
        self.link.lost.get() || self.over.get()
    }

    pub(super) fn watch(&self, observer: Weak<dyn Observer>) {
        *self.observer.borrow_mut() = Some(observer);
    }

    pub(super) fn tell(&self, event: impl FnOnce(&(dyn Observer + 'static))) {
        let observer = self.observer.borrow().as_ref().and_then(Weak::upgrade);
        if let Some(observer) = observer {
            event(&*observer);
        }
    }

    pub(super) fn next_chunk(&self) -> BodyEvent {
        if let Some(error) = self.lost.get() {
            return BodyEvent::Lost(error);
        }
        if self.is_disconnected() {
            return self.lose(BodyError::Disconnected);
        }
        let mut input = self.link.input.borrow_mut();
        match self.decoder.borrow_mut().decode(input.buffer()) {
            Ok(Decoded::Chunk(chunk)) => {
                self.continue_due.set(false);
                if self.link.reading_paused.replace(false) {
                    self.link.schedule();
                }
                BodyEvent::Chunk(chunk)
            }
            Ok(Decoded::End) => BodyEvent::End,
            Err(refusal) => self.lose(BodyError::Malformed(refusal)),
            Ok(Decoded::Incomplete) if input.ended && self.head.framing() == Framing::Stream => {
                BodyEvent::End
            }
            Ok(Decoded::Incomplete) if input.ended => self.lose(BodyError::Incomplete),
            Ok(Decoded::Incomplete) => {
                self.wait_for_body();
                BodyEvent::Pending
            }
        }
    }

    pub(super) fn poll_chunk(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        match self.next_chunk() {
            BodyEvent::Chunk(chunk) => Poll::Ready(Some(Ok(chunk))),
            BodyEvent::End => Poll::Ready(None),
            BodyEvent::Lost(error) => Poll::Ready(Some(Err(error))),
            BodyEvent::Pending => {
                self.body_waker.register(cx.waker());
                Poll::Pending
            }
        }
    }

    pub(super) fn remaining(&self) -> Option<u64> {
        self.decoder.borrow().remaining()
    }

    fn lose(&self, error: BodyError) -> BodyEvent {
        self.lost.set(Some(error));
        BodyEvent::Lost(error)
    }

    /// What to tell the client when nobody answers: whose fault it is.
    pub(super) fn excuse(&self) -> Refusal {
        if self.overdue.get() {
            return Refusal::OVERDUE;
        }
        let own = Refusal::new(500, "Internal Server Error");
        self.lost.get().map_or(own, BodyError::refusal)
    }

    fn wait_for_body(&self) {
        let continue_due = self.continue_due.replace(false) && !self.response.is_started();
        if continue_due && let Some(outbox) = &self.link.outbox {
            outbox.interim(100, CONTINUE.to_vec());
        } else if continue_due {
            self.link
                .output
                .borrow_mut()
                .tail()
                .extend_from_slice(CONTINUE);
        }
        self.link.reading_paused.set(false);
        // The connection watches the time from now on.
        self.awaited.set(true);
        self.link.schedule();
    }

    /// Whether somebody waits for the next part of the body.
    pub(crate) fn awaits_body(&self) -> bool {
        self.awaited.get()
    }

    /// The connection has read something, or has read the last there was.
    pub(crate) fn body_arrived(&self) {
        if self.awaited.replace(false) {
            self.link.rouse(&self.body_waker);
            self.tell(<dyn Observer>::body_ready);
        }
    }

    /// The client has sent nothing for too long.
    pub(crate) fn body_stalled(&self) {
        self.lost.set(Some(BodyError::Stalled));
        self.body_arrived();
    }

    /// How long the response may take to begin.
    pub(crate) fn time_limit(&self) -> Option<Duration> {
        self.time_limit.get()
    }

    /// The time limit has passed: answers for the service, unless it has begun to. Says whether it had not.
    pub(crate) fn time_out(&self) -> bool {
        if self.response.is_started() {
            return false;
        }
        self.overdue.set(true);
        self.fail();
        self.tell(<dyn Observer>::overdue);
        true
    }

    /// The client has taken enough of the response.
    pub(crate) fn unblock(&self) {
        if self.response.unblock() {
            self.link.rouse(&self.write_waker);
            self.tell(<dyn Observer>::writable);
        }
    }

    /// The connection is gone. (`lost` of the link is set already.)
    pub(crate) fn disconnect(&self) {
        self.over.set(true);
        if let Some(socket) = self.socket.get() {
            socket.lose();
        }
        self.link.rouse(&self.body_waker);
        self.link.rouse(&self.write_waker);
        self.tell(<dyn Observer>::disconnected);
    }

    /// The connection goes on with another exchange.
    pub(crate) fn retire(&self) {
        self.over.set(true);
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.response.is_finished()
    }

    /// How the length of the request's body is known.
    pub(crate) fn framing(&self) -> Framing {
        self.head.framing()
    }

    /// Whether the client waits to be told that its body is wanted.
    pub(crate) fn owes_continue(&self) -> bool {
        self.continue_due.get()
    }

    /// Whether the client saw a beginning to which no end comes.
    pub(crate) fn has_failed(&self) -> bool {
        self.response.has_failed()
    }

    /// Its route is known, as a template.
    pub(super) fn set_route(&self, route: &Arc<str>) {
        let count = |meter: &Meter| self.row.set(meter.row(route, self.head.raw_method()));
        self.link.engine.count(count);
    }

    pub(super) fn wants_route(&self) -> bool {
        self.row.get() == 0 && self.link.engine.meter.is_some()
    }

    pub(super) fn name_route(&self, template: &str) {
        let count = |meter: &Meter| {
            if let Some(row) = meter.row_of(template, self.head.raw_method()) {
                self.row.set(row);
            }
        };
        self.link.engine.count(count);
    }

    /// Its turn in Python has come.
    pub(super) fn begin_work(&self, now: impl FnOnce() -> Instant) {
        if let Some(began) = self.began {
            let waited = now().saturating_duration_since(began);
            self.link.engine.count(|meter| meter.queued(waited));
        }
    }

    /// Its client, or the server, has given the response up.
    pub(crate) fn count_cut(&self) {
        if !self.is_websocket() {
            self.count(CLIENT_LEFT, self.took());
        }
    }

    /// Since its head was complete; nothing where nobody wants to know.
    fn took(&self) -> Duration {
        let took = |began| self.link.engine.moment().saturating_duration_since(began);
        self.began.map(took).unwrap_or_default()
    }

    fn count(&self, status: u16, took: Duration) {
        // A response that broke off is the server's fault, whatever it began with.
        let status = if self.has_failed() { 500 } else { status };
        if let Some(meter) = &self.link.engine.meter {
            let row = match self.row.get() {
                0 => meter.app_row(self.head.raw_method()),
                row => row,
            };
            meter.answered(row, status, took);
        }
    }

    /// What the access log says of the response, and what is counted of it.
    pub(crate) fn log(&self) {
        let took = self.took();
        self.count(self.response.status(), took);
        if let Some(log) = &self.link.engine.access_log {
            log.answered(Answered {
                peer: self.client(),
                request_id: self.request_id(),
                head: &self.head,
                status: self.response.status(),
                sent: self.response.sent(),
                took,
            });
        }
    }

    /// Whether the connection may be used for another request, as far as this response is concerned.
    pub(crate) fn keeps_alive(&self) -> bool {
        self.response.keeps_alive()
    }

    /// Throws away what is buffered of the request body.
    pub(crate) fn skip(&self) -> Skipped {
        let mut decoder = self.decoder.borrow_mut();
        if decoder.is_complete() {
            return Skipped::All;
        }
        if self.lost.get().is_some() {
            return Skipped::Broken;
        }
        let mut input = self.link.input.borrow_mut();
        let before = input.len();
        loop {
            match decoder.decode(input.buffer()) {
                Ok(Decoded::Chunk(_)) => {}
                Ok(Decoded::End) => return Skipped::All,
                Ok(Decoded::Incomplete) => return Skipped::Some((before - input.len()) as u64),
                Err(_) => return Skipped::Broken,
            }
        }
    }

    /// Whether, once the response is out, the next request on the connection can be reached at a bounded cost.
    pub(super) fn is_reusable(&self) -> bool {
        match self.skip() {
            Skipped::All => true,
            Skipped::Broken => false,
            Skipped::Some(_) => {
                let remaining = self.decoder.borrow().remaining();
                !self.continue_due.get() && remaining.is_some_and(|left| left <= SKIP_LIMIT)
            }
        }
    }
}
