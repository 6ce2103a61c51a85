//! A request as extractors see it. Lives on the loop's thread, inside of its task.

use crate::ffi::abi::{HTTPS, UNKNOWN};
use crate::ffi::{Call, Chunk};
use crate::pipe::Pipe;
use crate::state::Module;
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use std::future::poll_fn;
use std::net::SocketAddr;

/// One request, for those who write extractors of their own.
pub struct Request {
    pub(crate) call: Call,
    pub(crate) module: &'static Module,
    /// Where the handler streams the body.
    pub(crate) pipe: Option<Pipe>,
}

impl Request {
    pub(crate) fn new(call: Call, module: &'static Module) -> Self {
        Self {
            call,
            module,
            pipe: None,
        }
    }

    /// The method, case as received.
    pub fn method(&self) -> &str {
        std::str::from_utf8(self.call.text(self.call.head().method)).unwrap_or_default()
    }

    /// The path as received, percent-encoded; of a mount, with the prefix.
    pub fn path(&self) -> &[u8] {
        self.call.text(self.call.head().path)
    }

    /// How much of the path is the prefix that the handler is mounted under.
    pub fn prefix(&self) -> usize {
        self.call.head().prefix
    }

    /// The query as received, without its question mark.
    pub fn query(&self) -> &[u8] {
        self.call.text(self.call.head().query)
    }

    /// Path and query in origin form, without the first `prefix` bytes.
    pub(crate) fn target(&self, prefix: usize) -> Result<Uri, http::Error> {
        let path = self.path().get(prefix..).unwrap_or_default();
        let mut target = Vec::with_capacity(path.len() + self.query().len() + 2);
        if path.first() != Some(&b'/') {
            target.push(b'/');
        }
        target.extend_from_slice(path);
        if !self.query().is_empty() {
            target.push(b'?');
            target.extend_from_slice(self.query());
        }
        let target = PathAndQuery::from_maybe_shared(Bytes::from(target))?;
        Ok(Uri::from(target))
    }

    /// The path's parameters, decoded, in the order of the path.
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        let count = self.call.head().params;
        (0..count).filter_map(|index| self.call.param(index))
    }

    /// The first header field of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.call.field(name)
    }

    /// All header fields.
    pub fn headers(&self) -> HeaderMap {
        let fields = self.call.fields().into_iter();
        let fields = fields.filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name).ok()?;
            Some((name, HeaderValue::from_bytes(value).ok()?))
        });
        fields.fold(HeaderMap::new(), |mut all, (name, value)| {
            all.append(name, value);
            all
        })
    }

    /// The length of the body, where the head says it.
    pub fn body_length(&self) -> Option<u64> {
        let length = self.call.head().body;
        (length != UNKNOWN).then_some(length)
    }

    /// The name that the server gives the request (`request_id`), as it stands in its logs and in the response.
    pub fn id(&self) -> Option<&str> {
        let id = self.call.text(self.call.head().id);
        std::str::from_utf8(id).ok().filter(|id| !id.is_empty())
    }

    /// Who asks: the client that a trusted proxy names (with port 0 where it names none), else the connection's peer. None where
    /// that has no IP address, as on Unix sockets and in test clients.
    pub fn client(&self) -> Option<SocketAddr> {
        self.call.head().client.to_socket_addr()
    }

    /// Whether the client speaks TLS, to the server or to the trusted proxy before it.
    pub fn is_secure(&self) -> bool {
        self.call.head().flags & HTTPS != 0
    }

    /// The next part of the body, `None` at its end.
    pub async fn chunk(&mut self) -> Chunk {
        let call = self.call;
        poll_fn(|cx| call.poll_chunk(cx)).await
    }
}
