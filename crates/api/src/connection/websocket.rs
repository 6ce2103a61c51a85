//! A connection that became a WebSocket: when to ping, how long to wait, when it is over. Knows no frame.

use super::phases::Phase;
use super::{Connection, Deadlines, Flow, Link};
use crate::error::Violation;
use crate::exchange::{Inner, Talk};
use crate::timeouts::{Millis, NEVER};
use crate::websocket::Options;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::task::Context;
use std::time::Duration;

/// What is due when.
pub(crate) struct Pulse {
    ping_at: Millis,
    /// A ping is out, and the client has said nothing since.
    pong_by: Millis,
    /// Our close is out, and the client's is not in.
    close_by: Millis,
}

impl Default for Pulse {
    fn default() -> Self {
        Self {
            ping_at: NEVER,
            pong_by: NEVER,
            close_by: NEVER,
        }
    }
}

impl Pulse {
    /// Of a WebSocket that begins.
    pub(crate) fn begin(options: &Options, deadlines: &Deadlines) -> Self {
        Self {
            ping_at: later(options.ping_interval, deadlines),
            ..Self::default()
        }
    }

    pub(crate) fn next(&self) -> Millis {
        self.ping_at.min(self.pong_by).min(self.close_by)
    }

    /// Whatever the client sent, it lives: a pong may be held up behind a long message.
    pub(crate) fn heard(&mut self) {
        self.pong_by = NEVER;
    }

    /// Our close is out: no ping any more, but a limit for the client's.
    pub(crate) fn await_close(&mut self, options: &Options, deadlines: &Deadlines) {
        if self.close_by == NEVER {
            *self = Self {
                close_by: deadlines.after(options.close_timeout),
                ..Self::default()
            };
        }
    }

    /// Something is due. `Break` where the client has had its time.
    pub(crate) fn expired(&mut self, current: &Inner, link: &Link, deadlines: &Deadlines) -> Flow {
        let now = deadlines.now();
        if self.close_by <= now {
            return ControlFlow::Break(());
        }
        if self.pong_by <= now {
            if link.input.borrow().is_empty() {
                current.fail_websocket(Violation::new(1011, "keepalive ping timeout"));
                return ControlFlow::Continue(());
            }
            // The answer may stand behind what nobody has taken yet.
            self.pong_by = NEVER;
        }
        if self.ping_at <= now {
            current.ping();
            let options = &link.engine.websocket;
            self.ping_at = later(options.ping_interval, deadlines);
            if self.pong_by == NEVER {
                self.pong_by = later(options.ping_timeout, deadlines);
            }
        }
        ControlFlow::Continue(())
    }
}

impl Connection {
    pub(super) fn begin_websocket(&mut self) {
        if let Some(current) = &self.current {
            current.log();
        }
        self.phase = Phase::WebSocket;
        // It may live for days: the bound on requests at work is not about it.
        self.place = None;
        self.deadlines.exchange_over();
        self.pulse = Pulse::begin(&self.link.engine.websocket, &self.deadlines);
    }

    /// Reads what has come, as far as somebody takes it; says whether the phase has changed.
    pub(super) fn converse(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(current) = self.current.as_ref().map(Rc::clone) else {
            return false;
        };
        let talk = current.converse();
        self.held_back = talk == Talk::Blocked;
        if talk == Talk::Over {
            // What it did last, and whoever answers is to know.
            self.poll_handler(cx);
            self.retire();
            self.close(true);
            return true;
        }
        if current.awaits_close() {
            let options = &self.link.engine.websocket;
            self.pulse.await_close(options, &self.deadlines);
        }
        false
    }

    /// The server stops.
    pub(super) fn go_away(&mut self) {
        if self.phase == Phase::WebSocket
            && let Some(current) = &self.current
        {
            current.close_websocket(1012, "");
        }
    }

    pub(super) fn pulse_expired(&mut self) -> Flow {
        let Some(current) = &self.current else {
            return ControlFlow::Break(());
        };
        self.pulse.expired(current, &self.link, &self.deadlines)
    }
}

/// The time after `duration`, where zero means never.
fn later(duration: Duration, deadlines: &Deadlines) -> Millis {
    if duration.is_zero() {
        NEVER
    } else {
        deadlines.after(duration)
    }
}
