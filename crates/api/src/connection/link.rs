//! What a connection's task shares with the exchanges it carries. Knows neither the socket nor the phases.

use super::input::Input;
use super::output::Output;
use super::waker::WakerSlot;
use crate::exchange::ConnectionInfo;
use crate::http2::Outbox;
use crate::metrics::Standing;
use crate::server::{Engine, Hangup};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;

/// Reading pauses while this much is buffered and nobody takes it.
pub(crate) const INPUT_HIGH: usize = 64 * 1024;

/// A response is not writable from here on …
pub(crate) const OUTPUT_HIGH: usize = 64 * 1024;

/// … until no more than this waits to be sent.
pub(crate) const OUTPUT_LOW: usize = 16 * 1024;

/// One connection, as its exchanges see it. Exchanges may outlive the task: then `lost` is set.
pub(crate) struct Link {
    pub(crate) engine: Rc<Engine>,
    pub(crate) info: Rc<ConnectionInfo>,
    pub(crate) input: RefCell<Input>,
    pub(crate) output: RefCell<Output>,
    /// Of a stream of HTTP/2: the heads beside `output`, which is bodies alone there.
    pub(crate) outbox: Option<Outbox>,
    /// Nothing more is read from the client or reaches it.
    pub(crate) lost: Cell<bool>,
    /// The task stopped reading because `input` is full; whoever takes from it schedules the task.
    pub(crate) reading_paused: Cell<bool>,
    /// What is known of the client while nothing is read from it.
    pub(super) hangup: Cell<Option<Hangup>>,
    /// Something that the running task polls has reason to go on.
    pub(crate) again: Cell<bool>,
    /// The task is running and will look at everything before it sleeps.
    running: Cell<bool>,
    /// The task has been woken since it ran last.
    scheduled: Cell<bool>,
    waker: WakerSlot,
    /// What it counts as.
    standing: Cell<Standing>,
}

impl Link {
    pub(crate) fn new(engine: Rc<Engine>, info: Rc<ConnectionInfo>) -> Self {
        Self {
            engine,
            info,
            outbox: None,
            input: RefCell::default(),
            output: RefCell::default(),
            lost: Cell::new(false),
            reading_paused: Cell::new(false),
            hangup: Cell::new(None),
            again: Cell::new(false),
            running: Cell::new(false),
            scheduled: Cell::new(false),
            waker: WakerSlot::default(),
            standing: Cell::new(Standing::Gone),
        }
    }

    /// One stream of HTTP/2 on the connection that `info` is about.
    pub(crate) fn of_stream(engine: Rc<Engine>, info: Rc<ConnectionInfo>) -> Self {
        Self {
            outbox: Some(Outbox::default()),
            ..Self::new(engine, info)
        }
    }

    /// From now on it counts as `now`.
    pub(crate) fn stand(&self, now: Standing) {
        let before = self.standing.replace(now);
        if before != now {
            self.engine.count(|meter| meter.stand(before, now));
        }
    }

    /// The task begins to run.
    pub(crate) fn enter(&self, waker: &Waker) {
        self.running.set(true);
        self.scheduled.set(false);
        self.waker.register(waker);
    }

    /// The task goes to sleep. Whatever was scheduled while it ran, it has seen.
    pub(crate) fn leave(&self) {
        self.running.set(false);
    }

    /// Lets the task run, unless it is running or will anyway.
    pub(crate) fn schedule(&self) {
        if self.running.get() || self.scheduled.replace(true) {
            return;
        }
        self.waker.wake();
    }

    /// The client has left, or has said its last.
    pub(crate) fn hung_up(&self, hangup: Hangup) {
        self.hangup.set(Some(hangup));
        self.schedule();
    }

    /// Wakes whoever waits for this connection at `slot`. A handler that the running task polls itself needs no waker:
    /// the task takes one more turn.
    pub(crate) fn rouse(&self, slot: &WakerSlot) {
        let Some(waker) = slot.take() else {
            return;
        };
        if self.running.get() && self.waker.holds(&waker) {
            self.again.set(true);
        } else {
            crate::wake::wake(&waker);
        }
    }
}
