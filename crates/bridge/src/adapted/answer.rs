//! What an operation gave, as a response; what is out of the ordinary goes on through the app. The exchange is always answered.

use api::exchange::Chunk;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use super::Adapted;
use super::parts::{fields, raw_headers};
use crate::asgi::Beginning;
use crate::errors;
use crate::executor::{Owed, around};
use crate::ffi;
use crate::json::model::{self, Plan};
use crate::plan::{Json, Serialise, path_params};

const JSON: &str = "application/json";

/// What is left to the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// The response of a result.
    Response,
    /// The handling of an exception.
    Handler,
}

type Response = Owed<Adapted>;

/// Answers with what the operation returned or raised.
pub fn complete(py: Python<'_>, owed: Response, result: PyResult<Bound<'_, PyAny>>) {
    match result {
        Ok(value) => {
            if let Some(left) = owed.send(&value).unwrap_or(Some(value)) {
                owed.go_on(py, Left::Response, &left);
            }
        }
        Err(error) if errors::is_farewell(py, &error) => {}
        Err(error) => {
            let value = error.value(py).clone().into_any();
            owed.go_on(py, Left::Handler, &value);
        }
    }
}

impl Response {
    /// Lets the app itself make the response of `value`, by its own middleware and exception handlers.
    fn go_on(self, py: Python<'_>, left: Left, value: &Bound<'_, PyAny>) {
        let work_of = match left {
            Left::Response => &self.shared.face.python.of_result,
            Left::Handler => &self.shared.face.python.of_error,
        };
        let operation = &self.found.operation;
        let path = self.exchange.head().path_text().into_owned();
        let prepared =
            path_params(py, &operation.in_path, &self.found.captures, &path).and_then(|params| {
                let work = work_of
                    .bind(py)
                    .call1((operation.plan.bind(py), value, params))?;
                let key = self.shared.face.python.work.bind(py).clone();
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
                self.shared.face.app.call_now(py, self.exchange, beginning);
            }
            Err(error) => error.write_unraisable(py, Some(value)),
        }
    }

    /// Answers with a result whose form is beyond doubt; otherwise gives what the app has to make an answer of.
    fn send<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = value.py();
        let response = self.shared.face.python.response.bind(py);
        if value.is_instance(response)? {
            return Ok((!self.send_response(value)?).then(|| value.clone()));
        }
        match &self.found.operation.result {
            Serialise::Json => match model::body(&Plan::PLAIN, value)? {
                Some(body) => self.send_json(py, &body.chunk()),
                None => Ok(Some(value.clone())),
            },
            Serialise::Typed(typed) => match typed.json(value) {
                Ok(Json::Planned(body)) => self.send_json(py, &body.chunk()),
                Ok(Json::Asked(content)) => self.send_json(py, &ffi::chunk(&content)),
                Err(_) => Ok(Some(value.clone())),
            },
            Serialise::Text(media_type) => {
                // One with a lone surrogate has no bytes.
                let text = value.cast_exact::<PyString>().ok();
                let sent = text
                    .and_then(|text| text.to_str().ok())
                    .is_some_and(|text| self.respond(media_type, Chunk::from(text.as_bytes())));
                Ok((!sent).then(|| value.clone()))
            }
            Serialise::Other => Ok(Some(value.clone())),
        }
    }

    /// Answers with this JSON, or gives the response that the app has to send: nothing is validated or written twice.
    fn send_json<'py>(
        &self,
        py: Python<'py>,
        content: &Chunk<'_>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        if self.respond(JSON, content.clone()) {
            return Ok(None);
        }
        let options = PyDict::new(py);
        options.set_item("content", PyBytes::new(py, content.as_slice()))?;
        options.set_item("status_code", self.found.operation.status)?;
        options.set_item("media_type", JSON)?;
        let response = self.shared.face.python.response.bind(py);
        response.call((), Some(&options)).map(Some)
    }

    /// Answers with this content; `false` where the app has to.
    fn respond(&self, media_type: &str, content: Chunk<'_>) -> bool {
        let status = self.found.operation.status;
        let fields = [(&b"content-type"[..], media_type.as_bytes())];
        let layers = &self.shared.face.layers;
        around::respond(layers, &self.exchange, status, fields, content)
    }

    /// Sends a response object that is no more than status, head and body.
    fn send_response(&self, response: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = response.py();
        let call = response.get_type().getattr(intern!(py, "__call__"))?;
        let is_plain = call.is(self.shared.face.python.response_call.bind(py));
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
        let (layers, body) = (&self.shared.face.layers, ffi::chunk(&body));
        let fields = fields(&headers);
        Ok(around::respond(
            layers,
            &self.exchange,
            status,
            fields,
            body,
        ))
    }
}
