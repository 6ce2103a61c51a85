//! The response side of an exchange: which call may follow which, and what the client has seen so far.
//! The bytes are the encoder's.

use super::Chunk;
use super::coded::Coded;
use super::inner::Inner;
use crate::compress::Field;
use crate::connection::{FileRange, OUTPUT_HIGH, Output};
use crate::error::{Refusal, ResponseError};
use crate::http1::encode::{self, Prepared, Reply, Stamp, Started};
use crate::http1::response_body::BodyEncoder;
use std::cell::{Cell, RefCell};

/// The room that most heads need.
const HEAD: usize = 256;

/// How far the response has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    /// The head stands in `held` until the first part of the body comes.
    Held,
    Streaming,
    Finished,
    /// The connection belongs to another protocol.
    Upgraded,
    /// The client saw a beginning, and must see that no end comes.
    Failed,
}

/// The state of one response.
pub(super) struct Response {
    stage: Cell<Stage>,
    status: Cell<u16>,
    /// A head that waits for the first part of the body.
    pub(super) held: RefCell<Vec<u8>>,
    /// What becomes of the body, where it is compressed.
    pub(super) coded: RefCell<Coded>,
    /// Frames the body, from the head on.
    body: Cell<Option<BodyEncoder>>,
    /// Bytes of the body that were given to be sent.
    sent: Cell<u64>,
    keep_alive: Cell<bool>,
    /// The high-water mark was reached, and the low one has not been since.
    blocked: Cell<bool>,
}

impl Response {
    pub(super) fn new() -> Self {
        Self {
            stage: Cell::new(Stage::Waiting),
            status: Cell::new(0),
            held: RefCell::default(),
            coded: RefCell::default(),
            body: Cell::new(None),
            sent: Cell::new(0),
            keep_alive: Cell::new(false),
            blocked: Cell::new(false),
        }
    }

    pub(super) fn is_started(&self) -> bool {
        self.stage.get() != Stage::Waiting
    }

    pub(super) fn is_finished(&self) -> bool {
        matches!(self.stage.get(), Stage::Finished | Stage::Failed)
    }

    pub(super) fn has_failed(&self) -> bool {
        self.stage.get() == Stage::Failed
    }

    /// The status that was sent; 0 before.
    pub(super) fn status(&self) -> u16 {
        self.status.get()
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent.get()
    }

    pub(super) fn keeps_alive(&self) -> bool {
        self.keep_alive.get() && self.stage.get() == Stage::Finished
    }

    pub(super) fn is_writable(&self) -> bool {
        !self.blocked.get()
    }

    /// Marks that no more should come for now.
    pub(super) fn block(&self) {
        self.blocked.set(true);
    }

    /// The client has taken enough; says whether that was news.
    pub(super) fn unblock(&self) -> bool {
        self.blocked.replace(false)
    }
}

