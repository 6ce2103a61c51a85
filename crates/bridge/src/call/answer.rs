//! What a handler gave, as a response: results, response objects, exceptions. Whatever happens, the exchange is answered.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use api::error::ResponseError;
use api::exchange::{Chunk, Exchange};
use pyloop::gil::Kept;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use smallvec::SmallVec;

use super::{Shared, background, stream};
use crate::errors;
use crate::ffi::{self, ThreadBound};
use crate::json::model;
use crate::json::write::Document;
use crate::leaving::Leaving;
use crate::plan::{Endpoint, ResultPlan};
use crate::task::Started;

/// From this length on a body is sent from Python's memory, without a copy.
const SHARED_FROM: usize = 16 * 1024;

const JSON: &str = "application/json";

/// A response that somebody owes. Dropped without an answer, it is a 500.
pub struct Owed {
    pub(super) shared: Rc<Shared>,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) exchange: Exchange,
    /// What the handler may fill with work for afterwards.
    pub(super) background: Option<Kept<PyAny>>,
    /// Ends the task that makes the answer, where nobody will want it.
    leaving: Option<Rc<Leaving>>,
}

/// How far an answer went.
enum Sent<'py> {
    /// All of it, and this work is left.
    Whole(Option<Bound<'py, PyAny>>),
    /// It is a response that streams its body.
    Stream(Bound<'py, PyAny>),
}

impl Owed {
    /// The response to `exchange`, which `endpoint` will give.
    pub fn new(
        shared: Rc<Shared>,
        endpoint: Arc<Endpoint>,
        exchange: Exchange,
        background: Option<Kept<PyAny>>,
    ) -> Self {
        Self {
            shared,
            endpoint,
            exchange,
            background,
            leaving: None,
        }
    }

    /// Runs a coroutine as a task; its result is the answer.
    pub fn run(self, py: Python<'_>, coroutine: PyResult<Bound<'_, PyAny>>) {
        match coroutine.and_then(|coroutine| self.shared.tasks.start(py, &coroutine)) {
            Ok(Started::Finished(result)) => self.complete(py, result),
            Ok(Started::Running(task)) => self.follow(py, Ok(task)),
            Err(error) => self.complete(py, Err(error)),
        }
    }

    /// Waits for a task or future; its result is the answer.
    fn follow(mut self, py: Python<'_>, task: PyResult<Bound<'_, PyAny>>) {
        match task {
            Ok(task) => {
                let policy = self.shared.policy_of(&self.endpoint);
                let cancels = policy.cancels(self.exchange.head().method());
                self.leaving = Some(Leaving::watch(&self.exchange, &task, cancels));
                let running = Rc::clone(&self.shared.running);
                let held = running.hold(
                    py,
                    &task,
                    Ending(ThreadBound::new(RefCell::new(Some(self)))),
                );
                if let Err(error) = held {
                    error.write_unraisable(py, Some(&task));
                }
            }
            Err(error) => self.complete(py, Err(error)),
        }
    }

    /// Answers with what the handler returned or raised.
    pub fn complete(self, py: Python<'_>, result: PyResult<Bound<'_, PyAny>>) {
        let answering = Answering {
            shared: &self.shared,
            endpoint: &self.endpoint,
            exchange: &self.exchange,
        };
        match result.and_then(|value| answering.answer(&value)) {
            Ok(Sent::Whole(work)) => {
                let left = self
                    .background
                    .as_ref()
                    .map(|background| background.bind(py).clone());
                if let Some(work) = work.or(left) {
                    background::start(&self.shared, &self.endpoint, &work);
                }
            }
            Ok(Sent::Stream(response)) => stream::start(self, &response),
            Err(error) => answering.fail(py, &error),
        }
    }
}

/// An exchange that is being answered.
#[derive(Clone, Copy)]
pub struct Answering<'a> {
    /// What the service knows.
    pub shared: &'a Shared,
    /// Whose result it is.
    pub endpoint: &'a Endpoint,
    /// Where the answer goes.
    pub exchange: &'a Exchange,
}

