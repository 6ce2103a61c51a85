//! The seam: one request and its response, whoever carries them. Knows neither sockets nor who answers.

mod coded;
mod inner;
mod response;
mod websocket;

pub(crate) use inner::{Inner, Skipped};
pub(crate) use websocket::Talk;
pub use websocket::{Next, WebSocket};

use crate::connection::{BY_REFERENCE, FileRange, Output};
use crate::error::{BodyError, ResponseError};
use crate::http1::encode::Prepared;
use crate::http1::head::Head;
use crate::proxy_protocol::Told;
use crate::tls::info::TlsInfo;
use bytes::Bytes;
use futures_core::Stream;
use std::any::Any;
use std::cell::{OnceCell, RefCell};
use std::fs::File;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// One request and the response to it. Dropping it unanswered is [`Exchange::fail`].
///
/// All methods work inside the runtime (in a task of the server's thread) and outside of it, on the same thread.
pub struct Exchange {
    inner: Rc<Inner>,
}

/// The request side of an [`Exchange`], without the right to answer.
pub struct Incoming {
    inner: Rc<Inner>,
}

/// Both ends of a connection, and a place where a user of the server may keep what it derived from them.
#[derive(Default)]
pub struct ConnectionInfo {
    local: Option<SocketAddr>,
    peer: Option<SocketAddr>,
    path: Option<Rc<Path>>,
    /// What a proxy said before the first byte.
    introduced: OnceCell<Told>,
    tls: OnceCell<TlsInfo>,
    slot: RefCell<Option<Rc<dyn Any>>>,
}

impl ConnectionInfo {
    pub(crate) fn of_tcp(local: Option<SocketAddr>, peer: SocketAddr) -> Self {
        Self {
            local,
            peer: Some(peer),
            ..Self::default()
        }
    }

    pub(crate) fn of_unix(path: Option<Rc<Path>>) -> Self {
        Self {
            path,
            ..Self::default()
        }
    }

    /// The server's address; nothing where clients come by a Unix socket.
    pub fn local(&self) -> Option<SocketAddr> {
        match self.introduced.get() {
            Some(Told::Ends { server, .. }) => *server,
            _ => self.local,
        }
    }

    /// The client's address; nothing where it came by a Unix socket.
    pub fn peer(&self) -> Option<SocketAddr> {
        match self.introduced.get() {
            Some(Told::Ends { client, .. }) => *client,
            _ => self.peer,
        }
    }

    /// The path of the Unix socket that the client came by, where it has one.
    pub fn path(&self) -> Option<&Path> {
        match self.introduced.get() {
            Some(Told::Ends { .. }) => None,
            _ => self.path.as_deref(),
        }
    }

    /// Whether the client speaks TLS: to us, or to the proxy that hands its bytes on.
    pub fn is_secure(&self) -> bool {
        let said = matches!(self.introduced.get(), Some(Told::Ends { secure: true, .. }));
        said || self.tls.get().is_some()
    }

    /// Believes what a proxy said of both ends.
    pub(crate) fn introduce(&self, told: Told) {
        // There is one header a connection.
        let _ = self.introduced.set(told);
    }

    /// What the handshake came to, where the client speaks TLS.
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.tls.get()
    }

    pub(crate) fn secure(&self, info: TlsInfo) {
        // There is one handshake a connection.
        let _ = self.tls.set(info);
    }

    /// Something of the service's own that lives as long as the connection.
    pub fn slot(&self) -> &RefCell<Option<Rc<dyn Any>>> {
        &self.slot
    }
}

/// What [`Exchange::next_chunk`] found.
#[derive(Debug)]
pub enum BodyEvent {
    /// The next part of the body, never empty.
    Chunk(Bytes),
    /// Nothing yet; [`Observer::body_ready`] will say when.
    Pending,
    /// The body is complete.
    End,
    /// The rest will not come.
    Lost(BodyError),
}

/// A part of a response body: borrowed ones are copied, owned ones kept by reference where they are large.
#[derive(Debug, Clone)]
pub enum Chunk<'a> {
    /// Copied before the call returns.
    Borrowed(&'a [u8]),
    /// Shared.
    Owned(Bytes),
}

impl Chunk<'_> {
    /// Length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Borrowed(bytes) => bytes.len(),
            Self::Owned(bytes) => bytes.len(),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its bytes.
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Owned(bytes) => bytes,
        }
    }

    /// Its bytes, shared where they are already.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Borrowed(bytes) => Bytes::copy_from_slice(bytes),
            Self::Owned(bytes) => bytes,
        }
    }

    fn truncate(&mut self, length: usize) {
        match self {
            Self::Borrowed(bytes) => *bytes = &bytes[..length.min(bytes.len())],
            Self::Owned(bytes) => bytes.truncate(length),
        }
    }

    /// Into the output: borrowed bytes are copied, large owned ones are not.
    fn push_to(self, output: &mut Output) {
        match self {
            Self::Borrowed(bytes) => output.tail().extend_from_slice(bytes),
            Self::Owned(bytes) => output.push(bytes),
        }
    }
}

