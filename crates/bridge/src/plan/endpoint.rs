//! What a call of one route needs of Python: the function, its arguments' names and defaults, what becomes of the result.

use std::time::Duration;

use api::plan::{Body, Call, Param, Scalar, Tier};
use api::route::{ParamKind, RoutePattern};
use pyloop::gil::Kept;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use super::param::{self, interned, unknown};
use crate::json::model;
use crate::leaving::OnDisconnect;

/// How an endpoint is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A coroutine function: in a task.
    Task,
    /// A function that may block: in the loop's thread pool.
    Thread,
    /// A function that never blocks: at once.
    Inline,
}

/// A body that is one JSON document.
pub struct Document {
    /// Turns bytes into the value, or raises where the reference has to decide. `None`: it always has to.
    pub accept: Option<Kept<PyAny>>,
}

/// What becomes of a result that is no response.
pub enum ResultPlan {
    /// JSON, whatever it is.
    Json,
    /// JSON by a type: validated, which also filters it, and serialised.
    Typed {
        /// The validator's `validate_python`.
        validate: Kept<PyAny>,
        /// What the serialiser would write, where that is certain.
        plan: Option<model::Plan>,
        /// The serialiser's `to_json`.
        serialise: Kept<PyAny>,
    },
    /// Text as it stands, of this media type; what is no text is left to the reference path.
    Text(String),
    /// The reference path knows.
    Other,
}

/// The Python half of a route.
pub struct Endpoint {
    /// The `data_bridge.plan.types.Call` this was read from.
    pub call: Kept<PyAny>,
    /// The user's function.
    pub function: Kept<PyAny>,
    /// The names of its arguments: parameters, then body, request, background tasks.
    pub names: Kept<PyTuple>,
    /// For each parameter, what it is where nothing was sent.
    pub defaults: Box<[Kept<PyAny>]>,
    /// How it is run.
    pub mode: Mode,
    /// Its body, if it has one.
    pub document: Option<Document>,
    /// Whether the request itself is one of its arguments.
    pub wants_request: bool,
    /// Whether a list of background tasks is its last argument.
    pub wants_background: bool,
    /// Status of a result that is no response.
    pub status: u16,
    /// What becomes of such a result.
    pub result: ResultPlan,
    /// Parameters of the path: name and converter.
    pub in_path: Box<[(Kept<PyString>, ParamKind)]>,
    /// What a client's leaving does to the handler, where the route says so.
    pub on_disconnect: Option<OnDisconnect>,
    /// How long the response may take to begin, where the route says so.
    pub time_limit: Option<Duration>,
}

impl Endpoint {
    /// Reads a `data_bridge.plan.types.Call`, and what Rust does for it.
    pub fn read(call: &Bound<'_, PyAny>, pattern: &RoutePattern) -> PyResult<(Self, Call)> {
        let py = call.py();
        let mut params = Vec::new();
        let mut defaults = Vec::new();
        let mut names = Vec::new();
        for param in call.getattr("params")?.try_iter()? {
            let param = param?;
            names.push(interned(&param.getattr("name")?)?);
            defaults.push(Kept::new(param.getattr("default")?.unbind()));
            params.push(param::read(&param)?);
        }
        let body = call.getattr("body")?;
        let document = if body.is_none() {
            None
        } else {
            names.push(interned(&body.getattr("name")?)?);
            let accept = body.getattr("accept")?;
            Some(Document {
                accept: (!accept.is_none()).then(|| Kept::new(accept.unbind())),
            })
        };
        let request_name = call.getattr("request_name")?;
        if !request_name.is_none() {
            names.push(interned(&request_name)?);
        }
        let background_name = call.getattr("background_name")?;
        if !background_name.is_none() {
            names.push(interned(&background_name)?);
        }
        let result = call.getattr("result")?;
        let status = result.getattr("status_code")?.extract()?;
        let in_path = pattern
            .params()
            .map(|(name, kind)| (Kept::new(PyString::intern(py, name).unbind()), kind));
        let compiled = document
            .as_ref()
            .is_none_or(|document| document.accept.is_some())
            && params
                .iter()
                .all(|param: &Param| param.scalar != Scalar::Unknown);
        let plan = Call {
            params: params.into(),
            body: if document.is_some() {
                Body::Json
            } else {
                Body::Unread
            },
            tier: if compiled {
                Tier::Compiled
            } else {
                Tier::Reference
            },
        };
        let endpoint = Self {
            call: Kept::new(call.clone().unbind()),
            function: Kept::new(call.getattr("endpoint")?.unbind()),
            names: Kept::new(PyTuple::new(py, names)?.unbind()),
            defaults: defaults.into(),
            mode: read_mode(&call.getattr("mode")?.extract::<String>()?)?,
            document,
            wants_request: !request_name.is_none(),
            wants_background: !background_name.is_none(),
            status,
            result: read_result(&result, status)?,
            in_path: in_path.collect(),
            on_disconnect: read_policy(&call.getattr("on_disconnect")?)?,
            time_limit: read_limit(&call.getattr("timeout")?)?,
        };
        Ok((endpoint, plan))
    }
}

fn read_policy(word: &Bound<'_, PyAny>) -> PyResult<Option<OnDisconnect>> {
    let word = word.extract::<Option<String>>()?;
    word.as_deref().map(OnDisconnect::read).transpose()
}

fn read_limit(seconds: &Bound<'_, PyAny>) -> PyResult<Option<Duration>> {
    let seconds = seconds.extract::<Option<f64>>()?;
    let limit = seconds.map(Duration::try_from_secs_f64).transpose();
    limit.map_err(|error| PyValueError::new_err(format!("timeout: {error}")))
}

fn read_result(result: &Bound<'_, PyAny>, status: u16) -> PyResult<ResultPlan> {
    let adapter = result.getattr("adapter")?;
    if matches!(status, 204 | 205 | 304) {
        return Ok(ResultPlan::Other);
    }
    if let Some(media_type) = result.getattr("text_type")?.extract()? {
        return Ok(ResultPlan::Text(media_type));
    }
    if !result.getattr("response_class")?.is_none() {
        return Ok(ResultPlan::Other);
    }
    if adapter.is_none() {
        return Ok(ResultPlan::Json);
    }
    let method = |part: &str, name: &str| {
        Ok::<_, PyErr>(Kept::new(adapter.getattr(part)?.getattr(name)?.unbind()))
    };
    let wishes = model::Wishes {
        by_alias: Some(true),
        ..model::Wishes::default()
    };
    Ok(ResultPlan::Typed {
        plan: model::read(&adapter.getattr("schema")?, wishes)?,
        validate: method("validator", "validate_python")?,
        serialise: method("serializer", "to_json")?,
    })
}

pub(super) fn read_mode(name: &str) -> PyResult<Mode> {
    Ok(match name {
        "task" => Mode::Task,
        "thread" => Mode::Thread,
        "inline" => Mode::Inline,
        _ => return Err(unknown("mode", name)),
    })
}
