//! One client: bytes → codec → exchange → bytes. Knows nothing of who answers.
//!
//! One task per connection looks at everything in turn: the handler's future, the phases, the socket. Exchanges
//! reach it through [`Link`]; what they do outside of the runtime wakes the task for its next turn.

mod deadlines;
mod file;
mod input;
mod link;
mod output;
mod pace;
mod phases;
mod waker;
mod websocket;

pub(crate) use deadlines::{Deadlines, Expired, FRESH};
pub(crate) use file::FileRange;
pub(crate) use link::{INPUT_HIGH, Link, OUTPUT_HIGH, OUTPUT_LOW};
pub(crate) use output::{BY_REFERENCE, Output};
pub(crate) use phases::SKIP_LIMIT;
pub(crate) use waker::WakerSlot;
pub(crate) use websocket::Pulse;

use crate::exchange::{Exchange, Inner};
use crate::http1::head::HeadParser;
use crate::http2;
use crate::metrics::{Standing, contain};
use crate::overload::{Place, Ticket};
use crate::server::{Hangup, Stage, Watch};
use crate::service::LocalBoxFuture;
use crate::stream::Stream;
use bytes::Bytes;
use phases::Phase;
use socket2::SockRef;
use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::AsyncWrite;

/// Requests that one connection may have answered in one turn before others have theirs.
const PIPELINED_PER_TURN: usize = 16;

/// `Break`: the connection is over.
type Flow = ControlFlow<()>;

struct Connection {
    stream: Stream,
    link: Rc<Link>,
    phase: Phase,
    /// The exchange in flight.
    current: Option<Rc<Inner>>,
    /// The state of an earlier exchange, for the next one.
    spare: Option<Rc<Inner>>,
    /// What answers the exchange in flight, where the connection itself is to poll it.
    handler: Option<LocalBoxFuture<()>>,
    /// The exchange in flight before its turn has come, where the server bounds the requests at work.
    queued: Option<(Ticket, Exchange)>,
    /// What the exchange in flight occupies there.
    place: Option<Place>,
    parser: HeadParser,
    /// The next head has to wait until more of the output is sent.
    held_back: bool,
    deadlines: Deadlines,
    /// Of a connection that became a WebSocket.
    pulse: Pulse,
    /// Set since reading paused for the first time: tells `link` what reading would have said.
    watch: Option<Watch>,
}

/// Serves one client until it or the server closes the connection.
pub(crate) async fn run(mut stream: Stream, link: Rc<Link>) {
    if stream.speaks_http2() {
        link.stand(Standing::Http2);
        Box::pin(http2::run(&mut stream, &link, Bytes::new())).await;
        stream.farewell();
        return;
    }
    let mut connection = Connection::new(stream, link);
    poll_fn(|cx| match contain("connection", || connection.poll(cx)) {
        Some(Flow::Continue(())) => Poll::Pending,
        Some(Flow::Break(())) | None => Poll::Ready(()),
    })
    .await;
    if connection.phase == Phase::Http2 {
        let link = Rc::clone(&connection.link);
        link.stand(Standing::Http2);
        let before = link.input.borrow_mut().buffer().split().freeze();
        Box::pin(http2::run(&mut connection.stream, &link, before)).await;
    }
    contain("connection end", || drop(connection));
}

