//! A foreign framework's app as the server's service, by its compiled routes; what these do not cover is the app's own.
//!
//! 404 and 405 are answered without the interpreter where they are the framework's own. A route that compiled becomes one
//! job: [`arrived`] builds the values and calls, [`answer`] writes what came of it. Whatever is out of the ordinary, a
//! refusal before user code or an exception after it, goes on through the app itself, as an ASGI call.

mod answer;
mod arrived;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use api::exchange::Exchange;
use api::http1::head::Head;
use api::plan::{self, Fields, Values, is_json};
use api::route::Captures;
use api::service::{LocalBoxFuture, Service};
use bytes::Bytes;
use pyloop::gil::Kept;
use pyloop::host::{self, Job, Remote};
use pyo3::intern;
use pyo3::prelude::*;

use self::arrived::Arrived;
use crate::asgi::AsgiService;
use crate::call::{Collected, Collecting, send_answer};
use crate::leaving::OnDisconnect;
use crate::plan::{Operation, Operations, Planned, Routed};
use crate::running::Running;
use crate::task::Tasks;

/// The service that answers for an app by its compiled routes.
pub struct AdaptedService(Rc<Shared>);

/// What every call of one app needs. The Python parts are touched attached, on the loop's thread.
struct Shared {
    routed: RefCell<Arc<Routed>>,
    /// The app itself.
    app: AsgiService,
    /// `data_bridge.adapters.serve.Served`.
    served: Kept<PyAny>,
    /// The loop, for the threads of `def` handlers.
    remote: Remote,
    /// `submit` of the executor that has these threads.
    submit: Kept<PyAny>,
    max_body_size: u64,
    on_disconnect: OnDisconnect,
    tasks: Tasks,
    running: Rc<Running>,
    python: Imports,
}

/// The Python objects that calls need, looked up once.
struct Imports {
    /// The framework's response class, and its `__call__`.
    response: Kept<PyAny>,
    response_call: Kept<PyAny>,
    /// Carries out an operation's steps.
    run: Kept<PyAny>,
    /// What is left to do for a result, and for an exception, as `data_bridge.adapters.respond` takes it.
    of_result: Kept<PyAny>,
    of_error: Kept<PyAny>,
    /// The scope's key for that.
    work: Kept<PyAny>,
}

impl Imports {
    fn new(served: &Bound<'_, PyAny>) -> PyResult<Self> {
        let get = |name: &str| Ok::<_, PyErr>(Kept::new(served.getattr(name)?.unbind()));
        Ok(Self {
            response: get("response_class")?,
            response_call: get("response_call")?,
            run: get("run")?,
            of_result: get("of_result")?,
            of_error: get("of_error")?,
            work: get("work_key")?,
        })
    }
}

impl AdaptedService {
    /// A service for `served` on `event_loop`, the loop of this thread; `app` answers what the plan does not.
    pub fn new(
        served: &Bound<'_, PyAny>,
        app: AsgiService,
        event_loop: &Bound<'_, PyAny>,
        on_disconnect: OnDisconnect,
        running: Rc<Running>,
    ) -> PyResult<Self> {
        Ok(Self(Rc::new(Shared {
            routed: RefCell::new(compiled(served)?),
            app,
            served: Kept::new(served.clone().unbind()),
            remote: host::remote(served.py(), event_loop.cast()?),
            submit: Kept::new(served.getattr("submit")?.unbind()),
            max_body_size: served.getattr("max_body_size")?.extract()?,
            on_disconnect,
            tasks: Tasks::new(event_loop)?,
            running,
            python: Imports::new(served)?,
        })))
    }
}

fn compiled(served: &Bound<'_, PyAny>) -> PyResult<Arc<Routed>> {
    let operations = served.call_method0(intern!(served.py(), "compiled"))?;
    Ok(operations.cast_into::<Operations>()?.get().routed())
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

impl Service for AdaptedService {
    fn call(&self, exchange: Exchange) -> Option<LocalBoxFuture<()>> {
        let shared = &self.0;
        let head = exchange.head();
        if shared.routed.borrow().is_outdated() {
            host::push_job(Rc::new(Renewing(Rc::clone(shared))));
            return shared.app.call(exchange);
        }
        if head.get(b"upgrade").is_some() {
            return shared.app.call(exchange);
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
            Planned::Found(operation, captures, values) if operation.is_native => {
                let found = Found {
                    operation,
                    captures,
                    values,
                };
                Rc::clone(shared).accept(exchange, found)
            }
            Planned::Answer(answer) => {
                send_answer(&exchange, &answer);
                None
            }
            Planned::Found(..) | Planned::Reference => shared.app.call(exchange),
        }
    }
}

/// An operation that was found for a request.
pub struct Found {
    /// The operation.
    pub operation: Arc<Operation>,
    /// What the path's parameters took.
    pub captures: Captures,
    /// The parameters' values.
    pub values: Values,
}

impl Shared {
    /// Reads the body where the operation wants it, then hands the request to Python.
    fn accept(self: Rc<Self>, exchange: Exchange, found: Found) -> Option<LocalBoxFuture<()>> {
        if found.operation.accept.is_none() {
            self.push(exchange, found, None);
            return None;
        }
        let length = exchange.incoming().remaining();
        let fits = length.is_some_and(|length| length > 0 && length <= self.max_body_size);
        if !fits || !is_json(exchange.head().get(b"content-type")) {
            return self.app.call(exchange);
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

    fn push(self: Rc<Self>, exchange: Exchange, found: Found, body: Option<Bytes>) {
        host::push_job(Rc::new(Arrived::new(self, exchange, found, body)));
    }
}

/// Compiles the routes anew, now that they have changed.
struct Renewing(Rc<Shared>);

impl Job for Renewing {
    fn run(self: Rc<Self>, py: Python<'_>) {
        if !self.0.routed.borrow().is_outdated() {
            return;
        }
        match compiled(self.0.served.bind(py)) {
            Ok(routed) => drop(self.0.routed.replace(routed)),
            Err(error) => error.write_unraisable(py, Some(self.0.served.bind(py))),
        }
    }
}
