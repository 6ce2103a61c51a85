//! One ASGI `http` call: what `receive` and `send` mean for its exchange. Knows neither scopes nor how the app is run.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use api::error::ResponseError;
use api::exchange::{BodyEvent, Exchange, Observer};
use bytes::Bytes;
use pyloop::gil::Kept;
use pyloop::host::{self, Job};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::awaitable::{Awaited, For, resolve};
use super::message::{self, FilePart, Kind};
use super::protocol::{Outcome, Protocol, Sent};
use super::route::Routing;
use crate::errors;

/// The order in which an app may send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// `http.response.start` is due.
    Start,
    /// `http.response.body` is due.
    Body,
    /// The body is complete, `http.response.trailers` was announced.
    Trailers,
    /// Nothing more may be sent.
    Done,
}

/// The state of one call, shared by `receive`, `send` and the exchange's events. Lives on the loop's thread.
pub struct Cycle {
    exchange: Exchange,
    routing: Routing,
    phase: Cell<Phase>,
    announced_trailers: Cell<bool>,
    trailers: RefCell<message::Headers>,
    /// A chunk that was read ahead to learn whether the one before it was the last.
    ahead: RefCell<Option<Bytes>>,
    /// `http.request` with `more_body: False` was delivered.
    body_delivered: Cell<bool>,
    /// Futures of tasks that wait in `receive()`, resolved when the body or the connection has news.
    receivers: RefCell<Vec<Kept<PyAny>>>,
    /// Futures of tasks that wait in `send()`, resolved when the response may go on.
    senders: RefCell<Vec<Kept<PyAny>>>,
    /// The task that runs the app while it is suspended: cancelled when its answer comes too late.
    task: RefCell<Option<Kept<PyAny>>>,
    /// The client was answered in the app's place.
    overdue: Cell<bool>,
    /// Whether the client's leaving cancels the task.
    cancels: bool,
    /// It has left.
    left: Cell<bool>,
    /// The app was told of a disconnect because the rest of the body will not come: what it leaves undone is not its fault.
    body_lost: Cell<bool>,
    news: Cell<News>,
    itself: Weak<Self>,
}

/// What happened to the exchange since Python looked last.
#[derive(Clone, Copy, Default)]
struct News {
    receive: bool,
    send: bool,
    queued: bool,
}

impl Cycle {
    /// Takes over `exchange`, whose events come to this cycle from now on.
    ///
    /// `cancels`: the app's task is cancelled when the client leaves; it is told in any case.
    pub fn new(exchange: Exchange, cancels: bool) -> Rc<Self> {
        let cycle = Rc::new_cyclic(|itself| Self {
            exchange,
            routing: Routing::default(),
            phase: Cell::new(Phase::Start),
            announced_trailers: Cell::new(false),
            trailers: RefCell::default(),
            ahead: RefCell::new(None),
            body_delivered: Cell::new(false),
            receivers: RefCell::default(),
            senders: RefCell::default(),
            task: RefCell::default(),
            overdue: Cell::new(false),
            cancels,
            left: Cell::new(false),
            body_lost: Cell::new(false),
            news: Cell::default(),
            itself: itself.clone(),
        });
        let observer: Weak<dyn Observer> = Rc::downgrade(&cycle) as Weak<dyn Observer>;
        cycle.exchange.watch(observer);
        cycle
    }

    /// What somebody has read of the body is read again first.
    pub fn put_back(&self, body: Option<Bytes>) {
        self.ahead.replace(body);
    }

