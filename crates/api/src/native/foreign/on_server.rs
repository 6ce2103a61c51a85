//! A foreign handler on our own server.

use super::carrier::Carrier;
use super::ffi::{Foreign, Task};
use super::layered::Layered;
use crate::error::{BodyError, ResponseError};
use crate::exchange::{Chunk, Exchange, Incoming};
use crate::layer::Layers;
use crate::route::Captures;
use crate::service::LocalBoxFuture;
use bytes::Bytes;
use std::borrow::Cow;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

/// Where a route matched a request's path.
pub struct Matched {
    /// The names of the pattern's parameters.
    pub names: Arc<[Box<str>]>,
    /// What they took.
    pub captures: Captures,
    /// How much of the raw path is the prefix of a mount.
    pub prefix: usize,
}

/// Lets `handler` answer, within `layers`, which [amend all](Layers::amends_all) answers to this request. What comes back is as in [`Service::call`](crate::service::Service::call).
///
/// The first poll happens here, so that an answer that is ready costs no future. It has no waker of use: whoever is told
/// to wait is polled again at once, with the connection's.
pub fn answer(
    handler: &Foreign,
    exchange: Exchange,
    matched: Matched,
    layers: &Rc<Layers>,
) -> Option<LocalBoxFuture<()>> {
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
        layered: (!layers.is_empty()).then(|| Layered::new(Rc::clone(layers))),
    };
    let mut task = Task::new(handler, carrier)?;
    let mut nobody = Context::from_waker(Waker::noop());
    match task.poll(&mut nobody) {
        Poll::Ready(()) if !task.carrier().is_busy() => None,
        _ => Some(Box::pin(poll_fn(move |cx| drive(&mut task, cx)))),
    }
}

/// Goes on with a handler, and with what its answer waits for.
fn drive(task: &mut Task<OnServer>, cx: &mut Context<'_>) -> Poll<()> {
    let polled = task.poll(cx);
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
        self.exchange.poll_chunk(cx)
    }

    fn respond<'a>(
        &self,
        status: u16,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        body: Chunk<'_>,
    ) -> Result<(), ResponseError> {
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
