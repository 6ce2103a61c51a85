//! The deadlines of one connection: what the phases say about time, and the one entry in the server's wheel.

use super::pace::Pace;
use crate::server::Engine;
use crate::timeouts::{Deadline, Millis, NEVER, Timeouts, Wheel};
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

/// When what ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expired {
    /// A head, an idle connection, a rest that was skipped, or lingering: the phase knows which.
    Phase,
    /// The response has to begin.
    Answer,
    /// The body that somebody waits for.
    Body,
    /// The client does not take what it is sent.
    Write,
    /// The client sent its FIN long enough ago to count as gone.
    Grace,
}

/// How old a connection is, in milliseconds, before a stop of the server counts its silence as idleness: its first request
/// may be under way, and whoever sent it would see it lost.
pub(crate) const FRESH: Millis = 250;

/// Every deadline a connection can have at once; `NEVER` where it has none.
pub(crate) struct Deadlines {
    wheel: Rc<Wheel>,
    timeouts: Timeouts,
    entry: Option<Deadline>,
    now: Millis,
    phase: Millis,
    answer: Millis,
    body: Millis,
    pace: Pace,
    write: Millis,
    grace: Millis,
    /// `phase` is the deadline of a head whose first byte has come.
    in_head: bool,
    /// When whatever is thrown away has come for too long.
    linger_end: Millis,
    opened: Millis,
    /// The end of being fresh, where the server waits for it.
    fresh: Millis,
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(NEVER)
}

impl Deadlines {
    /// Of a connection that has just been accepted: its first head is due.
    pub(crate) fn new(engine: &Engine) -> Self {
        let mut deadlines = Self {
            wheel: Rc::clone(&engine.wheel),
            timeouts: engine.timeouts,
            entry: None,
            now: 0,
            phase: NEVER,
            answer: NEVER,
            body: NEVER,
            pace: Pace::default(),
            write: NEVER,
            grace: NEVER,
            in_head: false,
            linger_end: NEVER,
            opened: 0,
            fresh: NEVER,
        };
        deadlines.begin_turn(engine.now());
        deadlines.opened = deadlines.now;
        deadlines.head_begun();
        deadlines
    }

    /// What the clock says, once for all that happens in one turn.
    pub(crate) fn begin_turn(&mut self, now: Millis) {
        self.now = now;
        self.fresh = NEVER;
    }

    /// Whether the first head of a connection that was opened just now may still come; if so, the end of that is a deadline.
    pub(crate) fn is_fresh(&mut self) -> bool {
        let until = self.opened.saturating_add(FRESH);
        let fresh = self.in_head && self.now < until;
        if fresh {
            self.fresh = until;
        }
        fresh
    }

    pub(crate) fn after(&self, duration: Duration) -> Millis {
        self.now.saturating_add(millis(duration))
    }

    /// The first byte of a head has come; later ones do not move its deadline.
    pub(crate) fn head_begun(&mut self) {
        if !self.in_head {
            self.in_head = true;
            self.phase = self.after(self.timeouts.header);
        }
    }

    /// The next head may take its time.
    pub(crate) fn idle(&mut self) {
        self.in_head = false;
        self.phase = self.after(self.timeouts.keep_alive);
    }

    /// An exchange takes as long as its service likes.
    pub(crate) fn exchange_begun(&mut self) {
        self.phase = NEVER;
    }

    /// The phase keeps its own time, and has to be looked at then.
    pub(crate) fn phase_due(&mut self, due: Millis) {
        self.phase = due;
    }

    /// The time at the beginning of this turn.
    pub(crate) fn now(&self) -> Millis {
        self.now
    }

    /// Something is only thrown away from now on.
    pub(crate) fn lingers(&mut self) {
        self.linger_end = self.after(self.timeouts.body_stall);
        self.linger_on();
    }

    /// More of it has come.
    pub(crate) fn linger_on(&mut self) {
        self.phase = self.after(self.timeouts.linger).min(self.linger_end);
    }

    /// The exchange waits for its turn.
    pub(crate) fn queued(&mut self, wait: Duration) {
        self.phase = self.after(wait);
    }

    /// The response has to begin within `limit`, where there is one.
    pub(crate) fn answer_due(&mut self, limit: Option<Duration>) {
        self.answer = limit.map_or(NEVER, |limit| self.after(limit));
    }

    /// Somebody waits for the body, and the client has the next move.
    pub(crate) fn body_awaited(&mut self, awaited: bool) {
        if !awaited {
            self.pace.rest(self.now);
            self.body = NEVER;
        } else if self.body == NEVER {
            self.pace.wait(self.now);
            let slow = self.pace.allowance(&self.timeouts);
            self.body = self.after(self.timeouts.body_stall.min(slow));
        }
    }

    /// Some of the body has come, whether somebody waited for it or not.
    pub(crate) fn body_received(&mut self, count: usize) {
        self.body_awaited(false);
        self.pace.received(count);
    }

    /// Whether anything waits to be sent, and whether the client took some just now.
    pub(crate) fn sending(&mut self, waiting: bool, progress: bool) {
        if !waiting {
            self.write = NEVER;
        } else if progress || self.write == NEVER {
            self.write = self.after(self.timeouts.write_stall);
        }
    }

    /// The client has sent its FIN while an exchange was in flight.
    pub(crate) fn half_closed(&mut self) {
        self.grace = self.after(self.timeouts.disconnect_grace);
    }

    /// The exchange is over: a FIN is no longer about it.
    pub(crate) fn exchange_over(&mut self) {
        self.answer = NEVER;
        self.body = NEVER;
        self.pace = Pace::default();
        self.grace = NEVER;
    }

    /// What has run out at the beginning of this turn, the worst first.
    pub(crate) fn expired(&self) -> Option<Expired> {
        let all = [
            (self.write, Expired::Write),
            (self.grace, Expired::Grace),
            (self.answer, Expired::Answer),
            (self.body, Expired::Body),
            (self.phase, Expired::Phase),
        ];
        all.into_iter()
            .find_map(|(due, what)| (due <= self.now).then_some(what))
    }

    /// Goes to sleep until the first of them.
    pub(crate) fn arm(&mut self, waker: &Waker) {
        let all = [
            self.phase,
            self.answer,
            self.body,
            self.write,
            self.grace,
            self.fresh,
        ];
        let first = all.into_iter().min().unwrap_or(NEVER);
        self.entry
            .get_or_insert_with(|| Deadline::new(&self.wheel, waker.clone()))
            .set(first);
    }
}
