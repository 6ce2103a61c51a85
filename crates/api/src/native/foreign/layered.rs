//! A foreign handler's answer on its way through layers. It was given once and is not asked for again, so all of it is done here.

use crate::error::ResponseError;
use crate::exchange::{Chunk, Exchange};
use crate::layer::{Answer, Encoder, Layers, Text};
use bytes::Bytes;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use tokio::task::JoinHandle;

/// A name and a value.
type Pair = (Vec<u8>, Vec<u8>);

const LENGTH: &[u8] = b"content-length";

/// A head that waits for its body.
struct Head {
    status: u16,
    fields: Vec<Pair>,
}

/// The layers around one answer, and how far it has come.
pub(super) struct Layered {
    layers: Rc<Layers>,
    stage: RefCell<Stage>,
    /// What was said while a thread compresses.
    queue: RefCell<VecDeque<Part>>,
    /// Waits for the end of that.
    waiter: RefCell<Option<Waker>>,
}

enum Stage {
    /// Nothing is on its way, or it passes as it is.
    Plain,
    /// The first part decides.
    Held(Head),
    /// Each part is compressed.
    Encodes(Encoder),
    /// One of them is, in a thread.
    Threaded(JoinHandle<Encoded>, Part),
}

/// A compressor, and what it made of a part.
type Encoded = (Encoder, io::Result<Vec<u8>>);

/// What a handler says of its body.
enum Part {
    Piece(Bytes),
    /// All of it, with its head.
    Whole(Head, Bytes),
    /// The end of one in parts, with trailers.
    End(Vec<Pair>),
}

impl Layered {
    pub(super) fn new(layers: Rc<Layers>) -> Self {
        Self {
            layers,
            stage: RefCell::new(Stage::Plain),
            queue: RefCell::default(),
            waiter: RefCell::default(),
        }
    }