impl<'a> From<&'a [u8]> for Chunk<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Borrowed(bytes)
    }
}

impl<'a> From<&'a Bytes> for Chunk<'a> {
    fn from(bytes: &'a Bytes) -> Self {
        if bytes.len() < BY_REFERENCE {
            Self::Borrowed(bytes)
        } else {
            Self::Owned(bytes.clone())
        }
    }
}

impl From<Bytes> for Chunk<'_> {
    fn from(bytes: Bytes) -> Self {
        Self::Owned(bytes)
    }
}

/// A connection's output that goes nowhere: what a body costs on its way there.
#[cfg(feature = "testing")]
#[derive(Default)]
pub struct Unconnected(Output);

#[cfg(feature = "testing")]
impl Unconnected {
    /// Takes a body as a response does, and lets what waits go once it is as much as is written at once; gives the length.
    pub fn take<'a>(&mut self, body: impl Into<Chunk<'a>>) -> usize {
        let body = body.into();
        let length = body.len();
        body.push_to(&mut self.0);
        if self.0.len() >= crate::connection::OUTPUT_HIGH {
            let mut nobody = Context::from_waker(std::task::Waker::noop());
            drop(self.0.flush(&mut tokio::io::sink(), &mut nobody));
        }
        length
    }
}

/// Told what happens to an exchange. Called inside the runtime; implementations only note it down.
pub trait Observer {
    /// [`Exchange::next_chunk`] has something new after it was `Pending`.
    fn body_ready(&self);
    /// [`Exchange::is_writable`] became true again.
    fn writable(&self);
    /// The client is gone: nothing more is read from it or reaches it.
    fn disconnected(&self);
    /// The response took too long to begin, and was given in the service's place: nothing more is wanted of it.
    fn overdue(&self) {
        self.disconnected();
    }
}

impl Exchange {
    pub(crate) fn new(inner: Rc<Inner>) -> Self {
        Self { inner }
    }

    /// The request's head.
    pub fn head(&self) -> &Head {
        &self.inner.head
    }

    /// The connection's two ends.
    pub fn connection(&self) -> &ConnectionInfo {
        self.inner.connection()
    }

    /// Who asks: the connection's peer, or the client that a trusted proxy names (with port 0 where it names none).
    pub fn client(&self) -> Option<SocketAddr> {
        self.inner.client()
    }

    /// Whether the client speaks TLS: on this connection, or with the trusted proxy that says so.
    pub fn is_secure(&self) -> bool {
        self.inner.is_secure()
    }

    /// The request's name, where the server gives its requests names. It stands in the response.
    pub fn request_id(&self) -> Option<&str> {
        self.inner.request_id()
    }

    /// The next part of the request body. The first call lets `100 Continue` go out where it is expected.
    pub fn next_chunk(&self) -> BodyEvent {
        self.inner.next_chunk()
    }

    /// [`Exchange::next_chunk`] for a task: `None` is the end of the body.
    pub fn poll_chunk(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        self.inner.poll_chunk(cx)
    }

    /// The request side alone; it reads from the same body.
    pub fn incoming(&self) -> Incoming {
        Incoming {
            inner: Rc::clone(&self.inner),
        }
    }

