//! A request to a native handler under another server: ASGI's messages on one side, the handler's calls on the other.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use api::error::{BodyError, ResponseError};
use api::exchange::Chunk;
use api::native::foreign::Carrier;
use bytes::Bytes;

/// A name and a value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// A request, as an ASGI scope tells it.
pub struct Asked {
    pub method: String,
    pub path: Vec<u8>,
    pub query: Vec<u8>,
    pub prefix: usize,
    pub params: Vec<(String, String)>,
    pub fields: Vec<Pair>,
    pub body_length: Option<u64>,
    pub request_id: Option<String>,
    pub client: Option<SocketAddr>,
    pub is_secure: bool,
}

/// What the handler has said, in its order.
pub enum Said {
    Start(u16, Vec<Pair>),
    Body(Vec<u8>, bool),
}

/// The request and what is on its way; an answer to HEAD with its body, which the server leaves out, as from any ASGI app. Nobody has to be woken by it: Python polls after each message, given or sent.
pub struct OverAsgi {
    asked: Asked,
    received: RefCell<VecDeque<Bytes>>,
    ended: Cell<bool>,
    left: Cell<bool>,
    /// The handler waits for the body.
    wants: Cell<bool>,
    said: RefCell<Vec<Said>>,
    started: Cell<bool>,
    finished: Cell<bool>,
}

impl OverAsgi {
    pub fn new(asked: Asked) -> Self {
        Self {
            asked,
            received: RefCell::default(),
            ended: Cell::new(false),
            left: Cell::new(false),
            wants: Cell::new(false),
            said: RefCell::default(),
            started: Cell::new(false),
            finished: Cell::new(false),
        }
    }

    /// A part of the body has come.
    pub fn receive(&self, part: Bytes, more: bool) {
        if !part.is_empty() {
            self.received.borrow_mut().push_back(part);
        }
        self.ended.set(!more);
    }

    /// The client is gone.
    pub fn leave(&self) {
        self.left.set(true);
    }

    /// Whether the handler waits for the body.
    pub fn wants(&self) -> bool {
        self.wants.get()
    }

    pub fn is_finished(&self) -> bool {
        self.finished.get()
    }

    pub fn take_said(&self) -> Vec<Said> {
        self.said.take()
    }

    fn say(&self, said: Said) {
        self.said.borrow_mut().push(said);
    }

    fn begin<'a>(
        &self,
        status: u16,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        length: Option<usize>,
    ) -> Result<(), ResponseError> {
        if !(200..=999).contains(&status) {
            return Err(ResponseError::Status(status));
        }
        if self.started.replace(true) {
            return Err(ResponseError::AlreadyStarted);
        }
        let mut fields: Vec<Pair> = fields
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec()))
            .collect();
        let has_length = fields.iter().any(|(name, _)| name == b"content-length");
        if let Some(length) = length
            && !has_length
            && status != 204
            && status != 304
        {
            fields.push((b"content-length".to_vec(), length.to_string().into_bytes()));
        }
        self.say(Said::Start(status, fields));
        Ok(())
    }

    fn end(&self, last: &[u8]) {
        self.say(Said::Body(last.to_vec(), false));
        self.finished.set(true);
    }
}

impl Carrier for OverAsgi {
    fn method(&self) -> &[u8] {
        self.asked.method.as_bytes()
    }

    fn path(&self) -> &[u8] {
        &self.asked.path
    }

    fn query(&self) -> &[u8] {
        &self.asked.query
    }

    fn prefix(&self) -> usize {
        self.asked.prefix
    }

    fn body_length(&self) -> Option<u64> {
        self.asked.body_length
    }

    fn request_id(&self) -> Option<&str> {
        self.asked.request_id.as_deref()
    }

    fn client(&self) -> Option<SocketAddr> {
        self.asked.client
    }

    fn is_secure(&self) -> bool {
        self.asked.is_secure
    }

    fn params(&self) -> usize {
        self.asked.params.len()
    }

    fn param(&self, index: usize) -> Option<(&str, &str)> {
        let (name, value) = self.asked.params.get(index)?;
        Some((name, value))
    }

    fn field(&self, name: &[u8]) -> Option<&[u8]> {
        let mut fields = self.asked.fields.iter();
        let found = fields.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| &value[..])
    }

    fn each_field(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        for (name, value) in &self.asked.fields {
            visit(name, value);
        }
    }

    fn poll_chunk(&self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        let part = self.received.borrow_mut().pop_front();
        self.wants.set(false);
        match part {
            Some(part) => Poll::Ready(Some(Ok(part))),
            None if self.ended.get() => Poll::Ready(None),
            None if self.left.get() => Poll::Ready(Some(Err(BodyError::Disconnected))),
            None => {
                self.wants.set(true);
                Poll::Pending
            }
        }
    }

    fn respond<'a>(
        &self,
        status: u16,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        body: Chunk<'_>,
    ) -> Result<(), ResponseError> {
        let body = body.as_slice();
        self.begin(status, fields, Some(body.len()))?;
        self.end(body);
        Ok(())
    }

    fn start<'a>(
        &self,
        status: u16,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<(), ResponseError> {
        self.begin(status, fields, None)
    }

    fn write(&self, chunk: Chunk<'_>) -> Result<(), ResponseError> {
        let chunk = chunk.as_slice();
        if !chunk.is_empty() {
            self.say(Said::Body(chunk.to_vec(), true));
        }
        Ok(())
    }

    fn poll_writable(&self, _: &mut Context<'_>) -> Poll<()> {
        // Python sends all that was said before it polls again.
        if self.said.borrow().is_empty() || self.left.get() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn finish<'a>(
        &self,
        _trailers: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<(), ResponseError> {
        self.end(&[]);
        Ok(())
    }
}
