//! The executor of plans: from a request on our server to user code and back, whatever framework's face the app has.
//!
//! 404, 405 and constants are answered without the interpreter. A route that compiled becomes one job: [`arrived`] builds
//! the values and calls, [`owed`] waits for what comes of it. What an app does
//! in its own way is in [`Face`], which [`crate::adapted`] has.

pub mod around;
mod arrived;
pub mod body;
mod owed;
pub mod pool;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use api::exchange::{Chunk, Exchange};
use api::http1::head::Head;
use api::layer::Layers;
use api::metrics::UNMATCHED;
use api::native::foreign::{self, Terms};
use api::plan::{self, Constant, Fields};
use api::route::{Answer, Captures};
use api::service::{LocalBoxFuture, Service};
use bytes::Bytes;
use pyloop::gil::Kept;
use pyloop::host::{self, Job, Remote};
use pyo3::prelude::*;

use self::around::Passage;
pub use self::arrived::Arrived;
use self::body::{Collected, Collecting};
pub use self::owed::Owed;
use crate::leaving::OnDisconnect;
use crate::native::NativeOperation;
use crate::plan::{Found, Operation, Planned, Routed};
use crate::running::Running;
use crate::task::Tasks;

/// A framework's way with requests, in what the plan leaves open. "Detached" ones may not touch Python.
pub trait Face: Sized + 'static {
    /// Whether the plan is to look at a request with this head. Detached.
    fn plans(&self, head: &Head) -> bool;

    /// What stands around the routes and needs no interpreter. Detached.
    fn layers(&self) -> &Rc<Layers>;

    /// How the app bounds bodies whose head does not say their length. Detached.
    fn stream_bound(&self) -> Option<StreamBound>;

    /// Whether the body of this request is one that `operation` reads, up to `limit` bytes. Detached.
    fn reads_body(&self, exchange: &Exchange, operation: &Operation, limit: u64) -> bool;

    /// Answers a request of which nothing was taken; `found` is its route, where there is one. Detached.
    fn pass(
        shared: &Rc<Shared<Self>>,
        exchange: Exchange,
        found: Option<Found>,
    ) -> Option<LocalBoxFuture<()>>;

    /// Answers a request on which the plan does not decide; no user code has run.
    fn refer(py: Python<'_>, arrived: Arrived<Self>);

    /// Answers with what user code returned or raised.
    fn answer(py: Python<'_>, owed: Owed<Self>, result: PyResult<Bound<'_, PyAny>>);

    /// The routes, after they have changed.
    fn renewed(&self, py: Python<'_>) -> PyResult<Arc<Routed>>;
}

/// A bound of bodies.
#[derive(Debug, Clone, Copy)]
pub struct StreamBound {
    /// The most bytes.
    pub most: u64,
    /// Whether the app has no answer of its own to more of them.
    pub is_plain: bool,
}

/// The service that answers for an app by its compiled routes.
pub struct PlanService<F: Face>(Rc<Shared<F>>);

/// What every call of one app needs. The Python parts are touched attached, on the loop's thread.
pub struct Shared<F> {
    routed: RefCell<Arc<Routed>>,
    /// The loop, for the threads of `def` functions.
    remote: Remote,
    /// `submit` of the executor that has these threads.
    submit: Kept<PyAny>,
    /// `data_bridge.plan.steps.run`: carries out an operation's steps.
    run: Kept<PyAny>,
    /// Bytes of a body that is read as a whole.
    max_body_size: u64,
    /// Where a route says nothing of it.
    on_disconnect: OnDisconnect,
    pub tasks: Tasks,
    /// Suspended calls.
    pub running: Rc<Running>,
    pub face: F,
}

/// What a service is made of beside its face.
pub struct Parts<'a, 'py> {
    pub routed: Arc<Routed>,
    /// `submit` of the executor for `def` functions.
    pub submit: Bound<'py, PyAny>,
    pub max_body_size: u64,
    pub on_disconnect: OnDisconnect,
    pub running: Rc<Running>,
    /// The loop of this thread.
    pub event_loop: &'a Bound<'py, PyAny>,
}

impl<F: Face> PlanService<F> {
    /// A service of these parts.
    pub fn new(face: F, parts: Parts<'_, '_>) -> PyResult<Self> {
        let py = parts.event_loop.py();
        let run = py.import("data_bridge.plan.steps")?.getattr("run")?;
        Ok(Self(Rc::new(Shared {
            routed: RefCell::new(parts.routed),
            remote: host::remote(py, parts.event_loop.cast()?),
            submit: Kept::from(parts.submit),
            run: Kept::from(run),
            max_body_size: parts.max_body_size,
            on_disconnect: parts.on_disconnect,
            tasks: Tasks::new(parts.event_loop)?,
            running: parts.running,
            face,
        })))
    }
}

impl<F: Face> Service for PlanService<F> {
    fn call(&self, exchange: Exchange) -> Option<LocalBoxFuture<()>> {
        let shared = &self.0;
        let head = exchange.head();
        if shared.routed.borrow().is_outdated() {
            host::push_job(Rc::new(Renewing(Rc::clone(shared))));
            return F::pass(shared, exchange, None);
        }
        if !shared.face.plans(head) {
            return F::pass(shared, exchange, None);
        }
        let layers = shared.face.layers();
        match around::enter(layers, &exchange) {
            Passage::Passed => {}
            Passage::Answered => return None,
            Passage::Left => return F::pass(shared, exchange, None),
        }
        let request = plan::Request {
            path: &head.path_text(),
            query: head.query(),
            fields: &HeadFields(head),
        };
        let planned = shared
            .routed
            .borrow()
            .decide(head.method(), head.raw_path(), request);
        match planned {
            Planned::Found(found) => {
                exchange.set_route(&found.operation.path);
                Rc::clone(shared).accept(exchange, found)
            }
            Planned::Native(native, captures)
                if layers.amends_all(&exchange) && shared.may_bound(&exchange) =>
            {
                exchange.set_route(&native.path);
                let body_limit = shared.bound_of(&exchange).map(|bound| bound.most);
                answer_natively(exchange, &native, captures, layers, body_limit)
            }
            Planned::Constant(constant) if send_constant(layers, &exchange, &constant) => None,
            Planned::Answer(answer) if send_answer(layers, &exchange, &answer) => None,
            Planned::Constant(_)
            | Planned::Answer(_)
            | Planned::Native(..)
            | Planned::Reference => F::pass(shared, exchange, None),
        }
    }
}

impl<F: Face> Shared<F> {
    /// Reads the body where the operation wants it, then hands the request to Python.
    fn accept(self: Rc<Self>, exchange: Exchange, found: Found) -> Option<LocalBoxFuture<()>> {
        let operation = &found.operation;
        if let Some(limit) = operation.time_limit {
            if !self.face.layers().is_empty() {
                // The server's answer to a call that takes too long would not go through the layers.
                return F::pass(&self, exchange, Some(found));
            }
            exchange.set_time_limit(Some(limit));
        }
        if !operation.is_native || found.values.is_none() {
            return F::pass(&self, exchange, Some(found));
        }
        if operation.accept.is_none() {
            self.push(exchange, found, None);
            return None;
        }
        if !self
            .face
            .reads_body(&exchange, operation, self.max_body_size)
        {
            return F::pass(&self, exchange, Some(found));
        }
        let limit = usize::try_from(self.max_body_size).unwrap_or(usize::MAX);
        match Collecting::new(limit).take_ready(&exchange) {
            Ok(Collected::All(body)) => self.push(exchange, found, Some(body)),
            Ok(Collected::Part(collecting)) => {
                return Some(Box::pin(async move {
                    match collecting.rest(&exchange).await {
                        Ok(body) => self.push(exchange, found, Some(body)),
                        Err(refusal) => refusal.answer(&exchange),
                    }
                }));
            }
            Err(refusal) => refusal.answer(&exchange),
        }
        None
    }

    /// The bound of a body that may become longer than the app allows.
    fn bound_of(&self, exchange: &Exchange) -> Option<StreamBound> {
        let bound = self.face.stream_bound()?;
        exchange.incoming().remaining().is_none().then_some(bound)
    }

    /// Whether we can answer as the app does to a body that becomes too long.
    fn may_bound(&self, exchange: &Exchange) -> bool {
        self.bound_of(exchange).is_none_or(|bound| bound.is_plain)
    }

    /// Hands a request to Python, with its body where the operation wants one and the plan reads it.
    pub fn push(self: Rc<Self>, exchange: Exchange, found: Found, body: Option<Bytes>) {
        host::push_job(Rc::new(Arrived::new(self, exchange, found, body)));
    }

    /// What a client's leaving does to a call of `operation`.
    pub fn policy_of(&self, operation: &Operation) -> OnDisconnect {
        operation.on_disconnect.unwrap_or(self.on_disconnect)
    }
}

/// The fields of a request that we received.
struct HeadFields<'a>(&'a Head);

