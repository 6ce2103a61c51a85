//! The face of our own `App` on the executor: requests, results and exceptions as `data_bridge` has them. Knows no ASGI.
//!
//! [`answer`] makes the response of what user code gave, [`background`] does what is left after it, and [`stream`] and
//! [`source`] are what Python sees of the response and the request where it wants to.

mod answer;
mod background;
mod imports;
mod source;
mod stream;

use std::rc::Rc;
use std::sync::Arc;

use api::exchange::Exchange;
use api::http1::head::Head;
use api::plan::is_json;
use api::service::LocalBoxFuture;
use pyloop::gil::Kept;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

pub use self::answer::{fields, raw_headers};
use self::imports::Imports;
use self::source::Source;
use crate::executor::{Arrived, Face, Owed, Parts, PlanService, Shared, send_answer};
use crate::leaving::OnDisconnect;
use crate::plan::{Found, Maker, Operations, Routed, path_params};
use crate::running::Running;

/// What calls of an `App` need beside what all calls need. Touched attached only.
pub struct Own {
    app: Kept<PyAny>,
    event_loop: Kept<PyAny>,
    routed: Arc<Routed>,
    python: Imports,
}

/// A service for `app` (a `data_bridge.App`) on `event_loop`, the loop of this thread. Suspended handlers are held in
/// `running`.
pub fn service(
    app: &Bound<'_, PyAny>,
    event_loop: &Bound<'_, PyAny>,
    on_disconnect: OnDisconnect,
    running: Rc<Running>,
) -> PyResult<PlanService<Own>> {
    let operations = app.getattr("operations")?.cast_into::<Operations>()?;
    let own = Own {
        app: Kept::new(app.clone().unbind()),
        event_loop: Kept::new(event_loop.clone().unbind()),
        routed: operations.get().routed(),
        python: Imports::new(app.py())?,
    };
    let parts = Parts {
        routed: Arc::clone(&own.routed),
        submit: app.getattr("executor")?.getattr("submit")?,
        max_body_size: app.getattr("max_body_size")?.extract()?,
        on_disconnect,
        running,
        event_loop,
    };
    PlanService::new(own, parts)
}

impl Face for Own {
    fn plans(&self, _head: &Head) -> bool {
        true
    }

    fn reads_body(&self, exchange: &Exchange, _limit: u64) -> bool {
        is_json(exchange.head().get(b"content-type"))
    }

    fn pass(
        shared: &Rc<Shared<Self>>,
        exchange: Exchange,
        found: Option<Found>,
    ) -> Option<LocalBoxFuture<()>> {
        match found {
            Some(found) => Rc::clone(shared).push(exchange, found, None),
            None => send_answer(&exchange, &api::route::Answer::not_found()),
        }
        None
    }

    /// T3: the reference path reads and validates by itself.
    fn refer(py: Python<'_>, arrived: Arrived<Self>) {
        let coroutine = request(py, &arrived).and_then(|request| {
            let plan = arrived.found.operation.plan.bind(py);
            let respond = arrived.shared.face.python.respond.bind(py);
            respond.call1((plan, request))
        });
        match arrived.owed(py) {
            Ok((owed, _)) => owed.run(py, coroutine),
            Err(error) => error.write_unraisable(py, None),
        }
    }

    fn make<'py>(
        py: Python<'py>,
        maker: Maker,
        arrived: &Arrived<Self>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match maker {
            Maker::Request => request(py, arrived),
            Maker::Background => {
                let class = arrived.shared.face.python.background_tasks.bind(py);
                class.call0()
            }
        }
    }

    fn answer(py: Python<'_>, owed: Owed<Self>, result: PyResult<Bound<'_, PyAny>>) {
        answer::complete(py, owed, result);
    }

    fn renewed(&self, _py: Python<'_>) -> PyResult<Arc<Routed>> {
        Ok(Arc::clone(&self.routed))
    }
}

/// The `data_bridge.Request` of a request.
fn request<'py>(py: Python<'py>, arrived: &Arrived<Own>) -> PyResult<Bound<'py, PyAny>> {
    let own = &arrived.shared.face;
    let source = Source::new(arrived.exchange.incoming(), own.event_loop.clone_ref(py));
    let path = arrived.exchange.head().path_text();
    let found = &arrived.found;
    let params = path_params(py, &found.operation.in_path, &found.captures, &path)?;
    let body = arrived.body.as_ref().map(|body| PyBytes::new(py, body));
    let class = own.python.request.bind(py);
    class.call1((Bound::new(py, source)?, params, own.app.bind(py), body))
}
