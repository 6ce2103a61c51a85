//! The task of one stream: what h2 has of it goes to its exchange, what the exchange says to h2. Knows no socket.

use super::connection::Shared;
use super::fields;
use super::rest::{self, Patience};
use crate::connection::{Deadlines, Expired, INPUT_HIGH, Link, OUTPUT_LOW, Pulse};
use crate::exchange::{Exchange, Inner, Talk};
use crate::faults;
use crate::http1::head::Head;
use crate::metrics::contain;
use crate::overload::{Entry, Place, Ticket};
use crate::server::Stage;
use crate::service::LocalBoxFuture;
use crate::timeouts::NEVER;
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::task::{Context, Poll};

/// `Break`: the stream is over.
type Flow = ControlFlow<()>;

/// What is asked of h2 at once for a body.
const WANTED: usize = 64 * 1024;

/// What may be sent next.
enum Sender {
    Head(SendResponse<Bytes>),
    Body(SendStream<Bytes>),
    /// All is with h2.
    Done,
}

struct Stream {
    shared: Rc<Shared>,
    link: Rc<Link>,
    current: Rc<Inner>,
    sender: Sender,
    /// Until its end has come.
    body: Option<RecvStream>,
    /// Bytes that wait for the application: room in the client's window once it takes them.
    owed: usize,
    /// Bytes of the body that have come.
    received: u64,
    /// The response is complete and waits for the rest of the request.
    held: Option<Patience>,
    handler: Option<LocalBoxFuture<()>>,
    /// Before its turn has come, where the server bounds the requests at work.
    queued: Option<(Ticket, Exchange)>,
    place: Option<Place>,
    deadlines: Deadlines,
    websocket: Option<Pulse>,
}

/// Carries one exchange from its request to the end of its response.
pub(super) async fn run(
    shared: Rc<Shared>,
    head: Head,
    respond: SendResponse<Bytes>,
    body: RecvStream,
) {
    let mut beginning = Some((shared, head, respond, body));
    let mut stream = None;
    poll_fn(|cx| {
        let polled = contain("stream", || {
            if let Some((shared, head, respond, body)) = beginning.take() {
                faults::at("codec", &head);
                let stream = stream.insert(Stream::new(shared, head, respond, body));
                stream.link.enter(cx.waker());
                stream.dispatch(cx);
            }
            stream
                .as_mut()
                .map_or(Flow::Break(()), |stream| stream.poll(cx))
        });
        match polled {
            Some(Flow::Continue(())) => Poll::Pending,
            Some(Flow::Break(())) | None => Poll::Ready(()),
        }
    })
    .await;
    contain("stream end", || drop(stream));
}

impl Stream {
    fn new(shared: Rc<Shared>, head: Head, respond: SendResponse<Bytes>, body: RecvStream) -> Self {
        let engine = Rc::clone(&shared.link.engine);
        engine.begin_request();
        shared.open.set(shared.open.get() + 1);
        let link = Rc::new(Link::of_stream(
            Rc::clone(&engine),
            Rc::clone(&shared.link.info),
        ));
        let mut deadlines = Deadlines::new(&engine);
        deadlines.exchange_begun();
        Self {
            current: Rc::new(Inner::new(Rc::clone(&link), head)),
            link,
            shared,
            sender: Sender::Head(respond),
            body: Some(body).filter(|body| !body.is_end_stream()),
            owed: 0,
            received: 0,
            held: None,
            handler: None,
            queued: None,
            place: None,
            deadlines,
            websocket: None,
        }
    }

    fn dispatch(&mut self, cx: &mut Context<'_>) {
        let exchange = Exchange::new(Rc::clone(&self.current));
        let engine = &self.link.engine;
        match engine
            .places
            .as_ref()
            .map(|places| places.enter(cx.waker()))
        {
            None => self.call(exchange),
            Some(Entry::Place(place)) => {
                self.place = Some(place);
                self.call(exchange);
            }
            Some(Entry::Queued(ticket)) => {
                self.deadlines.queued(engine.overload.wait);
                self.queued = Some((ticket, exchange));
            }
            Some(Entry::Full) => exchange.turn_away(),
        }
    }

