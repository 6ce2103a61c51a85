//! What a connection is doing, and what it does next with the bytes at hand. Knows no socket.

use super::link::OUTPUT_HIGH;
use super::{Connection, Flow};
use crate::error::Refusal;
use crate::exchange::{Exchange, Inner, Skipped};
use crate::faults;
use crate::http1::encode;
use crate::http1::head::Head;
use crate::http2;
use crate::metrics::{Standing, contain};
use crate::overload::Entry;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::task::Context;

/// What may be left of a request body that nobody read, so that the connection is worth keeping.
pub(crate) const SKIP_LIMIT: u64 = 64 * 1024;

/// What of it is read on a connection whose client was told already that it stays.
const SKIP_MOST: u64 = 16 * 1024 * 1024;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It waits for a request.
    Head,
    /// An exchange is in flight.
    Exchange,
    /// The response is complete; what is left of the request body, at most `left` bytes, is thrown away.
    Skip { left: u64 },
    /// The exchange became a WebSocket.
    WebSocket,
    /// Nothing more is answered: when everything is sent, the connection ends, or lingers.
    Closing { linger: bool },
    /// The client speaks HTTP/2, as its first bytes say: somebody else goes on from them.
    Http2,
    /// Everything is sent; what the client still sends is thrown away, so that no reset overtakes the response.
    Lingering,
}

impl Phase {
    /// What the connection counts as.
    pub(super) fn standing(self) -> Standing {
        match self {
            Self::Head => Standing::Idle,
            Self::Exchange | Self::Skip { .. } => Standing::Active,
            Self::WebSocket => Standing::WebSocket,
            Self::Http2 => Standing::Http2,
            Self::Closing { .. } | Self::Lingering => Standing::Closing,
        }
    }
}

impl Connection {
    /// Goes through the phases as far as the bytes at hand reach.
    pub(super) fn advance(&mut self, budget: &mut usize, cx: &mut Context<'_>) {
        loop {
            let moved = match self.phase {
                Phase::Head => self.begin(budget, cx),
                Phase::Exchange if self.queued.is_some() => self.leave_queue(cx),
                Phase::Exchange => self.settle(),
                Phase::Skip { left } => self.skip(left),
                Phase::WebSocket => self.converse(cx),
                Phase::Closing { .. } | Phase::Http2 => false,
                Phase::Lingering => {
                    if !self.link.input.borrow().is_empty() {
                        self.link.input.borrow_mut().buffer().clear();
                        self.deadlines.linger_on();
                    }
                    false
                }
            };
            if !moved {
                return;
            }
        }
    }

    /// Parses the next head, if it is there and its turn has come, and hands it to the service.
    fn begin(&mut self, budget: &mut usize, cx: &mut Context<'_>) -> bool {
        self.held_back = self.link.output.borrow().len() >= OUTPUT_HIGH;
        if *budget == 0 || self.held_back {
            return false;
        }
        let (parsed, ended) = {
            let mut input = self.link.input.borrow_mut();
            let parsed = if input.is_empty() {
                Ok(None)
            } else {
                self.parser.parse(input.buffer(), &self.link.engine.limits)
            };
            (parsed, input.ended)
        };
        match parsed {
            Ok(Some(head)) => {
                *budget -= 1;
                faults::at("codec", &head);
                self.dispatch(head, ended, cx);
            }
            Ok(None) if ended => self.close(false),
            Ok(None) => {
                if self.parser.is_partial() {
                    self.deadlines.head_begun();
                }
                return false;
            }
            Err(_) if self.is_http2() => self.phase = Phase::Http2,
            Err(refusal) => self.refuse(refusal),
        }
        true
    }

    /// Whether what is no request of HTTP/1.1 is the beginning of HTTP/2, as clients may send it who know.
    fn is_http2(&self) -> bool {
        let is_first = self.spare.is_none();
        let engine = &self.link.engine;
        is_first && engine.speaks_http2 && http2::is_preface(self.link.input.borrow_mut().buffer())
    }

    fn dispatch(&mut self, head: Head, half_closed: bool, cx: &mut Context<'_>) {
        let inner = self.lend(head);
        self.current = Some(Rc::clone(&inner));
        self.phase = Phase::Exchange;
        self.deadlines.exchange_begun();
        if half_closed {
            self.deadlines.half_closed();
        }
        let engine = Rc::clone(&self.link.engine);
        engine.begin_request();
        let exchange = Exchange::new(inner);
        match engine
            .places
            .as_ref()
            .map(|places| places.enter(cx.waker()))
        {
            None => self.call(exchange, cx),
            Some(Entry::Place(place)) => {
                self.place = Some(place);
                self.call(exchange, cx);
            }
            Some(Entry::Queued(ticket)) => {
                self.queued = Some((ticket, exchange));
                self.deadlines.queued(engine.overload.wait);
            }
            Some(Entry::Full) => exchange.turn_away(),
        }
    }

    /// Lets the service have its exchange.
    fn call(&mut self, exchange: Exchange, cx: &mut Context<'_>) {
        let engine = Rc::clone(&self.link.engine);
        engine.spend();
        self.handler = contain("service", || engine.service.call(exchange)).flatten();
        if let Some(current) = &self.current {
            self.deadlines.answer_due(current.time_limit());
        }
        self.poll_handler(cx);
    }

