//! A foreign handler on our own server.

use super::carrier::Carrier;
use super::ffi::{Foreign, Task};
use super::layered::Layered;
use crate::error::{BODY_TOO_LONG, BodyError, Refusal, ResponseError};
use crate::exchange::{Chunk, Exchange, Incoming};
use crate::layer::Layers;
use crate::route::Captures;
use crate::service::LocalBoxFuture;
use bytes::Bytes;
use std::borrow::Cow;
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// Where a route matched a request's path.
pub struct Matched {
    /// The names of the pattern's parameters.
    pub names: Arc<[Box<str>]>,
    /// What they took.
    pub captures: Captures,
    /// How much of the raw path is the prefix of a mount.
    pub prefix: usize,
}

/// What the app and the route say of an answer.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// What it goes through; they have to [amend all](Layers::amends_all) answers to this request.
    pub layers: &'a Rc<Layers>,
    /// After that, where it has not begun, the handler is given up and a 504 of ours goes through the layers.
    pub time_limit: Option<Duration>,
    /// With more bytes of a body the handler is given up, and a 413 of ours goes through the layers.
    pub body_limit: Option<u64>,
}

/// Lets `handler` answer. What comes back is as in [`Service::call`](crate::service::Service::call).
///
/// The first poll happens here, so that an answer that is ready costs no future. It has no waker of use: whoever is told
/// to wait is polled again at once, with the connection's.
pub fn answer(
    handler: &Foreign,
    exchange: Exchange,
    matched: Matched,
    terms: Terms<'_>,
) -> Option<LocalBoxFuture<()>> {
    let Terms { layers, .. } = terms;
    let due = terms
        .time_limit
        .and_then(|limit| Instant::now().checked_add(limit));
    let decoded = match exchange.head().path_text() {
        Cow::Borrowed(_) => None,
        Cow::Owned(path) => Some(path),
    };
    let incoming = exchange.incoming();
    let carrier = OnServer {
        exchange,
        incoming,
        matched,
        decoded,
        begun: Cell::new(false),
        allowed: Cell::new(terms.body_limit.unwrap_or(u64::MAX)),
        exceeded: Cell::new(false),
        layered: (!layers.is_empty()).then(|| Layered::new(Rc::clone(layers))),
    };
    let mut task = Task::new(handler, carrier)?;
    let mut nobody = Context::from_waker(Waker::noop());
    match task.poll(&mut nobody) {
        Poll::Ready(()) if !task.carrier().is_busy() => None,
        _ => {
            let mut patience = due.map(|due| Box::pin(sleep_until(due)));
            let driven = poll_fn(move |cx| drive(&mut task, &mut patience, cx));
            Some(Box::pin(driven))
        }
    }
}

/// How long an answer may take to begin.
type Patience = Option<Pin<Box<Sleep>>>;

/// Goes on with a handler, and with what its answer waits for.
fn drive(task: &mut Task<OnServer>, patience: &mut Patience, cx: &mut Context<'_>) -> Poll<()> {
    let mut polled = if task.carrier().exceeded.get() {
        Poll::Pending
    } else {
        task.poll(cx)
    };
    if task.carrier().begun.get() {
        *patience = None;
    } else if polled.is_pending()
        && let Some(sleep) = patience
        && sleep.as_mut().poll(cx).is_ready()
    {
        *patience = None;
        task.end();
        task.carrier().time_out();
        polled = Poll::Ready(());
    }
    if polled.is_pending() && task.carrier().exceeded.get() {
        task.end();
        task.carrier().refuse();
        polled = Poll::Ready(());
    }
    let carrier = task.carrier();
    if let Some(layered) = &carrier.layered {
        // Where the handler waited for this, its waker is woken.
        ready!(layered.poll_flush(&carrier.exchange, cx));
    }
    polled
}

/// A request of our server. Dropped without an answer, the exchange becomes a 500.
struct OnServer {
    exchange: Exchange,
    incoming: Incoming,
    matched: Matched,
    /// The path without percent-encoding, where it had any.
    decoded: Option<String>,
    /// Whether there is an answer, or its beginning.
    begun: Cell<bool>,
    /// How many bytes of the body may still come.
    allowed: Cell<u64>,
    /// Whether more have come: the handler is not polled any more.
    exceeded: Cell<bool>,
    /// What the answer goes through, where the app has layers.
    layered: Option<Layered>,
}