impl Answering<'_> {
    /// Answers with what a handler returned.
    fn answer<'py>(self, value: &Bound<'py, PyAny>) -> PyResult<Sent<'py>> {
        if self.send_result(value)? {
            return Ok(Sent::Whole(None));
        }
        let response = self.response_of(value)?;
        if stream::is_stream(&response) {
            return Ok(Sent::Stream(response));
        }
        self.send_response(&response)?;
        work_of(&response).map(Sent::Whole)
    }

    /// Answers with a result whose form is beyond doubt; `false` where the reference path has to look at it.
    fn send_result(self, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = value.py();
        let python = &self.shared.python;
        match &self.endpoint.result {
            ResultPlan::Json if is_plain(value) => self.send_json(py, &python.web.body(value)?)?,
            ResultPlan::Json => match python.web.model_body(value)? {
                Some(body) => self.send_json(py, &body)?,
                None => return Ok(false),
            },
            ResultPlan::Typed {
                validate,
                plan,
                serialise,
            } if !value.is_instance(python.response.bind(py))? => {
                let valid = python.validate(value, validate.bind(py));
                let valid = valid.map_err(|error| self.unfit(py, &error))?;
                if let Some(plan) = plan
                    && let Some(body) = model::body(plan, &valid)?
                {
                    self.send_json(py, &body)?;
                } else {
                    let content = python.typed_json(&valid, serialise.bind(py));
                    self.send(JSON, &content.map_err(|error| self.unfit(py, &error))?)?;
                }
            }
            ResultPlan::Text(media_type) => {
                let Ok(text) = value.cast_exact::<PyString>() else {
                    return Ok(false);
                };
                let sent = self.exchange.respond(
                    self.endpoint.status,
                    [("content-type", media_type.as_str())],
                    text.to_str()?.as_bytes(),
                );
                sent.map_err(|error| refused(py, &error))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn send_json(self, py: Python<'_>, body: &Document) -> PyResult<()> {
        let headers = [("content-type", JSON)];
        let sent = self
            .exchange
            .respond(self.endpoint.status, headers, body.chunk());
        sent.map_err(|error| refused(py, &error))
    }

    fn send(self, media_type: &str, content: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = content.py();
        let sent = self.exchange.respond(
            self.endpoint.status,
            [("content-type", media_type)],
            chunk(content.cast::<PyBytes>()?),
        );
        sent.map_err(|error| refused(py, &error))
    }

    /// A validator's refusal of a result, as the error that says whose fault that is.
    fn unfit(self, py: Python<'_>, error: &PyErr) -> PyErr {
        let unfit = self.shared.python.unfit.bind(py);
        match unfit.call1((self.endpoint.call.bind(py), error.value(py))) {
            Ok(error) => PyErr::from_value(error),
            Err(error) => error,
        }
    }

    /// The response object that `value` is or becomes.
    fn response_of<'py>(self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = value.py();
        if value.is_instance(self.shared.python.response.bind(py))? {
            return Ok(value.clone());
        }
        self.shared
            .python
            .response_of
            .bind(py)
            .call1((self.endpoint.call.bind(py), value))
    }

    fn send_response(self, response: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = response.py();
        let status = response.getattr(intern!(py, "status_code"))?.extract()?;
        let headers = raw_headers(&response.getattr(intern!(py, "raw_headers"))?)?;
        let body = response
            .getattr(intern!(py, "body"))?
            .cast_into::<PyBytes>()?;
        self.exchange
            .respond(status, fields(&headers), chunk(&body))
            .map_err(|error| refused(py, &error))
    }

    /// Answers with what `error` stands for; a fault is logged and becomes a 500. Where the response has begun, the
    /// client is left with an incomplete one.
    pub fn fail(self, py: Python<'_>, error: &PyErr) {
        if errors::is_farewell(py, error) {
            return;
        }
        let response = self
            .shared
            .python
            .settle
            .bind(py)
            .call1((self.endpoint.call.bind(py), error.value(py)));
        let sent = match response {
            Ok(_) if self.exchange.is_started() || self.exchange.is_disconnected() => Ok(()),
            Ok(response) => self.send_response(&response),
            Err(unsettled) => Err(unsettled),
        };
        if let Err(unsettled) = sent {
            unsettled.write_unraisable(py, Some(self.endpoint.call.bind(py)));
        }
    }
}

/// The exchange's refusal of a response, as an exception.
pub fn refused(py: Python<'_>, error: &ResponseError) -> PyErr {
    match error {
        ResponseError::Disconnected => errors::disconnected(py),
        error => errors::response(error),
    }
}

/// What a response has left to be done after it.
pub fn work_of<'py>(response: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let work = response.getattr_opt(intern!(response.py(), "background"))?;
    Ok(work.filter(|work| !work.is_none()))
}

/// Whether a result that no annotation describes is JSON by its type, an exact built-in one.
fn is_plain(value: &Bound<'_, PyAny>) -> bool {
    value.is_exact_instance_of::<PyDict>()
        || value.is_exact_instance_of::<PyList>()
        || value.is_exact_instance_of::<PyString>()
        || value.is_none()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyTuple>()
}

/// Names and values of a response's fields.
pub type RawHeaders<'py> = SmallVec<[(Bound<'py, PyBytes>, Bound<'py, PyBytes>); 8]>;

/// Reads a list of pairs of `bytes`.
pub fn raw_headers<'py>(list: &Bound<'py, PyAny>) -> PyResult<RawHeaders<'py>> {
    list.try_iter()?.map(|field| field?.extract()).collect()
}

/// The fields as the exchange takes them.
pub fn fields<'a>(headers: &'a RawHeaders<'_>) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
}

/// A body's bytes: copied if short, else shared.
pub fn chunk<'a>(bytes: &'a Bound<'_, PyBytes>) -> Chunk<'a> {
    let slice = bytes.as_bytes();
    if slice.len() < SHARED_FROM {
        Chunk::from(slice)
    } else {
        Chunk::from(ffi::share_bytes(bytes))
    }
}

/// Called when a suspended task or a thread's future is done.
#[pyclass(frozen, module = "data_bridge._native")]
struct Ending(ThreadBound<RefCell<Option<Owed>>>);

#[pymethods]
impl Ending {
    fn __call__(&self, py: Python<'_>, task: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Some(owed) = self.0.get().ok_or_else(errors::foreign_thread)?.take() {
            owed.shared.running.release(task);
            owed.complete(py, task.call_method0(intern!(py, "result")));
        }
        Ok(())
    }
}
