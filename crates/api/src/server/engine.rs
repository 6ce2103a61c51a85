//! What all connections of one server share, and the list of them. Knows no bytes.

use super::Config;
use super::hangups::Hangups;
use crate::access_log::AccessLog;
use crate::compress::Compression;
use crate::connection::{self, Link};
use crate::exchange::ConnectionInfo;
use crate::faults;
use crate::forwarded::{Dialect, Trusted};
use crate::http1::encode::Stamp;
use crate::http2;
use crate::limits::Limits;
use crate::listener::{Admission, Intake};
use crate::metrics::{Meter, Standing};
use crate::opening;
use crate::overload::{Overload, Places};
use crate::request_id::RequestIds;
use crate::service::Service;
use crate::socket::Socket;
use crate::timeouts::{Millis, NEVER, Timeouts, Wheel};
use crate::tls::handshakes::Handshakes;
use crate::websocket;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant, SystemTime};

/// How far the shutdown of a server has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Serving,
    /// Nothing is accepted, responses say `Connection: close`; idle connections stay, as another process serves on and
    /// their clients need not see one closed under a request.
    Leaving,
    Draining,
    Aborting,
}

/// One server, as its connections see it.
pub(crate) struct Engine {
    pub(crate) service: Rc<dyn Service>,
    pub(crate) limits: Limits,
    pub(crate) timeouts: Timeouts,
    pub(crate) overload: Overload,
    pub(crate) places: Option<Rc<Places>>,
    pub(crate) trusted: Trusted,
    pub(crate) dialect: Dialect,
    pub(crate) proxy_protocol: bool,
    pub(crate) websocket: websocket::Options,
    pub(crate) http2: http2::Options,
    pub(crate) speaks_http2: bool,
    /// Where clients speak TLS.
    pub(crate) handshakes: Option<Handshakes>,
    pub(crate) wheel: Rc<Wheel>,
    pub(crate) hangups: Rc<Hangups>,
    pub(super) in_flight: Cell<usize>,
    pub(super) requests_total: Cell<u64>,
    stamp: Stamp,
    /// The second (of the wheel's clock) that the stamp's date was set in.
    dated: Cell<Millis>,
    pub(crate) compression: Option<Compression>,
    pub(crate) request_ids: Option<RequestIds>,
    /// When the turn that runs began, while nothing has run in it that may take long.
    moment: Cell<Option<Instant>>,
    pub(crate) access_log: Option<AccessLog>,
    pub(crate) meter: Option<Rc<Meter>>,
    max_connections: usize,
    stage: Cell<Stage>,
    links: RefCell<HashMap<u64, Rc<Link>>>,
    next_id: Cell<u64>,
    /// The accept tasks: woken when a connection ends while the server is full, and when the stage changes.
    acceptors: RefCell<Vec<Waker>>,
    /// How many accept tasks there are.
    listening: Cell<usize>,
    /// Whoever waits for the last connection to end.
    waiting: RefCell<Vec<Waker>>,
}

impl Engine {
    pub(super) fn new(
        config: Config,
        stamp: Stamp,
        handshakes: Option<Handshakes>,
        service: Rc<dyn Service>,
    ) -> io::Result<Self> {
        Ok(Self {
            service,
            limits: config.limits,
            timeouts: config.timeouts,
            places: Places::new(&config.overload),
            overload: config.overload,
            trusted: config.trusted,
            dialect: config.dialect,
            proxy_protocol: config.proxy_protocol,
            websocket: config.websocket,
            speaks_http2: config.http2.is_some(),
            http2: config.http2.unwrap_or_default(),
            handshakes,
            wheel: Wheel::start(),
            hangups: Hangups::start()?,
            stamp,
            dated: Cell::new(NEVER),
            moment: Cell::new(None),
            in_flight: Cell::new(0),
            requests_total: Cell::new(0),
            compression: config.compression,
            request_ids: config.request_ids,
            access_log: config.access_log,
            meter: config.meter,
            max_connections: config.max_connections,
            stage: Cell::new(Stage::Serving),
            links: RefCell::default(),
            next_id: Cell::new(0),
            acceptors: RefCell::default(),
            waiting: RefCell::default(),
            listening: Cell::new(0),
        })
    }

    pub(crate) fn stage(&self) -> Stage {
        self.stage.get()
    }

    /// Whether anybody wants to know how long requests take.
    pub(crate) fn is_timed(&self) -> bool {
        self.meter.is_some() || self.access_log.as_ref().is_some_and(AccessLog::is_timed)
    }

    /// What the server adds to its responses.
    pub(crate) fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// Tells the time once per turn of a connection; the system's clock is asked once a second.
    pub(crate) fn now(&self) -> Millis {
        self.date(self.wheel.now())
    }

