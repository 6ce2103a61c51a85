//! What a route needs of Python: validators, defaults, what becomes of its result, and the call where there is but one.

use std::sync::Arc;
use std::time::Duration;

use api::plan::{Call, Value};
use api::route::{ParamKind, RoutePattern};
use pyloop::gil::Kept;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyIterator, PyString, PyTuple};
use smallvec::SmallVec;

use super::param::{self, interned, unknown};
use super::values::{Argument, Decided};
use crate::ffi;
use crate::json::model;
use crate::json::write::Document;
use crate::leaving::OnDisconnect;

/// How an endpoint is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A coroutine function: in a task.
    Task,
    /// A function that may block: in a thread.
    Thread,
    /// A function that never blocks: at once.
    Inline,
}

/// The Python half of a `data_bridge.plan.types.Operation`.
pub struct Operation {
    /// The route's path, as it was declared.
    pub path: Arc<str>,
    /// The object that this was read from.
    pub plan: Kept<PyAny>,
    params: Box<[Missing]>,
    /// Turns a body's bytes into the value (or the values, where `bodies` is not 1); raises where the reference decides.
    pub accept: Option<Kept<PyAny>>,
    /// The body is a form, not JSON.
    pub takes_form: bool,
    /// How many values the body gives.
    pub bodies: usize,
    /// Whether Rust runs it: its one call (`direct`), or its steps as a coroutine.
    pub is_native: bool,
    /// The call, where it is all that the operation does.
    pub direct: Option<Direct>,
    /// What becomes of a result that is no response.
    pub result: Serialise,
    /// The status of such a result.
    pub status: u16,
    /// Parameters of the path: name and converter.
    pub in_path: Box<[(Kept<PyString>, ParamKind)]>,
    /// What a client's leaving does to user code, where the route says so.
    pub on_disconnect: Option<OnDisconnect>,
    /// How long the response may take to begin, where the route says so.
    pub time_limit: Option<Duration>,
}

/// What Python adds to a parameter.
struct Missing {
    default: Kept<PyAny>,
    make_default: Option<Kept<PyAny>>,
    validate: Option<Kept<PyAny>>,
}

/// An operation that is one call of the user's function with values from the request.
pub struct Direct {
    /// The user's function.
    pub function: Kept<PyAny>,
    /// The names of its arguments.
    pub names: Kept<PyTuple>,
    /// For each argument, the slot of its value: parameters, then the body.
    pub slots: Box<[usize]>,
    /// How it is run.
    pub mode: Mode,
}

/// What becomes of a result that is no response.
pub enum Serialise {
    /// JSON, whatever it is.
    Json,
    /// JSON by a type.
    Typed(Typed),
    /// Text as it stands, of this media type.
    Text(String),
    /// Python makes the response.
    Other,
}

/// How a type's values become JSON.
pub struct Typed {
    /// The validator's `validate_python`.
    validate: Kept<PyAny>,
    /// `("from_attributes",)`, for the validator.
    by_attributes: Kept<PyTuple>,
    /// What the serialiser would write, where that is certain.
    plan: Option<model::Plan>,
    /// The serialiser's `to_json`.
    to_json: Kept<PyAny>,
    /// The names of the serialiser's options.
    names: Kept<PyTuple>,
    /// Their values.
    options: Box<[Kept<PyAny>]>,
}

/// A result as JSON.
pub enum Json<'py> {
    /// Written by our own plan.
    Planned(Document),
    /// Written by the type's serialiser.
    Asked(Bound<'py, PyBytes>),
}

impl Typed {
    /// `value` as JSON: validated, which also filters it, and serialised.
    pub fn json<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Json<'py>> {
        let py = value.py();
        let truth = PyBool::new(py, true).to_owned().into_any();
        let valid = ffi::call(
            self.validate.bind(py),
            &[value.clone(), truth],
            self.by_attributes.bind(py),
        )?;
        if let Some(plan) = &self.plan
            && let Some(body) = model::body(plan, &valid)?
        {
            return Ok(Json::Planned(body));
        }
        let options = self.options.iter().map(|option| option.bind(py).clone());
        let arguments: SmallVec<[Bound<'_, PyAny>; 4]> =
            std::iter::once(valid).chain(options).collect();
        let json = ffi::call(self.to_json.bind(py), &arguments, self.names.bind(py))?;
        Ok(Json::Asked(json.cast_into()?))
    }
}

impl Operation {
    /// Reads a `data_bridge.plan.types.Operation`, and what Rust does for it.
    pub fn read(operation: &Bound<'_, PyAny>, pattern: &RoutePattern) -> PyResult<(Self, Call)> {
        let py = operation.py();
        let mut params = Vec::new();
        let mut missing = Vec::new();
        for param in operation.getattr("params")?.try_iter()? {
            let param = param?;
            params.push(param::read(&param)?);
            missing.push(Missing {
                default: Kept::new(param.getattr("default")?.unbind()),
                make_default: optional(&param, "make_default")?,
                validate: optional(&param, "validate")?,
            });
        }
        let accept = optional(operation, "accept")?;
        let in_path = pattern
            .params()
            .map(|(name, kind)| (Kept::new(PyString::intern(py, name).unbind()), kind));
        let call = Call {
            params: params.into(),
        };
        let read = Self {
            path: pattern.as_str().into(),
            plan: Kept::new(operation.clone().unbind()),
            params: missing.into(),
            accept,
            takes_form: operation.getattr("takes_form")?.extract()?,
            bodies: operation.getattr("bodies")?.extract()?,
            is_native: operation.getattr("is_native")?.extract()?,
            direct: read_direct(operation)?,
            result: read_result(operation)?,
            status: operation.getattr("status")?.extract()?,
            in_path: in_path.collect(),
            on_disconnect: read_policy(&operation.getattr("on_disconnect")?)?,
            time_limit: read_limit(&operation.getattr("timeout")?)?,
        };
        Ok((read, call))
    }

