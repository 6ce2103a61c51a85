//! A connection that became a WebSocket: when to ping, how long to wait, when it is over. Knows no frame.

use super::phases::Phase;
use super::{Connection, Flow};
use crate::error::Violation;
use crate::exchange::Talk;
use crate::timeouts::{Millis, NEVER};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::task::Context;
use std::time::Duration;

/// What is due when.
pub(super) struct Pulse {
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
    pub(super) fn next(&self) -> Millis {
        self.ping_at.min(self.pong_by).min(self.close_by)
    }

    /// Whatever the client sent, it lives: a pong may be held up behind a long message.
    pub(super) fn heard(&mut self) {
        self.pong_by = NEVER;
    }
}

impl Connection {
    /// The time after `duration`, where zero means never.
    fn later(&self, duration: Duration) -> Millis {
        if duration.is_zero() {
            NEVER
        } else {
            self.deadlines.after(duration)
        }
    }

    pub(super) fn begin_websocket(&mut self) {
        if let Some(current) = &self.current {
            current.log();
        }
        self.phase = Phase::WebSocket;
        // It may live for days: the bound on requests at work is not about it.
        self.place = None;
        self.deadlines.exchange_over();
        self.pulse = Pulse {
            ping_at: self.later(self.link.engine.websocket.ping_interval),
            ..Pulse::default()
        };
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
        if self.pulse.close_by == NEVER && current.awaits_close() {
            self.pulse = Pulse {
                close_by: self
                    .deadlines
                    .after(self.link.engine.websocket.close_timeout),
                ..Pulse::default()
            };
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
        let now = self.deadlines.now();
        let Some(current) = self.current.as_ref().filter(|_| self.pulse.close_by > now) else {
            return ControlFlow::Break(());
        };
        if self.pulse.pong_by <= now {
            if self.link.input.borrow().is_empty() {
                current.fail_websocket(Violation::new(1011, "keepalive ping timeout"));
                return ControlFlow::Continue(());
            }
            // The answer may stand behind what nobody has taken yet.
            self.pulse.pong_by = NEVER;
        }
        if self.pulse.ping_at <= now {
            current.ping();
            let options = &self.link.engine.websocket;
            self.pulse.ping_at = self.later(options.ping_interval);
            if self.pulse.pong_by == NEVER {
                self.pulse.pong_by = self.later(options.ping_timeout);
            }
        }
        ControlFlow::Continue(())
    }
}