impl Fields for HeadFields<'_> {
    fn each(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        for (name, value) in self.0.headers() {
            visit(name, value);
        }
    }
}

/// Takes the routes anew, now that they have changed.
struct Renewing<F: Face>(Rc<Shared<F>>);

impl<F: Face> Job for Renewing<F> {
    fn run(self: Rc<Self>, py: Python<'_>) {
        if !self.0.routed.borrow().is_outdated() {
            return;
        }
        match self.0.face.renewed(py) {
            Ok(routed) => drop(self.0.routed.replace(routed)),
            Err(error) => error.write_unraisable(py, None),
        }
    }
}

/// Hands a request to a handler in Rust, without the interpreter.
fn answer_natively(
    exchange: Exchange,
    native: &NativeOperation,
    captures: Captures,
    layers: &Rc<Layers>,
    body_limit: Option<u64>,
) -> Option<LocalBoxFuture<()>> {
    let mut time_limit = native.time_limit;
    if layers.is_empty() && time_limit.is_some() {
        // Cheaper, but what the server answers then goes through no layer.
        exchange.set_time_limit(time_limit.take());
    }
    let matched = native.matched(exchange.head().raw_path(), captures);
    let terms = Terms {
        layers,
        time_limit,
        body_limit,
    };
    foreign::answer(&native.handler, exchange, matched, terms)
}

fn send_constant(layers: &Layers, exchange: &Exchange, constant: &Constant) -> bool {
    exchange.set_route(&constant.path);
    let fields = constant.headers.iter();
    let fields = fields.map(|(name, value)| (name.as_ref(), value.as_ref()));
    let body = Chunk::from(&constant.body);
    around::respond(layers, exchange, constant.status, fields, body)
}

/// Sends the answer where no route answers.
fn send_answer(layers: &Layers, exchange: &Exchange, answer: &Answer) -> bool {
    exchange.set_route(&UNMATCHED);
    let fields = answer.headers();
    let fields = fields.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    around::respond(layers, exchange, answer.status, fields, answer.body.into())
}