    /// Lets the service have its exchange.
    fn call(&mut self, exchange: Exchange) {
        let engine = Rc::clone(&self.link.engine);
        self.handler = contain("service", || engine.service.call(exchange)).flatten();
        self.deadlines.answer_due(self.current.time_limit());
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Flow {
        self.link.enter(cx.waker());
        self.deadlines.begin_turn(self.link.engine.now());
        self.expire()?;
        self.leave_queue();
        loop {
            self.poll_handler(cx);
            let received = self.receive(cx)?;
            let talked = self.converse(cx);
            if self.is_held(received) {
                self.current.unblock();
            } else {
                self.send(cx)?;
            }
            if !self.link.again.replace(false) && !received && !talked {
                break;
            }
        }
        self.settle(cx)?;
        self.deadlines.body_awaited(self.current.awaits_body());
        if let Some(pulse) = &self.websocket {
            self.deadlines.phase_due(pulse.next());
        }
        if let Some(patience) = self.held.filter(|_| !matches!(self.sender, Sender::Done)) {
            let due = patience.due();
            let due = if self.deadlines.now() < due {
                due
            } else {
                NEVER
            };
            self.deadlines.phase_due(due);
        }
        self.deadlines.arm(cx.waker());
        self.link.leave();
        Flow::Continue(())
    }

    fn expire(&mut self) -> Flow {
        match self.deadlines.expired() {
            None | Some(Expired::Grace) => {}
            Some(Expired::Write) => {
                self.reset(Reason::CANCEL);
                return Flow::Break(());
            }
            Some(Expired::Answer) => {
                self.deadlines.answer_due(None);
                if self.current.time_out() {
                    self.handler = None;
                }
            }
            Some(Expired::Body) => {
                self.current.body_stalled();
                self.deadlines.body_awaited(false);
            }
            Some(Expired::Phase) => {
                if let Some((_, exchange)) = self.queued.take() {
                    exchange.turn_away();
                }
                self.deadlines.exchange_begun();
                if let Some(pulse) = &mut self.websocket {
                    return pulse.expired(&self.current, &self.link, &self.deadlines);
                }
            }
        }
        Flow::Continue(())
    }

    /// Lets a queued exchange begin, if its turn has come.
    fn leave_queue(&mut self) {
        if let Some(place) = self.queued.as_ref().and_then(|(ticket, _)| ticket.redeem()) {
            self.place = Some(place);
            self.deadlines.exchange_begun();
            if let Some((_, exchange)) = self.queued.take() {
                self.call(exchange);
            }
        }
    }

    fn poll_handler(&mut self, cx: &mut Context<'_>) {
        let Some(handler) = &mut self.handler else {
            return;
        };
        match contain("handler", || handler.as_mut().poll(cx)) {
            Some(Poll::Pending) => {}
            Some(Poll::Ready(())) => self.handler = None,
            None => {
                self.handler = None;
                self.current.fail();
            }
        }
    }

    /// Takes what has come of the body, as far as there is room; the client's window grows by what was taken of it.
    fn receive(&mut self, cx: &mut Context<'_>) -> ControlFlow<(), bool> {
        let Some(body) = &mut self.body else {
            return ControlFlow::Continue(false);
        };
        let mut input = self.link.input.borrow_mut();
        if self.handler.is_none() && self.current.is_finished() && !self.current.is_websocket() {
            // Nobody will ask for it, and the client may have to be rid of it before it takes the response.
            input.buffer().clear();
        }
        let taken = self.owed.saturating_sub(input.len());
        if taken > 0 {
            self.owed -= taken;
            if body.flow_control().release_capacity(taken).is_err() {
                return ControlFlow::Break(());
            }
        }
        let mut count = 0;
        while input.len() < INPUT_HIGH {
            match body.poll_data(cx) {
                Poll::Pending => break,
                Poll::Ready(Some(Ok(data))) => {
                    input.buffer().extend_from_slice(&data);
                    count += data.len();
                }
                Poll::Ready(Some(Err(_))) => return ControlFlow::Break(()),
                Poll::Ready(None) => {
                    input.ended = true;
                    break;
                }
            }
        }
        self.owed += count;
        self.received += count as u64;
        self.link.reading_paused.set(self.owed > 0);
        let ended = input.ended;
        drop(input);
        if ended {
            self.body = None;
        }
        if count > 0 || ended {
            self.current.body_arrived();
            self.deadlines.body_received(count);
            if let Some(pulse) = &mut self.websocket {
                pulse.heard();
            }
        }
        ControlFlow::Continue(count > 0 || ended)
    }

    /// Whether the response, which is complete, has to wait for the rest of the request. `heard`: some of that has come.
    fn is_held(&mut self, heard: bool) -> bool {
        let engine = &self.link.engine;
        let over = self.handler.is_none()
            && self.current.is_finished()
            && !self.current.has_failed()
            && !self.current.is_websocket();
        let waits = self.current.owes_continue() && self.received == 0;
        let short = rest::is_short(self.current.framing(), self.received);
        if !over || self.body.is_none() || waits || !short {
            self.held = None;
            return false;
        }
        let patience = match self.held {
            None => Patience::begin(engine),
            Some(patience) if heard => patience.heard(engine),
            Some(patience) => patience,
        };
        self.held = Some(patience);
        // The bound on requests at work is not about it.
        self.place = None;
        self.deadlines.now() < patience.due()
    }

    /// Sends what the exchange has said, as far as the client has room for it.
    fn send(&mut self, cx: &mut Context<'_>) -> Flow {
        if self.current.has_failed() {
            self.reset(Reason::INTERNAL_ERROR);
            return Flow::Break(());
        }
        self.send_head()?;
        self.send_body(cx)?;
        if self.link.output.borrow().len() <= OUTPUT_LOW {
            self.current.unblock();
        }
        Flow::Continue(())
    }

    fn send_head(&mut self) -> Flow {
        let (Sender::Head(respond), Some(outbox)) = (&mut self.sender, &self.link.outbox) else {
            return Flow::Continue(());
        };
        for block in outbox.take_interim() {
            if let Some(response) = fields::response(block)
                && respond.send_informational(response).is_err()
            {
                return Flow::Break(());
            }
        }
        let Some(block) = outbox.take_head() else {
            return Flow::Continue(());
        };
        let Some(response) = fields::response(block) else {
            self.reset(Reason::INTERNAL_ERROR);
            return Flow::Break(());
        };
        let ended = outbox.ends_bare() && self.link.output.borrow().is_empty();
        match respond.send_response(response, ended) {
            Ok(_) if ended => self.sender = Sender::Done,
            Ok(body) => self.sender = Sender::Body(body),
            Err(_) => return Flow::Break(()),
        }
        Flow::Continue(())
    }

    fn send_body(&mut self, cx: &mut Context<'_>) -> Flow {
        let (Sender::Body(body), Some(outbox)) = (&mut self.sender, &self.link.outbox) else {
            return Flow::Continue(());
        };
        let mut output = self.link.output.borrow_mut();
        let mut progress = false;
        let ends = outbox.ends_bare();
        while !output.is_empty() {
            body.reserve_capacity(output.len().min(WANTED));
            let room = body.capacity();
            if room == 0 {
                match body.poll_capacity(cx) {
                    Poll::Pending => break,
                    Poll::Ready(Some(Ok(_))) => continue,
                    Poll::Ready(_) => return Flow::Break(()),
                }
            }
            let Ok(part) = output.take(room) else {
                drop(output);
                self.reset(Reason::INTERNAL_ERROR);
                return Flow::Break(());
            };
            let last = ends && output.is_empty();
            progress = true;
            if body.send_data(part, last).is_err() {
                return Flow::Break(());
            }
            if last {
                self.sender = Sender::Done;
                break;
            }
        }
        self.deadlines.sending(!output.is_empty(), progress);
        if output.is_empty() {
            drop(output);
            return self.send_end();
        }
        Flow::Continue(())
    }

    /// The end of a response whose body is with h2.
    fn send_end(&mut self) -> Flow {
        let (Sender::Body(body), Some(outbox)) = (&mut self.sender, &self.link.outbox) else {
            return Flow::Continue(());
        };
        let Some(block) = outbox.take_trailers() else {
            return Flow::Continue(());
        };
        let sent = match fields::fields(block) {
            Some(trailers) if !trailers.is_empty() => body.send_trailers(trailers),
            _ => body.send_data(Bytes::new(), true),
        };
        self.sender = Sender::Done;
        if sent.is_err() {
            return Flow::Break(());
        }
        Flow::Continue(())
    }

    fn reset(&mut self, reason: Reason) {
        match &mut self.sender {
            Sender::Head(respond) => respond.send_reset(reason),
            Sender::Body(body) => body.send_reset(reason),
            Sender::Done => {}
        }
    }

    /// Goes on as a WebSocket, where the exchange has become one; says whether that took any of what had come.
    fn converse(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.current.is_websocket() {
            return false;
        }
        let before = self.link.input.borrow().len();
        let options = &self.link.engine.websocket;
        let pulse = match &mut self.websocket {
            Some(pulse) => pulse,
            none => {
                self.current.log();
                // It may live for days: the bound on requests at work is not about it.
                self.place = None;
                self.deadlines.exchange_over();
                let mut websockets = self.shared.websockets.borrow_mut();
                websockets.retain(|link| link.strong_count() > 0);
                websockets.push(Rc::downgrade(&self.link));
                none.insert(Pulse::begin(options, &self.deadlines))
            }
        };
        if self.link.engine.stage() == Stage::Draining {
            self.current.close_websocket(1012, "");
        }
        let talk = self.current.converse();
        if self.current.awaits_close() {
            pulse.await_close(options, &self.deadlines);
        }
        if talk == Talk::Over
            && let Some(outbox) = &self.link.outbox
            && !matches!(self.sender, Sender::Done)
        {
            outbox.end_bare();
            // What it did last, and whoever answers is to know.
            self.poll_handler(cx);
        }
        self.link.input.borrow().len() < before
    }

    /// Whether there is anything left to do, and somebody to do it for.
    fn settle(&mut self, cx: &mut Context<'_>) -> Flow {
        let reset = match &mut self.sender {
            Sender::Head(respond) => respond.poll_reset(cx).is_ready(),
            Sender::Body(body) => body.poll_reset(cx).is_ready(),
            // The client has all; the handler may still have something to do.
            Sender::Done => {
                if let Some(body) = self.body.take() {
                    rest::discard(&self.link.engine, body, std::mem::take(&mut self.owed));
                }
                if self.websocket.is_some() || self.handler.is_none() {
                    return Flow::Break(());
                }
                false
            }
        };
        if reset || self.link.engine.stage() == Stage::Aborting {
            return Flow::Break(());
        }
        Flow::Continue(())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let complete = matches!(self.sender, Sender::Done);
        self.link.lost.set(!complete);
        self.handler = None;
        self.queued = None;
        self.link.engine.end_request();
        if complete {
            if self.websocket.is_none() {
                self.current.log();
            }
            self.current.retire();
        } else {
            self.current.count_cut();
            self.current.disconnect();
        }
        self.shared.open.set(self.shared.open.get() - 1);
        self.shared.link.schedule();
    }
}
