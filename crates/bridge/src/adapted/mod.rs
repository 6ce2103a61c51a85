//! The face of a foreign framework's app on the executor. What its compiled routes do not cover is the app's own.
//!
//! [`answer`] writes what came of a call. Whatever is out of the ordinary, a refusal before user code or an exception after
//! it, goes on through the app itself, as an ASGI call.

mod answer;
mod layers;
mod parts;

use std::rc::Rc;
use std::sync::Arc;

use api::exchange::Exchange;
use api::http1::head::Head;
use api::layer::Layers;
use api::plan::{is_form, is_json};
use api::service::LocalBoxFuture;
use pyloop::gil::Kept;
use pyo3::intern;
use pyo3::prelude::*;

use crate::asgi::{AsgiService, Beginning};
use crate::executor::{Arrived, Face, Owed, Parts, PlanService, Shared, StreamBound};
use crate::leaving::OnDisconnect;
use crate::plan::{Found, Operation, Operations, Routed};
use crate::running::Running;

use api::service::Service;

/// What calls of a foreign app need beside what all calls need. The Python parts are touched attached only.
pub struct Adapted {
    /// The app itself.
    app: AsgiService,
    /// `data_bridge.adapters.serve.Served`.
    served: Kept<PyAny>,
    /// What stands around the routes and needs no interpreter.
    layers: Rc<Layers>,
    python: Imports,
    /// Bytes of a body beyond which the app refuses a request, whatever its route, where it has such a limit.
    refuses_beyond: Option<u64>,
    /// Whether it does so by its framework's own answer.
    refuses_plainly: bool,
}

/// The Python objects that calls need, looked up once.
struct Imports {
    /// The framework's response class, and its `__call__`.
    response: Kept<PyAny>,
    response_call: Kept<PyAny>,
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
            of_result: get("of_result")?,
            of_error: get("of_error")?,
            work: get("work_key")?,
        })
    }
}

/// A service for `served` on `event_loop`, the loop of this thread; `app` answers what the plan does not.
pub fn service(
    served: &Bound<'_, PyAny>,
    app: AsgiService,
    event_loop: &Bound<'_, PyAny>,
    on_disconnect: OnDisconnect,
    running: Rc<Running>,
) -> PyResult<PlanService<Adapted>> {
    let parts = Parts {
        routed: compiled(served)?,
        submit: served.getattr("submit")?,
        max_body_size: served.getattr("max_body_size")?.extract()?,
        on_disconnect,
        running,
        event_loop,
    };
    let adapted = Adapted {
        app,
        served: Kept::new(served.clone().unbind()),
        layers: Rc::new(layers::of(served)?),
        python: Imports::new(served)?,
        refuses_beyond: served.getattr("refuses_beyond")?.extract()?,
        refuses_plainly: served.getattr("refuses_plainly")?.extract()?,
    };
    PlanService::new(adapted, parts)
}

fn compiled(served: &Bound<'_, PyAny>) -> PyResult<Arc<Routed>> {
    let operations = served.call_method0(intern!(served.py(), "compiled"))?;
    Ok(operations.cast_into::<Operations>()?.get().routed())
}

/// The length of the body that a request announces.
fn declared(head: &Head) -> u64 {
    let length = head.get(b"content-length");
    let digits = length.and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

impl Face for Adapted {
    fn plans(&self, head: &Head) -> bool {
        let is_allowed = self
            .refuses_beyond
            .is_none_or(|limit| declared(head) <= limit);
        is_allowed && head.get(b"upgrade").is_none()
    }

    fn layers(&self) -> &Rc<Layers> {
        &self.layers
    }

    fn stream_bound(&self) -> Option<StreamBound> {
        let is_plain = self.refuses_plainly;
        self.refuses_beyond
            .map(|most| StreamBound { most, is_plain })
    }

    fn reads_body(&self, exchange: &Exchange, operation: &Operation, limit: u64) -> bool {
        let length = exchange.incoming().remaining();
        let fits = length.is_some_and(|length| length > 0 && length <= limit);
        let content_type = exchange.head().get(b"content-type");
        fits && if operation.takes_form {
            is_form(content_type)
        } else {
            is_json(content_type)
        }
    }

    fn pass(
        shared: &Rc<Shared<Self>>,
        exchange: Exchange,
        _found: Option<Found>,
    ) -> Option<LocalBoxFuture<()>> {
        shared.face.app.call(exchange)
    }

    fn refer(py: Python<'_>, arrived: Arrived<Self>) {
        let beginning = Beginning {
            body: arrived.body,
            ..Beginning::default()
        };
        let app = &arrived.shared.face.app;
        app.call_now(py, arrived.exchange, beginning);
    }

    fn answer(py: Python<'_>, owed: Owed<Self>, result: PyResult<Bound<'_, PyAny>>) {
        answer::complete(py, owed, result);
    }

    fn renewed(&self, py: Python<'_>) -> PyResult<Arc<Routed>> {
        compiled(self.served.bind(py))
    }
}
