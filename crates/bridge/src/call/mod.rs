//! An `App` as the server's service: matched and extracted detached, called and answered attached. Knows no ASGI.
//!
//! Constants, 404, 405 and redirects are answered here without the interpreter. Everything else becomes one job:
//! [`arrived`] builds the arguments and calls the endpoint, [`answer`] turns what it gave into a response, [`background`]
//! does what is left after it, and [`stream`] and [`source`] are what Python sees of the response and the request where
//! it wants to.

mod answer;
mod arrived;
mod background;
mod body;
mod imports;
pub mod pool;
mod source;
mod stream;

use std::rc::Rc;
use std::sync::Arc;

use api::exchange::Exchange;
use api::plan::{Constant, is_json};
use api::route::Answer;
use api::service::{LocalBoxFuture, Service};
use pyloop::gil::Kept;
use pyloop::host::{self, Remote};
use pyo3::prelude::*;
use tracing::debug;

pub use self::answer::{chunk, fields, raw_headers};
use self::arrived::Arrived;
pub use self::body::{Collected, Collecting};
use self::imports::Imports;
use crate::leaving::OnDisconnect;
use crate::plan::{Compiled, Decided, Endpoint, Matched, Table};
use crate::running::Running;
use crate::task::Tasks;

/// The service that answers for a `data_bridge.App`.
pub struct AppService(Rc<Shared>);

/// What every call of one app needs. The Python parts are touched attached, on the loop's thread.
struct Shared {
    table: Arc<Compiled>,
    app: Kept<PyAny>,
    event_loop: Kept<PyAny>,
    /// The same loop, for the threads of `def` handlers.
    remote: Remote,
    /// `submit` of the executor that has these threads.
    submit: Kept<PyAny>,
    /// Bytes of a body that is read as a whole.
    max_body_size: usize,
    /// Where a route says nothing of it.
    on_disconnect: OnDisconnect,
    tasks: Tasks,
    running: Rc<Running>,
    python: Imports,
}

impl AppService {
    /// A service for `app` (a `data_bridge.App`) on `event_loop`, the loop of this thread. Suspended handlers are held in
    /// `running`.
    pub fn new(
        app: &Bound<'_, PyAny>,
        event_loop: &Bound<'_, PyAny>,
        on_disconnect: OnDisconnect,
        running: Rc<Running>,
    ) -> PyResult<Self> {
        let table = app.getattr("table")?.cast_into::<Table>()?;
        Ok(Self(Rc::new(Shared {
            table: table.get().compiled(),
            app: Kept::new(app.clone().unbind()),
            event_loop: Kept::new(event_loop.clone().unbind()),
            remote: host::remote(app.py(), event_loop.cast()?),
            submit: Kept::new(app.getattr("executor")?.getattr("submit")?.unbind()),
            max_body_size: app.getattr("max_body_size")?.extract()?,
            on_disconnect,
            tasks: Tasks::new(event_loop)?,
            running,
            python: Imports::new(app.py())?,
        })))
    }
}

impl Service for AppService {
    fn call(&self, exchange: Exchange) -> Option<LocalBoxFuture<()>> {
        let head = exchange.head();
        match self.0.table.decide(
            head.method(),
            &head.path_text(),
            head.raw_path(),
            head.query(),
        ) {
            Decided::Constant(constant) => send_constant(&exchange, &constant),
            Decided::Answer(answer) => send_answer(&exchange, &answer),
            Decided::Call(matched) => {
                if let Some(limit) = matched.endpoint.time_limit {
                    exchange.set_time_limit(Some(limit));
                }
                return self.0.clone().accept(exchange, matched);
            }
        }
        None
    }
}

impl Shared {
    /// What a client's leaving does to a call of `endpoint`.
    fn policy_of(&self, endpoint: &Endpoint) -> OnDisconnect {
        endpoint.on_disconnect.unwrap_or(self.on_disconnect)
    }

    /// Reads the body where the plan wants it, then hands the request to Python.
    fn accept(self: Rc<Self>, exchange: Exchange, matched: Matched) -> Option<LocalBoxFuture<()>> {
        let wants_body = matched.values.is_some() && matched.endpoint.document.is_some();
        if !wants_body || !is_json(exchange.head().get(b"content-type")) {
            host::push_job(Rc::new(Arrived::new(self, exchange, matched, None)));
            return None;
        }
        match Collecting::new(self.max_body_size).take_ready(&exchange) {
            Ok(Collected::All(body)) => self.accept_body(exchange, matched, body),
            Ok(Collected::Part(collecting)) => {
                return Some(Box::pin(async move {
                    match collecting.rest(&exchange).await {
                        Ok(body) => self.accept_body(exchange, matched, body),
                        Err(refusal) => refusal.answer(&exchange),
                    }
                }));
            }
            Err(refusal) => refusal.answer(&exchange),
        }
        None
    }

    fn accept_body(self: Rc<Self>, exchange: Exchange, matched: Matched, body: bytes::Bytes) {
        host::push_job(Rc::new(Arrived::new(self, exchange, matched, Some(body))));
    }
}

fn send_constant(exchange: &Exchange, constant: &Constant) {
    let headers = constant.headers.iter().map(|(name, value)| (name, value));
    if let Err(error) = exchange.respond(constant.status, headers, constant.body.clone()) {
        debug!(%error, "a constant response was not sent");
    }
}

/// Sends the answer where no route answers.
pub fn send_answer(exchange: &Exchange, answer: &Answer) {
    if let Err(error) = exchange.respond(answer.status, answer.headers(), answer.body) {
        debug!(%error, "an answer without a route was not sent");
    }
}
