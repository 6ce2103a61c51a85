//! What a handler gave, as a response: results, response objects, exceptions. Whatever happens, the exchange is answered.

use api::error::ResponseError;
use api::exchange::Exchange;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use smallvec::SmallVec;

use super::{Own, background, stream};
use crate::errors;
use crate::executor::Owed;
use crate::ffi;
use crate::json::write::Document;
use crate::plan::{Json, Operation, Serialise};

const JSON: &str = "application/json";

/// How far an answer went.
enum Sent<'py> {
    /// All of it, and this work is left.
    Whole(Option<Bound<'py, PyAny>>),
    /// It is a response that streams its body.
    Stream(Bound<'py, PyAny>),
}

/// Answers with what user code returned or raised.
pub fn complete(py: Python<'_>, owed: Owed<Own>, result: PyResult<Bound<'_, PyAny>>) {
    let answering = Answering::of(&owed);
    match result.and_then(|value| answering.answer(&value)) {
        Ok(Sent::Whole(work)) => {
            let left = || Some(owed.background.as_ref()?.bind(py).clone());
            if let Some(work) = work.or_else(left) {
                background::start(&owed.shared, &owed.found.operation, &work);
            }
        }
        Ok(Sent::Stream(response)) => stream::start(owed, &response),
        Err(error) => answering.fail(py, &error),
    }
}

/// An exchange that is being answered.
#[derive(Clone, Copy)]
pub struct Answering<'a> {
    /// What the service knows.
    pub own: &'a Own,
    /// Whose result it is.
    pub operation: &'a Operation,
    /// Where the answer goes.
    pub exchange: &'a Exchange,
}

impl<'a> Answering<'a> {
    fn of(owed: &'a Owed<Own>) -> Self {
        Self {
            own: &owed.shared.face,
            operation: &owed.found.operation,
            exchange: &owed.exchange,
        }
    }

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
        let python = &self.own.python;
        match &self.operation.result {
            Serialise::Json if is_plain(value) => self.send_json(py, &python.web.body(value)?)?,
            Serialise::Json => match python.web.model_body(value)? {
                Some(body) => self.send_json(py, &body)?,
                None => return Ok(false),
            },
            Serialise::Typed(typed) if !value.is_instance(python.response.bind(py))? => {
                match typed.json(value).map_err(|error| self.unfit(py, &error))? {
                    Json::Planned(body) => self.send_json(py, &body)?,
                    Json::Asked(content) => self.send(JSON, &content)?,
                }
            }
            Serialise::Text(media_type) => {
                let Ok(text) = value.cast_exact::<PyString>() else {
                    return Ok(false);
                };
                let sent = self.exchange.respond(
                    self.operation.status,
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
            .respond(self.operation.status, headers, body.chunk());
        sent.map_err(|error| refused(py, &error))
    }

    fn send(self, media_type: &str, content: &Bound<'_, PyBytes>) -> PyResult<()> {
        let py = content.py();
        let sent = self.exchange.respond(
            self.operation.status,
            [("content-type", media_type)],
            ffi::chunk(content),
        );
        sent.map_err(|error| refused(py, &error))
    }

    /// A validator's refusal of a result, as the error that says whose fault that is.
    fn unfit(self, py: Python<'_>, error: &PyErr) -> PyErr {
        let unfit = self.own.python.unfit.bind(py);
        match unfit.call1((self.operation.plan.bind(py), error.value(py))) {
            Ok(error) => PyErr::from_value(error),
            Err(error) => error,
        }
    }

    /// The response object that `value` is or becomes.
    fn response_of<'py>(self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = value.py();
        if value.is_instance(self.own.python.response.bind(py))? {
            return Ok(value.clone());
        }
        self.own
            .python
            .response_of
            .bind(py)
            .call1((self.operation.plan.bind(py), value))
    }

    fn send_response(self, response: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = response.py();
        let status = response.getattr(intern!(py, "status_code"))?.extract()?;
        let headers = raw_headers(&response.getattr(intern!(py, "raw_headers"))?)?;
        let body = response
            .getattr(intern!(py, "body"))?
            .cast_into::<PyBytes>()?;
        self.exchange
            .respond(status, fields(&headers), ffi::chunk(&body))
            .map_err(|error| refused(py, &error))
    }

    /// Answers with what `error` stands for; a fault is logged and becomes a 500. Where the response has begun, the
    /// client is left with an incomplete one.
    pub fn fail(self, py: Python<'_>, error: &PyErr) {
        if errors::is_farewell(py, error) {
            return;
        }
        let response = self
            .own
            .python
            .settle
            .bind(py)
            .call1((self.operation.plan.bind(py), error.value(py)));
        let sent = match response {
            Ok(_) if self.exchange.is_started() || self.exchange.is_disconnected() => Ok(()),
            Ok(response) => self.send_response(&response),
            Err(unsettled) => Err(unsettled),
        };
        if let Err(unsettled) = sent {
            unsettled.write_unraisable(py, Some(self.operation.plan.bind(py)));
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