    /// Answers with a whole response. On an error nothing of it is on the wire, and the exchange is as before.
    pub fn respond<'a, N, V>(
        &self,
        status: u16,
        headers: impl IntoIterator<Item = (N, V)>,
        body: impl Into<Chunk<'a>>,
    ) -> Result<(), ResponseError>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        self.inner.respond(status, headers, body.into())
    }

    /// [`Exchange::respond`] with a head that was checked and rendered before.
    pub fn respond_prepared<'a>(
        &self,
        head: &Prepared,
        body: impl Into<Chunk<'a>>,
    ) -> Result<(), ResponseError> {
        self.inner.respond_prepared(head, body.into())
    }

    /// Begins a streamed response. The head is kept back until the first part of the body, so that both are one write.
    pub fn start<N, V>(
        &self,
        status: u16,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Result<(), ResponseError>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        self.inner.start(status, headers)
    }

    /// [`Exchange::start`] with a head that was checked and rendered before; `length` is the body's, where it is known.
    pub fn start_prepared(
        &self,
        head: &Prepared,
        length: Option<u64>,
    ) -> Result<(), ResponseError> {
        self.inner.start_prepared(head, length)
    }

    /// Appends to a streamed response. Never blocks: look at [`Exchange::is_writable`] before going on.
    pub fn write<'a>(&self, chunk: impl Into<Chunk<'a>>) -> Result<(), ResponseError> {
        self.inner.write(chunk.into())
    }

    /// Appends `length` bytes of a regular file from `offset` on; they are read when their turn to be sent has come, and by the
    /// kernel where it can. Where the file is shorter by then, the connection is closed.
    pub fn write_file(&self, file: File, offset: u64, length: usize) -> Result<(), ResponseError> {
        self.inner.write_file(FileRange {
            file: Rc::new(file),
            offset,
            length,
        })
    }

    /// Sends a `103 Early Hints` with these fields ahead of the response. Clients that may not know of it get none.
    pub fn hint<N, V>(&self, headers: impl IntoIterator<Item = (N, V)>) -> Result<(), ResponseError>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        self.inner.hint(headers)
    }

    /// Ends a streamed response.
    pub fn finish(&self) -> Result<(), ResponseError> {
        self.finish_with_trailers(response::no_trailers())
    }

    /// Ends a streamed response with trailer fields; they are dropped where the framing has no place for them.
    pub fn finish_with_trailers<N, V>(
        &self,
        trailers: impl IntoIterator<Item = (N, V)>,
    ) -> Result<(), ResponseError>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        self.inner.finish(trailers)
    }

    /// Whether less than the high-water mark waits to be sent.
    pub fn is_writable(&self) -> bool {
        self.inner.response.is_writable()
    }

    /// Ready once the client has taken enough, or is gone.
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_writable() || self.is_disconnected() {
            return Poll::Ready(());
        }
        self.inner.write_waker.register(cx.waker());
        Poll::Pending
    }

    /// Waits until [`Exchange::poll_writable`] is ready.
    pub async fn writable(&self) {
        poll_fn(|cx| self.poll_writable(cx)).await;
    }

    /// Whether a response was begun (its head may still be kept back).
    pub fn is_started(&self) -> bool {
        self.inner.response.is_started()
    }

    /// Whether the response is complete, or failed.
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }

    /// Whether the client is gone.
    pub fn is_disconnected(&self) -> bool {
        self.inner.is_disconnected()
    }

    /// Gives up: where nothing is on the wire yet, a 500 (a 4xx where the request's body was broken), else the connection is closed so that the client sees
    /// an incomplete response. Does nothing after the end of the response.
    pub fn fail(&self) {
        self.inner.fail();
    }

    /// Too many requests are at work, and too many wait already, or this one has waited too long.
    pub(crate) fn turn_away(&self) {
        let seconds = self.inner.link.engine.overload.retry_after().to_string();
        let headers = [
            ("content-type", "text/plain; charset=utf-8"),
            ("retry-after", &seconds),
        ];
        // Where this cannot be said, dropping the exchange ends it.
        let _ = self.respond(503, headers, &b"the server is busy"[..]);
    }

    /// Bounds the time until the response begins, in place of the server's own time limit; counts from now. Only
    /// from within [`Service::call`](crate::service::Service::call).
    pub fn set_time_limit(&self, limit: Option<Duration>) {
        self.inner.time_limit.set(limit);
    }

    /// The route that answers, as a template, for those who count by it.
    pub fn set_route(&self, route: &Arc<str>) {
        self.inner.set_route(route);
    }

    /// Whether somebody counts by routes and does not know this one's.
    pub fn wants_route(&self) -> bool {
        self.inner.wants_route()
    }

    /// [`Exchange::set_route`] by a template's text alone. One that is too long for those who count is not taken.
    pub fn name_route(&self, template: &str) {
        self.inner.name_route(template);
    }

    /// The request's turn in Python has come, for those who count how long it waited.
    pub fn begin_work(&self) {
        self.inner.begin_work(Instant::now);
    }

    /// [`Exchange::begin_work`], of a turn that came `at` this time in another thread.
    pub fn work_began(&self, at: Instant) {
        self.inner.begin_work(|| at);
    }

    /// Whom to tell from now on; the exchange does not keep the observer alive.
    pub fn watch(&self, observer: Weak<dyn Observer>) {
        self.inner.watch(observer);
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.inner.fail();
    }
}

impl Incoming {
    /// The request's head.
    pub fn head(&self) -> &Head {
        &self.inner.head
    }

    /// The connection's two ends.
    pub fn connection(&self) -> &ConnectionInfo {
        self.inner.connection()
    }

    /// Who asks: the connection's peer, or the client that a trusted proxy names (with port 0 where it names none).
    pub fn client(&self) -> Option<SocketAddr> {
        self.inner.client()
    }

    /// Whether the client speaks TLS: on this connection, or with the trusted proxy that says so.
    pub fn is_secure(&self) -> bool {
        self.inner.is_secure()
    }

    /// The request's name, where the server gives its requests names.
    pub fn request_id(&self) -> Option<&str> {
        self.inner.request_id()
    }

    /// How many bytes of the body are still to be read, where that is known.
    pub fn remaining(&self) -> Option<u64> {
        self.inner.remaining()
    }

    /// As [`Exchange::poll_chunk`].
    pub fn poll_chunk(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        self.inner.poll_chunk(cx)
    }

    /// The next part of the body, `None` at its end.
    pub async fn chunk(&self) -> Option<Result<Bytes, BodyError>> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }
}

impl Stream for Incoming {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_chunk(cx)
    }
}
