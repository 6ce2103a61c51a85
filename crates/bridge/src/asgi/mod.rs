//! Any ASGI 3.0 app as the server's service: one task for each request. Scope, messages and awaitables are next door.

mod awaitable;
mod cycle;
pub mod header_names;
mod message;
mod protocol;
mod route;
pub mod scope;
mod websocket;

use std::cell::RefCell;
use std::rc::Rc;

use api::exchange::Exchange;
use api::service::{LocalBoxFuture, Service};
use bytes::Bytes;
use pyloop::gil::Kept;
use pyloop::host::{self, Job};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tracing::debug;

use self::awaitable::{Awaited, Done, For, Waiting};
use self::cycle::Cycle;
use self::protocol::{Outcome, Protocol, Sent};
use self::scope::Template;
use self::websocket::Conversation;
use crate::errors;
use crate::ffi::ThreadBound;
use crate::leaving::OnDisconnect;
use crate::request_id;
use crate::running::Running;
use crate::task::{Started, Tasks};

/// The service that calls an ASGI app.
pub struct AsgiService(Rc<Shared>);

/// What every call of one app needs. Touched attached, on the loop's thread.
struct Shared {
    app: Kept<PyAny>,
    template: Template,
    tasks: Tasks,
    running: Rc<Running>,
    /// Whether a client's leaving cancels its app; ASGI has it told alone.
    cancels: bool,
    /// Whether a client is shown why the app failed.
    shows_errors: bool,
    create_future: Kept<PyAny>,
    done: Kept<PyAny>,
    logger: Kept<PyAny>,
}

impl AsgiService {
    /// `app` on `event_loop`; `state` is what its lifespan left for the requests. Its tasks are held in `running`.
    pub fn new(
        app: Kept<PyAny>,
        event_loop: &Bound<'_, PyAny>,
        root_path: &str,
        state: Option<Kept<PyDict>>,
        on_disconnect: OnDisconnect,
        running: Rc<Running>,
        shows_errors: bool,
    ) -> PyResult<Self> {
        let py = event_loop.py();
        Ok(Self(Rc::new(Shared {
            app,
            template: Template::new(py, root_path, state)?,
            tasks: Tasks::new(event_loop)?,
            running,
            cancels: on_disconnect == OnDisconnect::Cancel,
            shows_errors,
            create_future: Kept::new(event_loop.getattr("create_future")?.unbind()),
            done: Kept::new(Bound::new(py, Done)?.into_any().unbind()),
            logger: Kept::new(errors::logger(py)?.unbind()),
        })))
    }
}

/// How a call begins that does not come straight from the connection.
#[derive(Default)]
pub struct Beginning<'a, 'py> {
    /// The body, where somebody has read it before.
    pub body: Option<Bytes>,
    /// One more entry of the scope.
    pub extra: Option<(&'a Bound<'py, PyAny>, &'a Bound<'py, PyAny>)>,
    /// The context that the app runs in; without one, a copy of the current one.
    pub context: Option<&'a Bound<'py, PyAny>>,
}

impl AsgiService {
    /// Calls the app for `exchange` at once.
    pub fn call_now<'py>(
        &self,
        py: Python<'py>,
        exchange: Exchange,
        beginning: Beginning<'_, 'py>,
    ) {
        self.0.call(py, exchange, beginning);
    }
}

impl Service for AsgiService {
    fn call(&self, exchange: Exchange) -> Option<LocalBoxFuture<()>> {
        host::push_job(Rc::new(Arrived {
            shared: Rc::clone(&self.0),
            exchange: RefCell::new(Some(exchange)),
        }));
        None
    }
}

/// A request that waits for the interpreter.
struct Arrived {
    shared: Rc<Shared>,
    exchange: RefCell<Option<Exchange>>,
}

impl Job for Arrived {
    fn run(self: Rc<Self>, py: Python<'_>) {
        // What was answered in our place meanwhile is too late.
        if let Some(exchange) = self
            .exchange
            .take()
            .filter(|exchange| !exchange.is_finished())
        {
            exchange.begin_work();
            self.shared.call(py, exchange, Beginning::default());
        }
    }
}