impl Inner {
    pub(super) fn respond<N, V>(
        &self,
        status: u16,
        headers: impl IntoIterator<Item = (N, V)>,
        body: Chunk<'_>,
    ) -> Result<(), ResponseError>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        if let Some(compression) = &self.link.engine.compression {
            let (fields, body) = self.compressed(compression, status, headers, body);
            return self.respond_by(body, |out, stamp, reply, length| {
                encode::head(out, stamp, reply, status, pairs(&fields), length)
            });
        }
        self.respond_by(body, |out, stamp, reply, length| {
            encode::head(out, stamp, reply, status, headers, length)
        })
    }

    pub(super) fn respond_prepared(
        &self,
        head: &Prepared,
        body: Chunk<'_>,
    ) -> Result<(), ResponseError> {
        if self.link.engine.compression.is_some() && !head.closes() {
            let (status, fields) = head.fields(None);
            return self.respond(status, fields, body);
        }
        self.respond_by(body, |out, stamp, reply, length| {
            head.head(out, stamp, reply, length)
        })
    }

    fn respond_by(
        &self,
        body: Chunk<'_>,
        encode: impl FnOnce(&mut Vec<u8>, &Stamp, Reply, Option<u64>) -> Result<Started, ResponseError>,
    ) -> Result<(), ResponseError> {
        self.check_unstarted()?;
        let stamp = self.link.engine.stamp();
        let length = Some(body.len() as u64);
        let is_stream = self.link.outbox.is_some();
        let reply = self.reply(is_stream || (self.may_keep_alive() && self.is_reusable()));
        let started = self.write_head(|out| encode(out, stamp, reply, length))?;
        self.begin(started, Stage::Streaming);
        self.append(body)?;
        self.end(no_trailers())
    }

    pub(super) fn start<N, V>(
        &self,
        status: u16,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Result<(), ResponseError>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        self.check_unstarted()?;
        if let Some(compression) = &self.link.engine.compression {
            let fields = self.coded_start(compression, status, headers);
            return self.hold(status, pairs(&fields));
        }
        self.hold(status, headers)
    }

    pub(super) fn start_prepared(
        &self,
        head: &Prepared,
        length: Option<u64>,
    ) -> Result<(), ResponseError> {
        if self.link.engine.compression.is_some() && !head.closes() {
            let (status, fields) = head.fields(length);
            return self.start(status, fields);
        }
        self.check_unstarted()?;
        self.hold_by(|out, stamp, reply| head.head(out, stamp, reply, length))
    }

    /// Keeps the head back.
    pub(super) fn hold<N, V>(
        &self,
        status: u16,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Result<(), ResponseError>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        self.hold_by(|out, stamp, reply| encode::head(out, stamp, reply, status, headers, None))
    }

    fn hold_by(
        &self,
        encode: impl FnOnce(&mut Vec<u8>, &Stamp, Reply) -> Result<Started, ResponseError>,
    ) -> Result<(), ResponseError> {
        let mut held = self.response.held.borrow_mut();
        held.clear();
        held.reserve(HEAD);
        let reply = self.reply(self.may_keep_alive());
        let started = encode(&mut held, self.link.engine.stamp(), reply)?;
        self.name_request(&mut held, 0);
        drop(held);
        self.begin(started, Stage::Held);
        Ok(())
    }

    pub(super) fn write(&self, chunk: Chunk<'_>) -> Result<(), ResponseError> {
        self.check_open()?;
        if chunk.is_empty() {
            return Ok(());
        }
        let encodes = self.link.engine.compression.as_ref();
        let sent = match encodes.map(|by| self.coded_part(by, chunk.as_slice())) {
            None | Some(Ok(None)) => {
                self.release_head();
                self.append(chunk)
            }
            Some(Ok(Some((part, excess)))) => {
                self.release_head();
                self.append(Chunk::Owned(part)).and_then(|()| match excess {
                    0 => Ok(()),
                    _ => Err(self.too_long()),
                })
            }
            Some(Err(error)) => Err(error),
        };
        self.link.schedule();
        sent
    }

    fn too_long(&self) -> ResponseError {
        self.response.keep_alive.set(false);
        ResponseError::TooLong
    }

    pub(super) fn write_file(&self, mut range: FileRange) -> Result<(), ResponseError> {
        self.check_open()?;
        if range.length == 0 {
            return Ok(());
        }
        if self.is_coded() {
            return self.write_read(&range);
        }
        self.release_head();
        let sent = self.append_part(range.length, |output, admitted| {
            range.length = admitted;
            output.push_file(range);
        });
        self.link.schedule();
        sent
    }

    pub(super) fn hint<N, V>(
        &self,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Result<(), ResponseError>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        self.check_unstarted()?;
        let reply = Reply::to(&self.head);
        match &self.link.outbox {
            None => {
                let mut output = self.link.output.borrow_mut();
                encode::early_hints(output.tail(), reply, headers)?;
            }
            Some(outbox) => {
                let mut lines = Vec::new();
                encode::early_hints(&mut lines, reply, headers)?;
                outbox.interim(103, lines);
            }
        }
        self.link.schedule();
        Ok(())
    }

    pub(super) fn finish<N, V>(
        &self,
        trailers: impl IntoIterator<Item = (N, V)>,
    ) -> Result<(), ResponseError>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        self.check_open()?;
        let (last, missing) = self.coded_end()?;
        self.release_head();
        if !last.is_empty() {
            self.append(Chunk::Owned(last))?;
        }
        if missing > 0 {
            self.response.stage.set(Stage::Failed);
            self.link.schedule();
            return Err(ResponseError::TooShort { missing });
        }
        self.end(trailers)
    }

    pub(crate) fn fail(&self) {
        match self.response.stage.get() {
            Stage::Finished | Stage::Failed | Stage::Upgraded => return,
            Stage::Waiting | Stage::Held if !self.is_disconnected() => {
                self.response.stage.set(Stage::Waiting);
                self.response.held.borrow_mut().clear();
                self.response.coded.take();
                let headers = [("content-type", "text/plain; charset=utf-8")];
                let Refusal { status, reason } = self.excuse();
                let body = Chunk::Borrowed(reason.as_bytes());
                if self.respond(status, headers, body).is_ok() {
                    return;
                }
            }
            _ => {}
        }
        self.response.stage.set(Stage::Failed);
        self.link.schedule();
    }

    /// Writes the head of an answer after which the connection, or the stream, is no longer HTTP's.
    pub(super) fn switch<N, V>(
        &self,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Result<(), ResponseError>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        self.check_unstarted()?;
        let stamp = self.link.engine.stamp();
        let reply = self.reply(false);
        let status = match self.link.outbox {
            None => 101,
            Some(_) => 200,
        };
        let started =
            self.write_head(|out| encode::head(out, stamp, reply, status, headers, None))?;
        self.begin(started, Stage::Upgraded);
        Ok(())
    }

    /// Writes a head into the output, or beside that of a stream.
    fn write_head(
        &self,
        encode: impl FnOnce(&mut Vec<u8>) -> Result<Started, ResponseError>,
    ) -> Result<Started, ResponseError> {
        let Some(outbox) = &self.link.outbox else {
            let mut output = self.link.output.borrow_mut();
            let out = output.tail();
            let start = out.len();
            let started = encode(out)?;
            self.name_request(out, start);
            return Ok(started);
        };
        let mut lines = Vec::with_capacity(HEAD);
        let started = encode(&mut lines)?;
        self.name_request(&mut lines, 0);
        outbox.head(started.status, lines);
        Ok(started)
    }

    /// Puts the request's name into the head that begins at `start`, where requests have names.
    fn name_request(&self, out: &mut Vec<u8>, start: usize) {
        if let Some(ids) = &self.link.engine.request_ids
            && let Some(name) = self.request_id()
        {
            encode::add_field(out, start, ids.header().as_bytes(), name.as_bytes());
        }
    }

    fn check_unstarted(&self) -> Result<(), ResponseError> {
        if self.is_disconnected() {
            return Err(ResponseError::Disconnected);
        }
        if self.response.is_started() {
            return Err(ResponseError::AlreadyStarted);
        }
        Ok(())
    }

    fn check_open(&self) -> Result<(), ResponseError> {
        if self.is_disconnected() {
            return Err(ResponseError::Disconnected);
        }
        match self.response.stage.get() {
            Stage::Waiting => Err(ResponseError::NotStarted),
            Stage::Held | Stage::Streaming => Ok(()),
            Stage::Finished | Stage::Failed | Stage::Upgraded => Err(ResponseError::Finished),
        }
    }

    fn may_keep_alive(&self) -> bool {
        self.head.keep_alive() && !self.link.engine.is_stopping()
    }

    fn reply(&self, keep_alive: bool) -> Reply {
        Reply {
            keep_alive,
            ..Reply::to(&self.head)
        }
    }

    fn begin(&self, started: Started, stage: Stage) {
        self.response.status.set(started.status);
        self.response.body.set(Some(started.body));
        self.response.keep_alive.set(started.keep_alive);
        self.response.stage.set(stage);
    }

    /// The kept-back head goes out together with what follows.
    fn release_head(&self) {
        if self.response.stage.get() == Stage::Held {
            let mut held = self.response.held.borrow_mut();
            if let Some(outbox) = &self.link.outbox {
                outbox.head(self.response.status(), std::mem::take(&mut *held));
            } else {
                let mut output = self.link.output.borrow_mut();
                output.tail().extend_from_slice(&held);
                held.clear();
            }
            self.response.stage.set(Stage::Streaming);
        }
    }

    /// Puts a part of the body into the output, framed.
    fn append(&self, mut chunk: Chunk<'_>) -> Result<(), ResponseError> {
        self.append_part(chunk.len(), |output, admitted| {
            chunk.truncate(admitted);
            chunk.push_to(output);
        })
    }

    /// Frames a part of `length` bytes; `push` puts into the output as many of them as are admitted.
    fn append_part(
        &self,
        length: usize,
        push: impl FnOnce(&mut Output, usize),
    ) -> Result<(), ResponseError> {
        let mut body = self.response.body.get().ok_or(ResponseError::NotStarted)?;
        let mut output = self.link.output.borrow_mut();
        let admitted = body.begin_part(output.tail(), length);
        push(&mut output, admitted);
        let before = self.response.sent.get();
        self.response.sent.set(before + admitted as u64);
        let sent = body.end_part(output.tail(), length, admitted);
        self.response.body.set(Some(body));
        if output.len() >= OUTPUT_HIGH {
            self.response.block();
        }
        if sent.is_err() {
            self.response.keep_alive.set(false);
        }
        sent
    }

    /// The response has no more to come.
    fn end<N, V>(&self, trailers: impl IntoIterator<Item = (N, V)>) -> Result<(), ResponseError>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let body = self.response.body.get().ok_or(ResponseError::NotStarted)?;
        let ended = match &self.link.outbox {
            None => body.finish(self.link.output.borrow_mut().tail(), trailers),
            Some(outbox) => {
                let mut lines = Vec::new();
                let ended = body.finish_apart(&mut lines, trailers);
                outbox.end(lines);
                ended
            }
        };
        let stage = if ended.is_ok() {
            Stage::Finished
        } else {
            Stage::Failed
        };
        self.response.stage.set(stage);
        self.link.schedule();
        // Whoever waits for room has nothing more to write: what the client has yet to take is the connection's.
        self.unblock();
        ended
    }
}

/// Fields as the encoder takes them.
pub(super) fn pairs(fields: &[Field]) -> impl Iterator<Item = (&[u8], &[u8])> {
    fields.iter().map(|(name, value)| (&**name, &**value))
}

/// For responses that have none.
pub(super) fn no_trailers() -> impl Iterator<Item = (&'static [u8], &'static [u8])> {
    std::iter::empty()
}