    /// The parameters' values as objects; `None` where the reference path has to decide about one.
    pub fn slots<'py>(
        &self,
        py: Python<'py>,
        values: &[Value],
    ) -> PyResult<Option<Vec<Bound<'py, PyAny>>>> {
        let mut slots = Vec::with_capacity(values.len() + 1);
        for (value, param) in values.iter().zip(&self.params) {
            slots.push(match (value.argument(py)?, &param.validate) {
                (Decided::Certain(value), _) => value,
                (Decided::Default, _) => match &param.make_default {
                    Some(make) => make.bind(py).call0()?,
                    None => param.default.bind(py).clone(),
                },
                (Decided::Sent(sent), Some(validate)) => match validate.bind(py).call1((sent,)) {
                    Ok(value) => value,
                    Err(_) => return Ok(None),
                },
                (Decided::Sent(_), None) => return Ok(None),
            });
        }
        Ok(Some(slots))
    }
}

fn optional(owner: &Bound<'_, PyAny>, name: &str) -> PyResult<Option<Kept<PyAny>>> {
    let value = owner.getattr(name)?;
    Ok((!value.is_none()).then(|| Kept::new(value.unbind())))
}

fn read_direct(operation: &Bound<'_, PyAny>) -> PyResult<Option<Direct>> {
    let py = operation.py();
    let direct = operation.getattr("direct")?;
    if direct.is_none() {
        return Ok(None);
    }
    let mut names = Vec::new();
    let mut slots = Vec::new();
    for input in direct.getattr("inputs")?.try_iter()? {
        let (name, slot): (Bound<'_, PyAny>, usize) = input?.extract()?;
        names.push(interned(&name)?);
        slots.push(slot);
    }
    Ok(Some(Direct {
        function: Kept::new(direct.getattr("call")?.unbind()),
        names: Kept::new(PyTuple::new(py, names)?.unbind()),
        slots: slots.into(),
        mode: read_mode(&direct.getattr("mode")?.extract::<String>()?)?,
    }))
}

fn read_result(operation: &Bound<'_, PyAny>) -> PyResult<Serialise> {
    let py = operation.py();
    let result = operation.getattr("result")?;
    if result.is_none() {
        return Ok(Serialise::Other);
    }
    if let Some(media_type) = result.getattr("text_type")?.extract()? {
        return Ok(Serialise::Text(media_type));
    }
    let Some(validate) = optional(&result, "validate")? else {
        return Ok(Serialise::Json);
    };
    let mut names = Vec::new();
    let mut options = Vec::new();
    for option in result.getattr("options")?.try_iter()? {
        let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = option?.extract()?;
        names.push(interned(&name)?);
        options.push(Kept::new(value.unbind()));
    }
    let plan = match wishes(result.getattr("options")?.try_iter()?)? {
        Some(wishes) => model::read(&result.getattr("schema")?, wishes)?,
        None => None,
    };
    let by_attributes = PyTuple::new(py, [PyString::intern(py, "from_attributes")])?;
    Ok(Serialise::Typed(Typed {
        validate,
        plan,
        by_attributes: Kept::new(by_attributes.unbind()),
        to_json: Kept::new(result.getattr("to_json")?.unbind()),
        names: Kept::new(PyTuple::new(py, names)?.unbind()),
        options: options.into(),
    }))
}

/// The serialiser's options as a plan has them; `None` where one has no place there.
fn wishes(options: Bound<'_, PyIterator>) -> PyResult<Option<model::Wishes>> {
    let mut wishes = model::Wishes::default();
    for option in options {
        let (name, value): (String, Bound<'_, PyAny>) = option?.extract()?;
        match (name.as_str(), value.cast::<PyBool>().ok()) {
            ("by_alias", Some(flag)) => wishes.by_alias = Some(flag.is_true()),
            ("exclude_none", Some(flag)) => wishes.exclude_none = flag.is_true(),
            ("exclude_unset", Some(flag)) => wishes.exclude_unset = flag.is_true(),
            _ => return Ok(None),
        }
    }
    Ok(Some(wishes))
}

fn read_mode(name: &str) -> PyResult<Mode> {
    Ok(match name {
        "task" => Mode::Task,
        "thread" => Mode::Thread,
        "inline" => Mode::Inline,
        _ => return Err(unknown("mode", name)),
    })
}

fn read_policy(word: &Bound<'_, PyAny>) -> PyResult<Option<OnDisconnect>> {
    let word = word.extract::<Option<String>>()?;
    word.as_deref().map(OnDisconnect::read).transpose()
}

pub(super) fn read_limit(seconds: &Bound<'_, PyAny>) -> PyResult<Option<Duration>> {
    let seconds = seconds.extract::<Option<f64>>()?;
    let limit = seconds.map(Duration::try_from_secs_f64).transpose();
    limit.map_err(|error| PyValueError::new_err(format!("timeout: {error}")))
}