impl Shared {
    /// Calls the app for `exchange`; whatever happens, the exchange is answered or closed.
    fn call<'py>(
        self: &Rc<Self>,
        py: Python<'py>,
        exchange: Exchange,
        beginning: Beginning<'_, 'py>,
    ) {
        let (scope, call): (_, Rc<dyn Protocol>) = match exchange.handshake() {
            None => {
                let scope = self.template.http(py, &exchange);
                let cycle = Cycle::new(exchange, self.cancels);
                cycle.put_back(beginning.body);
                (scope, cycle)
            }
            Some(Ok(handshake)) => (
                self.template.websocket(py, &exchange),
                Conversation::new(exchange, handshake),
            ),
            Some(Err(refusal)) => {
                if let Err(error) = exchange.refuse(refusal) {
                    debug!(%error, "a refusal was not sent");
                }
                return;
            }
        };
        let started = scope.and_then(|scope| {
            if let Some((key, value)) = beginning.extra {
                scope.set_item(key, value)?;
            }
            call.routing().watch(&scope, call.exchange());
            let own = match beginning.context {
                None => request_id::context(py, call.exchange())?,
                Some(_) => None,
            };
            let own = own.map(|own| own.bind(py));
            self.start(py, &call, &scope, own.as_ref().or(beginning.context))
        });
        match started {
            Ok(Started::Finished(result)) => self.ended(py, &*call, &result.map(drop)),
            Ok(Started::Running(task)) => {
                let ending = Ending(ThreadBound::new((Rc::clone(self), Rc::clone(&call))));
                call.runs_in(&task);
                if let Err(error) = self.running.hold(py, &task, ending) {
                    self.ended(py, &*call, &Err(error));
                }
            }
            Err(error) => self.ended(py, &*call, &Err(error)),
        }
    }

    fn start<'py>(
        self: &Rc<Self>,
        py: Python<'py>,
        call: &Rc<dyn Protocol>,
        scope: &Bound<'py, PyDict>,
        context: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Started<'py>> {
        let call = Bound::new(
            py,
            Call(ThreadBound::new((Rc::clone(self), Rc::clone(call)))),
        )?;
        let (receive, send) = (
            call.getattr(intern!(py, "receive"))?,
            call.getattr(intern!(py, "send"))?,
        );
        let coroutine = self.app.bind(py).call1((scope, receive, send))?;
        self.tasks.start_in(py, &coroutine, context)
    }

    /// The app has returned or raised.
    fn ended(&self, py: Python<'_>, call: &dyn Protocol, result: &PyResult<()>) {
        if let Err(error) = result
            && self.shows_errors
        {
            show(py, call.exchange(), error);
        }
        call.routing().settle(py, call.exchange());
        let outcome = call.close(py, result.is_err());
        let complain = |text: &str, error: Option<&PyErr>| {
            let log = || errors::log(self.logger.bind(py), text, error);
            match request_id::context(py, call.exchange())? {
                None => log(),
                Some(context) => context.run(py, log)?,
            }
        };
        let logged = match (result, outcome) {
            (Ok(()), Outcome::Complete | Outcome::Disconnected | Outcome::Overdue) => Ok(()),
            (Ok(()), Outcome::NoResponse) => {
                complain("ASGI callable returned without starting a response", None)
            }
            (Ok(()), Outcome::Incomplete) => complain(
                "ASGI callable returned without completing its response",
                None,
            ),
            (Err(error), Outcome::Disconnected | Outcome::Overdue)
                if errors::is_farewell(py, error) =>
            {
                Ok(())
            }
            (Err(error), _) => complain("Exception in ASGI application", Some(error)),
        };
        if let Err(error) = logged {
            error.write_unraisable(py, Some(self.app.bind(py)));
        }
    }
}

/// Answers with the traceback, where nothing was answered yet.
fn show(py: Python<'_>, exchange: &Exchange, error: &PyErr) {
    let headers = [("content-type", "text/plain; charset=utf-8")];
    match errors::traceback(py, error) {
        Ok(text) => {
            if let Err(error) = exchange.respond(500, headers, text.as_bytes()) {
                debug!(%error, "a traceback was not sent");
            }
        }
        Err(error) => error.write_unraisable(py, None),
    }
}

/// Called when a suspended task is done.
#[pyclass(frozen, module = "data_bridge._native")]
struct Ending(ThreadBound<(Rc<Shared>, Rc<dyn Protocol>)>);

#[pymethods]
impl Ending {
    fn __call__(&self, py: Python<'_>, task: &Bound<'_, PyAny>) -> PyResult<()> {
        let (shared, call) = self.0.get().ok_or_else(errors::foreign_thread)?;
        shared.running.release(task);
        let result = task.call_method0(intern!(py, "result")).map(drop);
        shared.ended(py, &**call, &result);
        Ok(())
    }
}

/// `receive` and `send` of one call, as its bound methods.
#[pyclass(frozen, module = "data_bridge._native")]
struct Call(ThreadBound<(Rc<Shared>, Rc<dyn Protocol>)>);

#[pymethods]
impl Call {
    /// ASGI's `receive`: an awaitable of the next message.
    fn receive<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Waiting>> {
        let (shared, call) = self.0.get().ok_or_else(errors::foreign_thread)?;
        Bound::new(
            py,
            Waiting::new(
                Rc::clone(call) as Rc<dyn Awaited>,
                For::Message,
                shared.create_future.clone_ref(py),
            ),
        )
    }

    /// ASGI's `send`: carries the message out at once; the awaitable waits while the client takes no more.
    fn send<'py>(
        &self,
        py: Python<'py>,
        message: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (shared, call) = self.0.get().ok_or_else(errors::foreign_thread)?;
        match Rc::clone(call).send(py, message)? {
            Sent::Done => Ok(shared.done.bind(py).clone()),
            Sent::Waits(source) => {
                let create_future = shared.create_future.clone_ref(py);
                let waiting = Waiting::new(source, For::Room, create_future);
                Ok(Bound::new(py, waiting)?.into_any())
            }
        }
    }
}
