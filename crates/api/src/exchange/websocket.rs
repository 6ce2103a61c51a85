//! The WebSocket that an exchange became: its messages between the connection and whoever it belongs to. Knows neither
//! the socket nor what frames are made of.

use super::{Chunk, Exchange, Inner, Observer};
use crate::connection::{INPUT_HIGH, OUTPUT_HIGH};
use crate::error::{Refusal, ResponseError, Violation};
use crate::http1::token::is_token;
use crate::websocket::handshake::{self, Handshake};
use crate::websocket::session::{ABNORMAL, Close, Event, Kind, Message, Session};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Fields of the acceptance that only the server can write rightly.
const RESERVED: [&[u8]; 5] = [
    b"upgrade",
    b"connection",
    b"sec-websocket-accept",
    b"sec-websocket-extensions",
    b"sec-websocket-protocol",
];

/// A WebSocket. Dropping it unclosed closes it with 1011.
///
/// All methods work inside the runtime and outside of it, on the server's thread.
pub struct WebSocket {
    inner: Rc<Inner>,
}

/// What [`WebSocket::next`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// A message.
    Message(Message),
    /// None yet; [`Observer::body_ready`] will say when.
    Pending,
    /// There will be no more.
    Closed(Close),
}

/// What a WebSocket and its connection share.
pub(super) struct Socket {
    session: RefCell<Session>,
    queue: RefCell<VecDeque<Message>>,
    /// Bytes in `queue`.
    queued: Cell<usize>,
    /// The connection stopped reading because `queue` is full; whoever takes from it schedules the task.
    full: Cell<bool>,
    /// How it ended, as soon as that is known; messages that came before may still be in `queue`.
    end: RefCell<Option<Close>>,
}

/// How far [`Inner::converse`] came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Talk {
    /// As far as the bytes reach, or as the application takes them.
    Goes,
    /// Until the client takes what it was sent.
    Blocked,
    /// Nothing more will be read.
    Over,
}

impl Socket {
    fn new(session: Session) -> Self {
        Self {
            session: RefCell::new(session),
            queue: RefCell::default(),
            queued: Cell::new(0),
            full: Cell::new(false),
            end: RefCell::new(None),
        }
    }

    fn push(&self, message: Message) {
        self.queued.set(self.queued.get() + message.data.len());
        self.queue.borrow_mut().push_back(message);
    }

    fn pop(&self) -> Option<Message> {
        let message = self.queue.borrow_mut().pop_front()?;
        self.queued.set(self.queued.get() - message.data.len());
        Some(message)
    }

    fn end_with(&self, close: Close) {
        self.end.borrow_mut().get_or_insert(close);
    }

    /// The connection is gone.
    pub(super) fn lose(&self) {
        self.end_with(Close::new(ABNORMAL, ""));
    }
}

impl Exchange {
    /// Whether the request asks for a WebSocket, and whether that can be: the refusal is for [`Exchange::refuse`].
    pub fn handshake(&self) -> Option<Result<Handshake, Refusal>> {
        let head = self.head();
        let deflate = self.inner.link.engine.websocket.deflate;
        handshake::asks(head).then(|| Handshake::read(head, deflate))
    }

    /// Answers a request for a WebSocket that cannot be accepted.
    pub fn refuse(&self, refusal: Refusal) -> Result<(), ResponseError> {
        let headers = [
            ("content-type", "text/plain; charset=utf-8"),
            ("sec-websocket-version", handshake::VERSION),
        ];
        let upgrade = (refusal.status == 426).then_some(("upgrade", "websocket"));
        let headers = headers.into_iter().chain(upgrade);
        self.respond(refusal.status, headers, refusal.reason.as_bytes())
    }

    /// Accepts the WebSocket that the request asks for, with one of its subprotocols and more headers.
    /// On an error nothing is on the wire, and the exchange is as before.
    pub fn upgrade<N, V>(
        &self,
        handshake: &Handshake,
        protocol: Option<&str>,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Result<WebSocket, ResponseError>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let mut fields = Vec::new();
        for (name, value) in handshake.fields() {
            fields.push((Cow::from(name.as_bytes()), Cow::from(value.into_bytes())));
        }
        if let Some(protocol) = protocol {
            let name = b"sec-websocket-protocol";
            if !is_token(protocol.as_bytes()) {
                return Err(ResponseError::Value("sec-websocket-protocol".to_owned()));
            }
            fields.push((Cow::from(&name[..]), Cow::from(protocol.as_bytes())));
        }
        for (name, value) in headers {
            let name = name.as_ref();
            if RESERVED
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
            {
                let name = String::from_utf8_lossy(name).into_owned();
                return Err(ResponseError::Handshake(name));
            }
            fields.push((Cow::from(name.to_vec()), Cow::from(value.as_ref().to_vec())));
        }
        let inner = &self.inner;
        inner.switch(fields)?;
        let session = Session::new(&inner.link.engine.websocket, handshake);
        inner.socket.get_or_init(|| Box::new(Socket::new(session)));
        inner.link.schedule();
        Ok(WebSocket {
            inner: Rc::clone(inner),
        })
    }
}

impl WebSocket {
    /// The next message of the client.
    pub fn next(&self) -> Next {
        let Some(socket) = self.inner.socket.get() else {
            return Next::Closed(Close::new(ABNORMAL, ""));
        };
        if let Some(message) = socket.pop() {
            if socket.full.replace(false) {
                self.inner.link.schedule();
            }
            return Next::Message(message);
        }
        match &*socket.end.borrow() {
            Some(close) => Next::Closed(close.clone()),
            None => Next::Pending,
        }
    }