impl Connection {
    fn new(stream: Stream, link: Rc<Link>) -> Self {
        Self {
            deadlines: Deadlines::new(&link.engine),
            stream,
            link,
            phase: Phase::Head,
            current: None,
            spare: None,
            handler: None,
            queued: None,
            place: None,
            parser: HeadParser::default(),
            held_back: false,
            pulse: Pulse::default(),
            watch: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Flow {
        self.link.enter(cx.waker());
        self.deadlines.begin_turn(self.link.engine.begin_turn());
        let flow = self.turn(cx);
        self.link.engine.spend();
        flow?;
        let at_work = self.phase == Phase::Exchange;
        self.link.input.borrow_mut().settle(at_work);
        let awaited = self
            .current
            .as_ref()
            .is_some_and(|current| current.awaits_body());
        self.deadlines.body_awaited(awaited);
        if self.phase == Phase::WebSocket {
            self.deadlines.phase_due(self.pulse.next());
        }
        self.deadlines.arm(cx.waker());
        self.link.stand(self.phase.standing());
        self.link.leave();
        Flow::Continue(())
    }

    /// Does everything that can be done without waiting.
    fn turn(&mut self, cx: &mut Context<'_>) -> Flow {
        let stage = self.link.engine.stage();
        if stage == Stage::Aborting {
            return Flow::Break(());
        }
        self.expire()?;
        if stage == Stage::Draining {
            self.go_away();
        }
        self.heed_hangup()?;
        let mut budget = PIPELINED_PER_TURN;
        loop {
            self.poll_handler(cx);
            self.advance(&mut budget, cx);
            if self.phase == Phase::Http2 {
                return Flow::Break(());
            }
            self.flush(cx)?;
            let read = self.fill(cx)?;
            let again = self.link.again.replace(false) || self.may_proceed();
            if !read && !again {
                break;
            }
        }
        if budget == 0 && self.phase == Phase::Head {
            cx.waker().wake_by_ref();
        } else if stage == Stage::Draining && self.is_idle() && !self.may_still_ask() {
            return Flow::Break(());
        }
        Flow::Continue(())
    }

    /// Whether a request may be on its way: on a new connection, or on any where something has come.
    fn may_still_ask(&mut self) -> bool {
        self.has_unread() || self.deadlines.is_fresh()
    }

    /// Whether the output has drained enough for a head that it held back.
    fn may_proceed(&self) -> bool {
        self.held_back && self.link.output.borrow().len() < OUTPUT_HIGH
    }

    fn is_idle(&self) -> bool {
        self.phase == Phase::Head
            && self.link.input.borrow().is_empty()
            && self.link.output.borrow().is_empty()
            && !self.stream.has_unsent()
    }

    /// Whether the client has sent something that the runtime has not told us of yet.
    fn has_unread(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        let peeked = SockRef::from(self.stream.socket()).peek(&mut byte);
        peeked.is_ok_and(|count| count > 0)
    }

    /// Looks at what was heard of the client while nothing is read from it.
    fn heed_hangup(&mut self) -> Flow {
        if self.link.reading_paused.get() {
            match self.link.hangup.take() {
                Some(Hangup::Whole) => return Flow::Break(()),
                Some(Hangup::Half) if self.phase == Phase::Exchange => self.deadlines.half_closed(),
                Some(Hangup::Half) | None => {}
            }
        }
        Flow::Continue(())
    }

    fn expire(&mut self) -> Flow {
        match self.deadlines.expired() {
            None => Flow::Continue(()),
            Some(Expired::Write) => {
                // Else the kernel would keep what the client does not take for minutes.
                let _ = SockRef::from(self.stream.socket()).set_linger(Some(Duration::ZERO));
                Flow::Break(())
            }
            Some(Expired::Grace) => Flow::Break(()),
            Some(Expired::Phase) => self.phase_expired(),
            Some(Expired::Answer) => {
                self.answer_overdue();
                Flow::Continue(())
            }
            Some(Expired::Body) => {
                if let Some(current) = &self.current {
                    current.body_stalled();
                }
                self.deadlines.body_awaited(false);
                Flow::Continue(())
            }
        }
    }

    fn poll_handler(&mut self, cx: &mut Context<'_>) {
        let Some(handler) = &mut self.handler else {
            return;
        };
        self.link.engine.spend();
        match contain("handler", || handler.as_mut().poll(cx)) {
            Some(Poll::Pending) => {}
            Some(Poll::Ready(())) => self.handler = None,
            None => {
                self.handler = None;
                if let Some(current) = &self.current {
                    current.fail();
                }
            }
        }
    }

    /// Sends what it can; ends or shuts the connection when the last response is out.
    fn flush(&mut self, cx: &mut Context<'_>) -> Flow {
        let mut output = self.link.output.borrow_mut();
        if !output.is_empty() || self.stream.has_unsent() {
            let before = output.len();
            let Ok(flushed) = output.flush(&mut self.stream, cx) else {
                return Flow::Break(());
            };
            let sent = before - output.len();
            self.link.engine.count(|meter| meter.sent(sent));
            let progress = self.stream.take_progress() || flushed.progress;
            self.deadlines.sending(!flushed.empty, progress);
            if progress && self.phase == Phase::Head && !self.parser.is_partial() {
                self.deadlines.idle();
            }
        }
        let waiting = output.len();
        drop(output);
        if let Some(current) = &self.current
            && waiting <= OUTPUT_LOW
        {
            current.unblock();
        }
        let empty = waiting == 0 && !self.stream.has_unsent();
        match self.phase {
            Phase::Closing { linger } if empty => self.shut(linger, cx),
            _ => Flow::Continue(()),
        }
    }

    fn shut(&mut self, linger: bool, cx: &mut Context<'_>) -> Flow {
        if !linger || self.link.input.borrow().ended {
            return Flow::Break(());
        }
        match Pin::new(&mut self.stream).poll_shutdown(cx) {
            Poll::Ready(Ok(())) => {
                self.phase = Phase::Lingering;
                self.deadlines.lingers();
                Flow::Continue(())
            }
            Poll::Ready(Err(_)) => Flow::Break(()),
            Poll::Pending => Flow::Continue(()),
        }
    }

    /// Reads once, where reading is wanted; says whether that changed anything.
    fn fill(&mut self, cx: &mut Context<'_>) -> ControlFlow<(), bool> {
        let read = {
            let mut input = self.link.input.borrow_mut();
            let full = input.len() >= INPUT_HIGH && !self.parser.is_partial();
            self.link.reading_paused.set(full);
            if full && self.watch.is_none() {
                let hangups = &self.link.engine.hangups;
                self.watch = Some(hangups.watch(self.stream.socket(), &self.link));
            }
            if full || input.ended {
                return ControlFlow::Continue(false);
            }
            input.poll_fill(&mut self.stream, cx)
        };
        match read {
            Poll::Pending => ControlFlow::Continue(false),
            Poll::Ready(Ok(0)) => self.ended(),
            Poll::Ready(Ok(count)) => {
                self.received(count);
                ControlFlow::Continue(true)
            }
            // A reset: whatever the client was still to get, it is gone.
            Poll::Ready(Err(_)) => ControlFlow::Break(()),
        }
    }

    fn received(&mut self, count: usize) {
        self.link.engine.count(|meter| meter.received(count));
        if let Some(current) = &self.current {
            current.body_arrived();
            self.deadlines.body_received(count);
            self.pulse.heard();
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.link.lost.set(true);
        self.handler = None;
        self.queued = None;
        if let Some(current) = self.current.take() {
            self.link.engine.end_request();
            current.count_cut();
            current.disconnect();
        } else {
            self.stream.farewell();
        }
    }
}