impl OnServer {
    fn path_text(&self) -> &str {
        let raw = || std::str::from_utf8(self.exchange.head().raw_path()).unwrap_or_default();
        self.decoded.as_deref().unwrap_or_else(raw)
    }

    /// Whether a part of the answer is on its way though the handler may be done.
    fn is_busy(&self) -> bool {
        self.layered.as_ref().is_some_and(Layered::is_busy)
    }

    /// Answers in the place of a handler whose request is too long, as an `App` does.
    fn refuse(&self) {
        if self.begun.get() {
            tracing::error!("a request's body is longer than allowed: its response is cut short");
            self.exchange.fail();
            return;
        }
        let length = BODY_TOO_LONG.len().to_string();
        let fields: [(&[u8], &[u8]); 2] = [
            (b"content-type", b"application/json"),
            (b"content-length", length.as_bytes()),
        ];
        // Where nobody is there to read it, nothing is to be done.
        let _ = self.respond(
            413,
            fields.into_iter(),
            Chunk::from(BODY_TOO_LONG.as_bytes()),
        );
    }

    /// Answers in the place of a handler that takes too long.
    fn time_out(&self) {
        let Refusal { status, reason } = Refusal::OVERDUE;
        let length = reason.len().to_string();
        let fields: [(&[u8], &[u8]); 2] = [
            (b"content-length", length.as_bytes()),
            (b"content-type", b"text/plain; charset=utf-8"),
        ];
        // Where nobody is there to read it, nothing is to be done.
        let _ = self.respond(status, fields.into_iter(), Chunk::from(reason.as_bytes()));
    }
}

impl Carrier for OnServer {
    fn method(&self) -> &[u8] {
        self.exchange.head().method().as_bytes()
    }

    fn path(&self) -> &[u8] {
        self.exchange.head().raw_path()
    }

    fn query(&self) -> &[u8] {
        self.exchange.head().query()
    }

    fn prefix(&self) -> usize {
        self.matched.prefix
    }

    fn body_length(&self) -> Option<u64> {
        self.incoming.remaining()
    }

    fn request_id(&self) -> Option<&str> {
        self.exchange.request_id()
    }

    fn client(&self) -> Option<SocketAddr> {
        self.exchange.client()
    }

    fn is_secure(&self) -> bool {
        self.exchange.is_secure()
    }

    fn params(&self) -> usize {
        self.matched.names.len()
    }

    fn param(&self, index: usize) -> Option<(&str, &str)> {
        let name = self.matched.names.get(index)?;
        let value = self.matched.captures.text(index, self.path_text())?;
        Some((name, value))
    }

    fn field(&self, name: &[u8]) -> Option<&[u8]> {
        self.exchange.head().get(name)
    }

    fn each_field(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        for (name, value) in self.exchange.head().headers() {
            visit(name, value);
        }
    }

    fn poll_chunk(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        let polled = self.exchange.poll_chunk(cx);
        if let Poll::Ready(Some(Ok(chunk))) = &polled {
            let Some(rest) = self.allowed.get().checked_sub(chunk.len() as u64) else {
                self.exceeded.set(true);
                return Poll::Pending;
            };
            self.allowed.set(rest);
        }
        polled
    }

    fn respond<'a>(
        &self,
        status: u16,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        body: Chunk<'_>,
    ) -> Result<(), ResponseError> {
        self.begun.set(true);
        match &self.layered {
            None => self.exchange.respond(status, fields, body),
            Some(layered) => layered.respond(&self.exchange, status, fields, body),
        }
    }

    fn start<'a>(
        &self,
        status: u16,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<(), ResponseError> {
        self.begun.set(true);
        match &self.layered {
            None => self.exchange.start(status, fields),
            Some(layered) => layered.start(&self.exchange, status, fields),
        }
    }

    fn write(&self, chunk: Chunk<'_>) -> Result<(), ResponseError> {
        match &self.layered {
            None => self.exchange.write(chunk),
            Some(layered) => layered.write(&self.exchange, chunk),
        }
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.layered {
            None => self.exchange.poll_writable(cx),
            Some(layered) => layered.poll_writable(&self.exchange, cx),
        }
    }

    fn finish<'a>(
        &self,
        trailers: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<(), ResponseError> {
        match &self.layered {
            None => self.exchange.finish_with_trailers(trailers),
            Some(layered) => layered.finish(&self.exchange, trailers),
        }
    }
}