    /// Lets a queued exchange begin, if its turn has come.
    fn leave_queue(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(place) = self.queued.as_ref().and_then(|(ticket, _)| ticket.redeem()) else {
            return false;
        };
        self.place = Some(place);
        if let Some((_, exchange)) = self.queued.take() {
            self.deadlines.exchange_begun();
            self.call(exchange, cx);
        }
        true
    }

    /// The exchange has taken longer to answer than it may.
    pub(super) fn answer_overdue(&mut self) {
        self.deadlines.answer_due(None);
        if let Some(current) = &self.current
            && current.time_out()
        {
            self.handler = None;
        }
    }

    /// The state for a new exchange: an earlier one's, where nobody holds it any more.
    fn lend(&mut self, head: Head) -> Rc<Inner> {
        if let Some(mut spare) = self.spare.take()
            && let Some(inner) = Rc::get_mut(&mut spare)
        {
            inner.reset(head);
            return spare;
        }
        Rc::new(Inner::new(Rc::clone(&self.link), head))
    }

    /// Goes on from an exchange whose response is complete.
    fn settle(&mut self) -> bool {
        let Some(current) = &self.current else {
            return false;
        };
        if current.is_websocket() {
            self.begin_websocket();
            return true;
        }
        if self.handler.is_some() || !current.is_finished() {
            return false;
        }
        self.deadlines.exchange_over();
        if current.has_failed() {
            self.stream.break_off();
        }
        let keep_alive = current.keeps_alive();
        match current.skip() {
            Skipped::All => self.next(keep_alive),
            Skipped::Some(_) if keep_alive => {
                self.deadlines.lingers();
                self.phase = Phase::Skip { left: SKIP_MOST };
            }
            Skipped::Some(_) | Skipped::Broken => self.give_up(),
        }
        true
    }

    fn skip(&mut self, left: u64) -> bool {
        let Some(current) = &self.current else {
            return false;
        };
        match current.skip() {
            Skipped::All => self.next(true),
            Skipped::Some(0) => return false,
            Skipped::Some(count) if count <= left => {
                self.deadlines.linger_on();
                self.phase = Phase::Skip { left: left - count };
            }
            Skipped::Some(_) | Skipped::Broken => self.give_up(),
        }
        true
    }

    /// The exchange is over, request and response complete.
    fn next(&mut self, keep_alive: bool) {
        self.retire();
        if keep_alive {
            self.phase = Phase::Head;
            self.deadlines.idle();
        } else {
            let more = !self.link.input.borrow().is_empty();
            self.close(more);
        }
    }

    /// The exchange is over, and where its request ends is unknown or too far away.
    fn give_up(&mut self) {
        self.retire();
        self.close(true);
    }

    pub(super) fn retire(&mut self) {
        self.place = None;
        if let Some(current) = self.current.take() {
            self.link.engine.end_request();
            if !current.is_websocket() {
                current.log();
            }
            current.retire();
            self.spare = Some(current);
        }
    }

    pub(super) fn close(&mut self, linger: bool) {
        self.phase = Phase::Closing { linger };
        self.deadlines.exchange_begun();
    }

    /// Answers what is no request with an error of the server's own.
    fn refuse(&mut self, refusal: Refusal) {
        self.link
            .engine
            .count(|meter| meter.refused(refusal.status));
        let mut output = self.link.output.borrow_mut();
        encode::refusal(output.tail(), self.link.engine.stamp(), refusal);
        drop(output);
        self.close(true);
    }

    /// The deadline of the phase has passed.
    pub(super) fn phase_expired(&mut self) -> Flow {
        match self.phase {
            Phase::Head if self.parser.is_partial() => {
                self.refuse(Refusal::new(408, "the request head took too long"));
                ControlFlow::Continue(())
            }
            Phase::Skip { .. } => {
                self.give_up();
                ControlFlow::Continue(())
            }
            // Sending has a deadline of its own.
            Phase::Head if !self.link.output.borrow().is_empty() => {
                self.deadlines.idle();
                ControlFlow::Continue(())
            }
            Phase::Head | Phase::Lingering => ControlFlow::Break(()),
            Phase::Exchange => {
                if let Some((_, exchange)) = self.queued.take() {
                    exchange.turn_away();
                }
                self.deadlines.exchange_begun();
                ControlFlow::Continue(())
            }
            Phase::WebSocket => self.pulse_expired(),
            Phase::Closing { .. } | Phase::Http2 => ControlFlow::Continue(()),
        }
    }

    /// The client has sent its last byte.
    pub(super) fn ended(&mut self) -> ControlFlow<(), bool> {
        match self.phase {
            Phase::Head | Phase::WebSocket | Phase::Http2 => {}
            Phase::Exchange => {
                if let Some(current) = &self.current {
                    current.body_arrived();
                }
                self.deadlines.half_closed();
            }
            Phase::Skip { .. } => {
                self.retire();
                self.close(false);
            }
            Phase::Closing { .. } => self.close(false),
            Phase::Lingering => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(true)
    }
}