    /// The message that `receive()` gives now; `None` where it has to wait.
    pub fn receive<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        if self.phase.get() == Phase::Done || self.exchange.is_disconnected() {
            return message::disconnect(py).map(Some);
        }
        if self.body_delivered.get() {
            return Ok(None);
        }
        let first = match self.ahead.take() {
            Some(chunk) => chunk,
            None => match self.exchange.next_chunk() {
                BodyEvent::Chunk(chunk) => chunk,
                BodyEvent::End => Bytes::new(),
                BodyEvent::Pending => return Ok(None),
                BodyEvent::Lost(_) => {
                    self.body_lost.set(true);
                    return message::disconnect(py).map(Some);
                }
            },
        };
        let more = match self.exchange.next_chunk() {
            BodyEvent::Chunk(next) => {
                self.ahead.replace(Some(next));
                true
            }
            BodyEvent::End => false,
            BodyEvent::Pending | BodyEvent::Lost(_) => true,
        };
        self.body_delivered.set(!more);
        message::request(py, &first, more).map(Some)
    }

    /// The client has left. Only a stream has to learn that, to end: behind an answer in one part stand the app's
    /// background tasks, which an error would lose.
    fn send_to_nobody(&self, py: Python<'_>, sent: &Bound<'_, PyDict>) -> PyResult<()> {
        match (self.phase.get(), message::kind(py, sent)?) {
            (Phase::Start, Kind::Start) => {
                let start = message::Start::read(py, sent)?;
                self.announced_trailers.set(start.trailers);
                self.phase.set(Phase::Body);
            }
            (Phase::Body, Kind::Body)
                if !message::Body::read(py, sent)?.more && !self.announced_trailers.get() =>
            {
                self.phase.set(Phase::Done);
            }
            (Phase::Body, Kind::PathSend) if !self.announced_trailers.get() => {
                self.phase.set(Phase::Done);
            }
            (Phase::Start, Kind::EarlyHint) => {}
            _ => return Err(errors::disconnected(py)),
        }
        Ok(())
    }

    fn start(&self, py: Python<'_>, sent: &Bound<'_, PyDict>) -> PyResult<()> {
        let start = message::Start::read(py, sent)?;
        self.routing.settle(py, &self.exchange);
        self.exchange
            .start(start.status, start.headers.pairs())
            .map_err(|error| errors::response(&error))?;
        self.announced_trailers.set(start.trailers);
        self.phase.set(Phase::Body);
        Ok(())
    }

    fn body(&self, py: Python<'_>, sent: &Bound<'_, PyDict>) -> PyResult<()> {
        let body = message::Body::read(py, sent)?;
        let written = self.exchange.write(body.chunk());
        self.go_on(py, written, body.more)
    }

    fn hint(&self, py: Python<'_>, sent: &Bound<'_, PyDict>) -> PyResult<()> {
        let links = message::links(py, sent)?;
        let fields = links.iter().map(|link| (b"link", link));
        self.exchange
            .hint(fields)
            .map_err(|error| errors::response(&error))
    }

    fn file(&self, py: Python<'_>, part: message::FilePart) -> PyResult<()> {
        let written = self
            .exchange
            .write_file(part.file, part.offset, part.length);
        self.go_on(py, written, part.more)
    }

    /// A part of the body was written; `more` says whether another one follows.
    fn go_on(
        &self,
        py: Python<'_>,
        mut written: Result<(), ResponseError>,
        more: bool,
    ) -> PyResult<()> {
        if !more && self.announced_trailers.get() {
            self.phase.set(Phase::Trailers);
        } else if !more {
            self.phase.set(Phase::Done);
            written = written.and_then(|()| self.exchange.finish());
            self.settle(py);
        }
        written.map_err(|error| errors::response(&error))
    }

    fn send_trailers(&self, py: Python<'_>, sent: &Bound<'_, PyDict>) -> PyResult<()> {
        let (headers, more) = message::trailers(py, sent)?;
        self.trailers.borrow_mut().extend(headers);
        if more {
            return Ok(());
        }
        self.phase.set(Phase::Done);
        let result = self
            .exchange
            .finish_with_trailers(self.trailers.borrow().pairs());
        self.settle(py);
        result.map_err(|error| errors::response(&error))
    }

    /// A finished response is news for a task that waits in `receive()` for the disconnect.
    fn settle(&self, py: Python<'_>) {
        if self.phase.get() == Phase::Done {
            resolve(py, &self.receivers);
        }
    }

    /// Whether a waiting `send()` may return: the connection takes more, or will never take anything again.
    pub fn may_go_on(&self) -> bool {
        self.exchange.is_writable() || self.exchange.is_disconnected()
    }

    fn cancel(&self, py: Python<'_>) {
        let task = self.task.take();
        let cancelled = task.map(|task| task.bind(py).call_method0(intern!(py, "cancel")));
        if let Some(Err(error)) = cancelled {
            error.write_unraisable(py, None);
        }
    }

    fn tell(&self, change: impl Fn(&mut News)) {
        let mut news = self.news.get();
        change(&mut news);
        if !news.queued
            && let Some(cycle) = self.itself.upgrade()
        {
            news.queued = true;
            host::push_job(cycle);
        }
        self.news.set(news);
    }
}