    /// [`WebSocket::next`] for a task.
    pub fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Result<Message, Close>> {
        match self.next() {
            Next::Message(message) => Poll::Ready(Ok(message)),
            Next::Closed(close) => Poll::Ready(Err(close)),
            Next::Pending => {
                self.inner.body_waker.register(cx.waker());
                Poll::Pending
            }
        }
    }

    /// Waits for the next message, or for the end.
    pub async fn message(&self) -> Result<Message, Close> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Sends a message; text has to be UTF-8. Never blocks: look at [`WebSocket::is_writable`] before going on.
    pub fn send<'a>(&self, kind: Kind, payload: impl Into<Chunk<'a>>) -> Result<(), ResponseError> {
        let payload = payload.into();
        let inner = &self.inner;
        let socket = self.open()?;
        let mut output = inner.link.output.borrow_mut();
        let mut session = socket.session.borrow_mut();
        if session.write(kind, payload.as_slice(), output.tail()) {
            payload.push_to(&mut output);
        }
        if output.len() >= OUTPUT_HIGH {
            inner.response.block();
        }
        inner.link.schedule();
        Ok(())
    }

    /// Says that no more will be sent, and takes no more. `code` and `reason` have to be such as may be sent.
    pub fn close(&self, code: u16, reason: &str) -> Result<(), ResponseError> {
        self.open()?;
        self.inner.close_websocket(code, reason);
        Ok(())
    }

    fn open(&self) -> Result<&Socket, ResponseError> {
        let socket = self.inner.socket.get().ok_or(ResponseError::NotStarted)?;
        if self.is_closed() {
            return Err(ResponseError::Disconnected);
        }
        Ok(socket)
    }

    /// Whether it has ended, on either side; messages that came before may still be there.
    pub fn is_closed(&self) -> bool {
        let socket = self.inner.socket.get();
        self.inner.is_disconnected() || socket.is_none_or(|socket| socket.end.borrow().is_some())
    }

    /// Whether less than the high-water mark waits to be sent.
    pub fn is_writable(&self) -> bool {
        self.inner.response.is_writable()
    }

    /// Whether the write buffer takes another message. Who sends without asking fills memory.
    pub fn has_room(&self) -> bool {
        let link = &self.inner.link;
        link.output.borrow().len() < link.engine.websocket.write_buffer
    }

    /// Waits until [`WebSocket::is_writable`], or until the end.
    pub async fn writable(&self) {
        poll_fn(|cx| {
            if self.is_writable() || self.is_closed() {
                return Poll::Ready(());
            }
            self.inner.write_waker.register(cx.waker());
            Poll::Pending
        })
        .await;
    }
}

impl Drop for WebSocket {
    fn drop(&mut self) {
        self.inner.close_websocket(1011, "");
    }
}

impl Inner {
    /// Whether the exchange became a WebSocket.
    pub(crate) fn is_websocket(&self) -> bool {
        self.socket.get().is_some()
    }

    /// Reads what has come into the queue, as far as it has room; pings and closes are answered on the way.
    pub(crate) fn converse(&self) -> Talk {
        let Some(socket) = self.socket.get() else {
            return Talk::Over;
        };
        let mut news = false;
        let talk = loop {
            let options = &self.link.engine.websocket;
            let full = socket.queued.get() >= INPUT_HIGH
                || socket.queue.borrow().len() >= options.max_queue;
            socket.full.set(full);
            if full {
                break Talk::Goes;
            }
            let mut output = self.link.output.borrow_mut();
            if output.len() >= OUTPUT_HIGH {
                break Talk::Blocked;
            }
            let mut input = self.link.input.borrow_mut();
            let mut session = socket.session.borrow_mut();
            match session.read(input.buffer(), output.tail()) {
                Some(Event::Message(message)) => socket.push(message),
                Some(Event::Closed(close)) => socket.end_with(close),
                None if session.is_ended() => break Talk::Over,
                None if input.ended => {
                    socket.lose();
                    news = true;
                    break Talk::Over;
                }
                None => break Talk::Goes,
            }
            news = true;
        };
        if news {
            self.tell_reader();
        }
        talk
    }

    /// Whether we have closed, and the client has not.
    pub(crate) fn awaits_close(&self) -> bool {
        self.socket.get().is_some_and(|socket| {
            let session = socket.session.borrow();
            !session.is_open() && !session.is_ended()
        })
    }

    /// Closes an open WebSocket from this side.
    pub(crate) fn close_websocket(&self, code: u16, reason: &str) {
        let Some(socket) = self.socket.get() else {
            return;
        };
        if socket.end.borrow().is_some() || self.is_disconnected() {
            return;
        }
        let mut output = self.link.output.borrow_mut();
        socket
            .session
            .borrow_mut()
            .close(code, reason, output.tail());
        drop(output);
        socket.end_with(Close::new(code, reason));
        self.link.schedule();
        self.tell_reader();
    }

    /// The client did not keep to what it has to do.
    pub(crate) fn fail_websocket(&self, violation: Violation) {
        if let Some(socket) = self.socket.get() {
            let mut output = self.link.output.borrow_mut();
            socket.session.borrow_mut().fail(violation, output.tail());
            drop(output);
            socket.end_with(Close::new(violation.code, violation.reason));
            self.tell_reader();
        }
    }

    /// Asks the client whether it is there.
    pub(crate) fn ping(&self) {
        if let Some(socket) = self.socket.get() {
            let mut output = self.link.output.borrow_mut();
            socket.session.borrow_mut().ping(output.tail());
        }
    }

    /// A message, or the end, is there. Whoever waits for room to send learns of the end, too.
    fn tell_reader(&self) {
        self.link.rouse(&self.body_waker);
        self.link.rouse(&self.write_waker);
        self.tell(<dyn Observer>::body_ready);
    }
}