    /// Answers with a whole response.
    pub(super) fn respond<'a>(
        &self,
        exchange: &Exchange,
        status: u16,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        body: Chunk<'_>,
    ) -> Result<(), ResponseError> {
        let length = body.len().to_string();
        let mut fields: Vec<_> = fields.collect();
        let is_named = |field: &(&[u8], &[u8])| field.0.eq_ignore_ascii_case(LENGTH);
        if !matches!(status, 204 | 304) && !fields.iter().any(is_named) {
            fields.push((LENGTH, length.as_bytes()));
        }
        let mut answer = Answer::new(status, fields.iter().copied(), body.clone());
        if self.layers.amend(exchange, &mut answer) {
            return exchange.respond(answer.status, answer.fields, answer.body);
        }
        let mut answer = Answer::new(status, fields, Chunk::Borrowed(&[]));
        let encoder = self
            .layers
            .amend_head(exchange, &mut answer, Some(body.len()));
        let Some(encoder) = encoder else {
            return exchange.respond(answer.status, answer.fields, body);
        };
        let head = Head {
            status: answer.status,
            fields: owned(answer.fields),
        };
        self.stage.replace(Stage::Encodes(encoder));
        self.say(exchange, Part::Whole(head, body.into_bytes()))
    }

    /// Begins a response in parts.
    pub(super) fn start<'a>(
        &self,
        exchange: &Exchange,
        status: u16,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<(), ResponseError> {
        if !matches!(*self.stage.borrow(), Stage::Plain) {
            return Err(ResponseError::AlreadyStarted);
        }
        let answer = Answer::new(status, fields, Chunk::Borrowed(&[]));
        let head = Head {
            status: answer.status,
            fields: owned(answer.fields.iter().cloned()),
        };
        if self.layers.waits(&answer) {
            self.stage.replace(Stage::Held(head));
            return Ok(());
        }
        self.begin(exchange, &head, None)
    }

    /// Appends to it.
    pub(super) fn write(&self, exchange: &Exchange, chunk: Chunk<'_>) -> Result<(), ResponseError> {
        if chunk.is_empty() {
            return Ok(());
        }
        self.open(exchange, None)?;
        if matches!(*self.stage.borrow(), Stage::Plain) {
            return exchange.write(chunk);
        }
        self.say(exchange, Part::Piece(chunk.into_bytes()))
    }

    /// Ends it.
    pub(super) fn finish<'a>(
        &self,
        exchange: &Exchange,
        trailers: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<(), ResponseError> {
        self.open(exchange, Some(0))?;
        if matches!(*self.stage.borrow(), Stage::Plain) {
            return exchange.finish_with_trailers(trailers);
        }
        let trailers = trailers.map(|(name, value)| (name.to_vec(), value.to_vec()));
        self.say(exchange, Part::End(trailers.collect()))
    }

    /// Ready once the client has taken enough of what was compressed.
    pub(super) fn poll_writable(&self, exchange: &Exchange, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_busy() {
            self.waiter.replace(Some(cx.waker().clone()));
            return Poll::Pending;
        }
        exchange.poll_writable(cx)
    }

    /// Whether a thread compresses.
    pub(super) fn is_busy(&self) -> bool {
        matches!(*self.stage.borrow(), Stage::Threaded(..))
    }

    /// Sends what threads have compressed; ready when none does so any more.
    pub(super) fn poll_flush(&self, exchange: &Exchange, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let done = match &mut *self.stage.borrow_mut() {
                Stage::Threaded(handle, _) => ready!(Pin::new(handle).poll(cx)),
                _ => break,
            };
            let Stage::Threaded(_, part) = self.stage.replace(Stage::Plain) else {
                break;
            };
            if let Err(error) = self.flush(exchange, done, part) {
                tracing::debug!(%error, "a compressed response was cut short");
                exchange.fail();
                self.queue.borrow_mut().clear();
            }
        }
        if let Some(waiter) = self.waiter.take() {
            waiter.wake();
        }
        Poll::Ready(())
    }

    fn flush(
        &self,
        exchange: &Exchange,
        done: Result<Encoded, tokio::task::JoinError>,
        part: Part,
    ) -> Result<(), ResponseError> {
        let (encoder, made) = done.map_err(|_| ResponseError::Compression)?;
        self.stage.replace(Stage::Encodes(encoder));
        send(exchange, made, part)?;
        while !self.is_busy() {
            let Some(next) = self.queue.borrow_mut().pop_front() else {
                break;
            };
            self.say(exchange, next)?;
        }
        Ok(())
    }

    /// Sends the head that waits, now that it is known whether there is a body.
    fn open(&self, exchange: &Exchange, length: Option<usize>) -> Result<(), ResponseError> {
        if !matches!(*self.stage.borrow(), Stage::Held(_)) {
            return Ok(());
        }
        match self.stage.replace(Stage::Plain) {
            Stage::Held(head) => self.begin(exchange, &head, length),
            _ => Ok(()),
        }
    }

    fn begin(
        &self,
        exchange: &Exchange,
        head: &Head,
        length: Option<usize>,
    ) -> Result<(), ResponseError> {
        let fields = head
            .fields
            .iter()
            .map(|(name, value)| (&name[..], &value[..]));
        let mut answer = Answer::new(head.status, fields, Chunk::Borrowed(&[]));
        if let Some(encoder) = self.layers.amend_head(exchange, &mut answer, length) {
            self.stage.replace(Stage::Encodes(encoder));
        }
        exchange.start(answer.status, answer.fields)
    }

    /// Compresses a part and sends it, or lets a thread begin with it.
    fn say(&self, exchange: &Exchange, part: Part) -> Result<(), ResponseError> {
        let mut encoder = match self.stage.replace(Stage::Plain) {
            Stage::Encodes(encoder) => encoder,
            other => {
                self.stage.replace(other);
                self.queue.borrow_mut().push_back(part);
                return Ok(());
            }
        };
        let (bytes, is_last) = match &part {
            Part::Piece(bytes) => (bytes.clone(), false),
            Part::Whole(_, bytes) => (bytes.clone(), true),
            Part::End(_) => (Bytes::new(), true),
        };
        if bytes.len() >= encoder.thread_size {
            let handle = tokio::task::spawn_blocking(move || {
                let made = encoder.compress(&bytes, is_last);
                (encoder, made)
            });
            self.stage.replace(Stage::Threaded(handle, part));
            return Ok(());
        }
        let made = encoder.compress(&bytes, is_last);
        self.stage.replace(Stage::Encodes(encoder));
        send(exchange, made, part)
    }
}

/// Sends what a part was compressed to.
fn send(exchange: &Exchange, made: io::Result<Vec<u8>>, part: Part) -> Result<(), ResponseError> {
    let bytes = Bytes::from(made.map_err(|_| ResponseError::Compression)?);
    match part {
        Part::Piece(_) => exchange.write(bytes),
        Part::Whole(mut head, _) => {
            let mut fields = head.fields.iter_mut();
            if let Some(field) = fields.find(|field| field.0.eq_ignore_ascii_case(LENGTH)) {
                field.1 = bytes.len().to_string().into_bytes();
            }
            exchange.respond(head.status, head.fields, bytes)
        }
        Part::End(trailers) => {
            exchange.write(bytes)?;
            exchange.finish_with_trailers(trailers)
        }
    }
}

fn owned<'a>(fields: impl IntoIterator<Item = (Text<'a>, Text<'a>)>) -> Vec<Pair> {
    let owned = |(name, value): (Text<'_>, Text<'_>)| (name.into_owned(), value.into_owned());
    fields.into_iter().map(owned).collect()
}