    /// The same, and what durations are reckoned by until something runs that may take long.
    pub(crate) fn begin_turn(&self) -> Millis {
        let moment = Instant::now();
        self.moment.set(Some(moment));
        self.date(self.wheel.at(moment.into()))
    }

    /// The turn's time is old from here on: its end, or somebody's code.
    pub(crate) fn spend(&self) {
        self.moment.set(None);
    }

    /// Now: the time that the turn has read, unless that is old.
    pub(crate) fn moment(&self) -> Instant {
        self.moment.get().unwrap_or_else(Instant::now)
    }

    fn date(&self, now: Millis) -> Millis {
        let second = now / 1000;
        if self.dated.replace(second) != second {
            self.stamp.refresh(SystemTime::now());
        }
        now
    }

    /// The time after `duration`.
    pub(crate) fn after(&self, duration: Duration) -> Millis {
        let duration = Millis::try_from(duration.as_millis()).unwrap_or(NEVER);
        self.now().saturating_add(duration)
    }

    /// Whether connections are to end with the response they are at.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stage.get() != Stage::Serving
    }

    pub(crate) fn begin_request(&self) {
        self.in_flight.set(self.in_flight.get() + 1);
        self.requests_total.set(self.requests_total.get() + 1);
        self.count(|meter| meter.in_flight(self.in_flight.get()));
    }

    pub(crate) fn end_request(&self) {
        self.in_flight.set(self.in_flight.get() - 1);
        self.count(|meter| meter.in_flight(self.in_flight.get()));
    }

    /// Where somebody counts.
    pub(crate) fn count(&self, counting: impl FnOnce(&Meter)) {
        if let Some(meter) = &self.meter {
            counting(meter);
        }
    }

    pub(super) fn connections(&self) -> usize {
        self.links.borrow().len()
    }

    /// Goes on to `stage` (never back), and lets every task see it.
    pub(super) fn enter(&self, stage: Stage) {
        if stage <= self.stage.get() {
            return;
        }
        self.stage.set(stage);
        wake_all(&self.acceptors);
        for link in self.links.borrow().values() {
            link.schedule();
        }
    }

    /// Ready when no connection is left, and none can come.
    pub(super) async fn empty(&self) {
        poll_fn(|cx| {
            if self.connections() == 0 && self.listening.get() == 0 {
                return Poll::Ready(());
            }
            self.waiting.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn add(&self, link: Rc<Link>) -> u64 {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        self.count(Meter::accepted);
        let standing = match self.handshakes {
            Some(_) => Standing::Handshake,
            None => Standing::Idle,
        };
        link.stand(standing);
        self.links.borrow_mut().insert(id, link);
        id
    }

    fn remove(&self, id: u64) {
        let was_full = self.connections() >= self.max_connections;
        if let Some(link) = self.links.borrow_mut().remove(&id) {
            link.stand(Standing::Gone);
        }
        if was_full {
            wake_all(&self.acceptors);
        }
        if self.connections() == 0 {
            wake_all(&self.waiting);
        }
    }
}

fn wake_all(wakers: &RefCell<Vec<Waker>>) {
    wakers.take().iter().for_each(crate::wake::wake);
}

/// One connection's place in the list of its engine.
struct Place {
    engine: Rc<Engine>,
    id: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.engine.remove(self.id);
    }
}

/// Hands what one listener accepts to new connection tasks.
pub(super) struct Acceptor {
    engine: Rc<Engine>,
}

impl Acceptor {
    pub(super) fn new(engine: Rc<Engine>) -> Self {
        engine.listening.set(engine.listening.get() + 1);
        Self { engine }
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.engine.listening.set(self.engine.listening.get() - 1);
        wake_all(&self.engine.waiting);
    }
}

impl Intake for Acceptor {
    fn admit(&self, waker: &Waker) -> Admission {
        let full = self.engine.connections() >= self.engine.max_connections;
        match self.engine.stage() {
            Stage::Serving => {}
            Stage::Draining if !full => return Admission::Last,
            // Whoever the sockets are left to takes what waits there.
            Stage::Leaving | Stage::Draining | Stage::Aborting => return Admission::Closed,
        }
        let mut acceptors = self.engine.acceptors.borrow_mut();
        if !acceptors.iter().any(|known| known.will_wake(waker)) {
            acceptors.push(waker.clone());
        }
        if full {
            Admission::Full
        } else {
            Admission::Open
        }
    }

    fn take(&self, socket: Socket, info: ConnectionInfo) {
        faults::here("accept");
        let link = Rc::new(Link::new(Rc::clone(&self.engine), Rc::new(info)));
        let place = Place {
            id: self.engine.add(Rc::clone(&link)),
            engine: Rc::clone(&self.engine),
        };
        tokio::task::spawn_local(async move {
            if let Some(stream) = opening::open(socket, &link).await {
                connection::run(stream, link).await;
            }
            drop(place);
        });
    }
}
