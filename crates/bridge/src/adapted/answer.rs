//! What an operation gave, as a response; what is out of the ordinary goes on through the app. The exchange is always answered.

use std::cell::RefCell;
use std::rc::Rc;

use api::exchange::{Chunk, Exchange};
use bytes::Bytes;
use pyloop::gil::Kept;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};
use smallvec::SmallVec;

use super::{Found, Shared};
use crate::asgi::Beginning;
use crate::call::{chunk, fields, raw_headers};
use crate::errors;
use crate::ffi::{self, ThreadBound};
use crate::json::model::{self, Plan};
use crate::leaving::Leaving;
use crate::plan::{Serialise, path_params};
use crate::task::Started;

const JSON: &str = "application/json";

/// A response that somebody owes. Dropped without an answer, it is a 500.
pub struct Owed {
    shared: Rc<Shared>,
    exchange: Exchange,
    found: Found,
    /// What was read of the body, for those who come after us.
    body: Option<Bytes>,
    /// The context that user code runs in, from its first line to its exception handlers.
    context: Kept<PyAny>,
    /// Ends the task that makes the answer, where nobody will want it.
    leaving: Option<Rc<Leaving>>,
}

/// What is left to the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// The response of a result.
    Response,
    /// The handling of an exception.
    Handler,
}

impl Owed {
    /// The response to `exchange`, which `found` will give.
    pub fn new(
        shared: Rc<Shared>,
        exchange: Exchange,
        found: Found,
        body: Option<Bytes>,
        context: &Bound<'_, PyAny>,
    ) -> Self {
        Self {
            shared,
            exchange,
            found,
            body,
            context: Kept::new(context.clone().unbind()),
            leaving: None,
        }
    }

    /// Runs a coroutine as a task; its result is the answer.
    pub fn run(
        self,
        py: Python<'_>,
        coroutine: PyResult<Bound<'_, PyAny>>,
        context: &Bound<'_, PyAny>,
    ) {
        let started = coroutine
            .and_then(|coroutine| self.shared.tasks.start_in(py, &coroutine, Some(context)));
        match started {
            Ok(Started::Finished(result)) => self.complete(py, result),
            Ok(Started::Running(task)) => self.follow(py, &task),
            Err(error) => self.complete(py, Err(error)),
        }
    }

    fn follow(mut self, py: Python<'_>, task: &Bound<'_, PyAny>) {
        let method = self.exchange.head().method();
        let cancels = self.shared.on_disconnect.cancels(method);
        self.leaving = Some(Leaving::watch(&self.exchange, task, cancels));
        let running = Rc::clone(&self.shared.running);
        let ending = Ending(ThreadBound::new(RefCell::new(Some(self))));
        if let Err(error) = running.hold(py, task, ending) {
            error.write_unraisable(py, Some(task));
        }
    }

    /// Answers with what the operation returned or raised.
    pub fn complete(self, py: Python<'_>, result: PyResult<Bound<'_, PyAny>>) {
        match result {
            Ok(value) => {
                if !self.send(&value).unwrap_or(false) {
                    self.go_on(py, Left::Response, &value);
                }
            }
            Err(error) if errors::is_farewell(py, &error) => {}
            Err(error) => {
                let value = error.value(py).clone().into_any();
                self.go_on(py, Left::Handler, &value);
            }
        }
    }

    /// Lets the app itself make the response of `value`, by its own middleware and exception handlers.
    fn go_on(self, py: Python<'_>, left: Left, value: &Bound<'_, PyAny>) {
        let work_of = match left {
            Left::Response => &self.shared.python.of_result,
            Left::Handler => &self.shared.python.of_error,
        };
        let operation = &self.found.operation;
        let path = self.exchange.head().path_text().into_owned();
        let prepared =
            path_params(py, &operation.in_path, &self.found.captures, &path).and_then(|params| {
                let work = work_of
                    .bind(py)
                    .call1((operation.plan.bind(py), value, params))?;
                let key = self.shared.python.work.bind(py).clone();
                Ok((key, work))
            });
        match prepared {
            Ok(work) => {
                let context = self.context.bind(py);
                let beginning = Beginning {
                    body: self.body,
                    extra: Some((&work.0, &work.1)),
                    context: Some(context),
                };
                self.shared.app.call_now(py, self.exchange, beginning);
            }
            Err(error) => error.write_unraisable(py, Some(value)),
        }
    }

    /// Answers with a result whose form is beyond doubt; `false` where the app has to look at it.
    fn send(&self, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = value.py();
        let python = &self.shared.python;
        let response = python.response.bind(py).cast::<PyType>()?;
        if value.is_instance(response)? {
            return self.send_response(value);
        }
        let sent = match &self.found.operation.result {
            Serialise::Json => match model::body(&Plan::PLAIN, value)? {
                Some(body) => self.respond(body.chunk()),
                None => return Ok(false),
            },
            Serialise::Typed {
                validate,
                plan,
                to_json,
                names,
                options,
                by_attributes,
            } => {
                let truth = pyo3::types::PyBool::new(py, true).to_owned().into_any();
                let arguments = [value.clone(), truth];
                let Ok(valid) = ffi::call(validate.bind(py), &arguments, by_attributes.bind(py))
                else {
                    return Ok(false);
                };
                if let Some(plan) = plan
                    && let Some(body) = model::body(plan, &valid)?
                {
                    return Ok(self.respond(body.chunk()));
                }
                let options = options.iter().map(|option| option.bind(py).clone());
                let arguments: SmallVec<[Bound<'_, PyAny>; 4]> =
                    std::iter::once(valid).chain(options).collect();
                let Ok(content) = ffi::call(to_json.bind(py), &arguments, names.bind(py)) else {
                    return Ok(false);
                };
                self.respond(chunk(&content.cast_into::<PyBytes>()?))
            }
            Serialise::Other => return Ok(false),
        };
        Ok(sent)
    }

    /// Answers with this JSON; true also where nobody is there to read it.
    fn respond(&self, content: Chunk<'_>) -> bool {
        let status = self.found.operation.status;
        let headers = [("content-type", JSON)];
        let sent = self.exchange.respond(status, headers, content);
        sent.is_ok() || self.exchange.is_disconnected()
    }

    /// Sends a response object that is no more than status, head and body.
    fn send_response(&self, response: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = response.py();
        let call = response.get_type().getattr(intern!(py, "__call__"))?;
        let is_plain = call.is(self.shared.python.response_call.bind(py));
        let background = response.getattr(intern!(py, "background"))?;
        // A stream has none.
        let body = response.getattr_opt(intern!(py, "body"))?;
        let Some(Ok(body)) = body.map(Bound::cast_into_exact::<PyBytes>) else {
            return Ok(false);
        };
        if !is_plain || !background.is_none() {
            return Ok(false);
        }
        let status = response
            .getattr(intern!(py, "status_code"))?
            .extract::<u16>();
        let headers = raw_headers(&response.getattr(intern!(py, "raw_headers"))?);
        let (Ok(status), Ok(headers)) = (status, headers) else {
            return Ok(false);
        };
        let sent = self
            .exchange
            .respond(status, fields(&headers), chunk(&body))
            .is_ok();
        Ok(sent || self.exchange.is_disconnected())
    }
}

/// Called when a suspended task is done.
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