impl Protocol for Cycle {
    fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    fn routing(&self) -> &Routing {
        &self.routing
    }

    /// Errors: `RuntimeError` for an illegal order or a response that HTTP forbids, `ClientDisconnected` (an `OSError`) where a
    /// stream goes on after a disconnect (ASGI 2.4).
    fn send(self: Rc<Self>, py: Python<'_>, sent: &Bound<'_, PyDict>) -> PyResult<Sent> {
        if self.exchange.is_disconnected() && self.phase.get() != Phase::Done {
            return self.send_to_nobody(py, sent).map(|()| Sent::Done);
        }
        let kind = message::kind(py, sent)?;
        match (self.phase.get(), kind) {
            (Phase::Start, Kind::Start) => self.start(py, sent)?,
            (Phase::Start, Kind::EarlyHint) => self.hint(py, sent)?,
            (Phase::Body, Kind::Body) => self.body(py, sent)?,
            (Phase::Body, Kind::PathSend) => self.file(py, FilePart::of_path(py, sent)?)?,
            (Phase::Body, Kind::ZeroCopySend) => {
                self.file(py, FilePart::of_descriptor(py, sent)?)?;
            }
            (Phase::Trailers, Kind::Trailers) => self.send_trailers(py, sent)?,
            (phase, kind) => return Err(illegal(phase, kind)),
        }
        // A complete response has no more to wait for: the connection goes on without it.
        if self.phase.get() == Phase::Done || self.may_go_on() {
            return Ok(Sent::Done);
        }
        Ok(Sent::Waits(self))
    }

    fn close(&self, py: Python<'_>, _raised: bool) -> Outcome {
        drop(self.task.take());
        let outcome = match self.phase.replace(Phase::Done) {
            Phase::Start if self.overdue.get() => Outcome::Overdue,
            Phase::Done => Outcome::Complete,
            _ if self.exchange.is_disconnected() || self.body_lost.get() => Outcome::Disconnected,
            Phase::Start => Outcome::NoResponse,
            Phase::Body | Phase::Trailers => Outcome::Incomplete,
        };
        if !matches!(outcome, Outcome::Complete | Outcome::Overdue) {
            self.exchange.fail();
        }
        resolve(py, &self.receivers);
        resolve(py, &self.senders);
        outcome
    }

    fn runs_in(&self, task: &Bound<'_, PyAny>) {
        self.task.replace(Some(Kept::new(task.clone().unbind())));
        if self.exchange.is_disconnected() {
            self.disconnected();
        }
    }
}

impl Awaited for Cycle {
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

impl Observer for Cycle {
    fn body_ready(&self) {
        if !self.receivers.borrow().is_empty() {
            self.tell(|news| news.receive = true);
        }
    }

    fn writable(&self) {
        if !self.senders.borrow().is_empty() {
            self.tell(|news| news.send = true);
        }
    }

    fn disconnected(&self) {
        self.left.set(true);
        self.tell(|news| {
            news.receive = true;
            news.send = true;
        });
    }

    fn overdue(&self) {
        self.overdue.set(true);
        self.tell(|_| ());
    }
}

impl Job for Cycle {
    fn run(self: Rc<Self>, py: Python<'_>) {
        let news = self.news.take();
        if news.receive {
            resolve(py, &self.receivers);
        }
        if news.send {
            resolve(py, &self.senders);
        }
        if self.overdue.get() || (self.cancels && self.left.get()) {
            self.cancel(py);
        }
    }
}

fn illegal(phase: Phase, kind: Kind) -> PyErr {
    let expected = match phase {
        Phase::Start => "'http.response.start'",
        Phase::Body => "'http.response.body'",
        Phase::Trailers => "'http.response.trailers'",
        Phase::Done => "no message any more: the response is complete",
    };
    errors::illegal_order(&format!(
        "Unexpected ASGI message '{}' sent, expected {expected}.",
        kind.name()
    ))
}
