//! The compiled table, as Python fills it and as requests ask it, with the interpreter or without.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use api::plan::{self, Constant, Decision, Plan, Route, Target, Values};
use api::route::{self, Captures, RoutePattern};
use bytes::Bytes;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use super::endpoint::Endpoint;
use super::values::{self, Argument, path_params};

/// The routes of an application, compiled.
#[pyclass(frozen, module = "data_bridge._native")]
pub struct Table(Arc<Compiled>);

/// What a [`Table`] shares with the service that answers from it.
#[derive(Default)]
pub struct Compiled(RwLock<Routes>);

/// Read detached by the loop's thread, written by whichever thread registers; never locked across a call into Python.
#[derive(Default)]
struct Routes {
    plan: Plan,
    /// By route number; `None` for those that Python does not answer.
    endpoints: Vec<Option<Arc<Endpoint>>>,
}

/// What a request's line amounts to.
pub enum Decided {
    /// The same bytes each time.
    Constant(Arc<Constant>),
    /// No route: the answer that says so.
    Answer(route::Answer),
    /// Python answers.
    Call(Matched),
}

/// A route that matched.
pub struct Matched {
    /// The route's Python half.
    pub endpoint: Arc<Endpoint>,
    /// What the path's parameters took.
    pub captures: Captures,
    /// The parameters' values, or `None` where the reference path has to decide.
    pub values: Option<Values>,
}

/// A complete answer that needs no handler.
#[pyclass(frozen, get_all, module = "data_bridge._native")]
pub struct Answer {
    status: u16,
    headers: Py<PyList>,
    body: Py<PyBytes>,
}

/// A route that matched, and its arguments as far as the plan understood the request.
#[pyclass(frozen, get_all, module = "data_bridge._native")]
pub struct Match {
    /// The `data_bridge.plan.types.Call`.
    call: Py<PyAny>,
    /// The path's parameters, converted as the pattern says.
    path_params: Py<PyDict>,
    /// The endpoint's arguments, if these are all of them and beyond doubt; else the reference path finds them.
    arguments: Option<Py<PyDict>>,
}

#[pymethods]
impl Table {
    #[new]
    fn new(redirect_slashes: bool) -> Self {
        let routes = Routes {
            plan: Plan::new(redirect_slashes),
            endpoints: Vec::new(),
        };
        Self(Arc::new(Compiled(RwLock::new(routes))))
    }

    /// Adds a `data_bridge.plan.types.Route` after all others. `ValueError` for a path or method that cannot be.
    fn add(&self, route: &Bound<'_, PyAny>) -> PyResult<()> {
        let text: String = route.getattr("path")?.extract()?;
        let pattern = RoutePattern::parse(&text).map_err(refuse)?;
        let methods = route.getattr("methods")?.extract()?;
        let (endpoint, target) = if route.hasattr("endpoint")? {
            let (endpoint, call) = Endpoint::read(route, &pattern)?;
            (Some(Arc::new(endpoint)), Target::Python(call))
        } else {
            (None, Target::Constant(Arc::new(read_constant(route)?)))
        };
        let mut routes = self.0.write();
        routes
            .plan
            .add(Route {
                pattern,
                methods,
                target,
            })
            .map_err(refuse)?;
        routes.endpoints.push(endpoint);
        Ok(())
    }

    /// Decides on a request; `path` is the percent-decoded form of `raw_path`.
    fn r#match<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        path: &str,
        raw_path: &[u8],
        query: &[u8],
    ) -> PyResult<Bound<'py, PyAny>> {
        match self.0.decide(method, path, raw_path, query) {
            Decided::Constant(constant) => {
                let headers = constant
                    .headers
                    .iter()
                    .map(|(name, value)| (&name[..], &value[..]));
                Answer::object(py, constant.status, headers, &constant.body)
            }
            Decided::Answer(answer) => {
                let headers = answer
                    .headers()
                    .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
                Answer::object(py, answer.status, headers, answer.body)
            }
            Decided::Call(matched) => matched.into_python(py, path),
        }
    }
}

impl Table {
    /// The routes, for a service; what is added later is added there too.
    pub fn compiled(&self) -> Arc<Compiled> {
        Arc::clone(&self.0)
    }
}

impl Compiled {
    /// [`Plan::decide`] and, for a Python route, [`plan::extract`]. Needs no interpreter.
    pub fn decide(&self, method: &str, path: &str, raw_path: &[u8], query: &[u8]) -> Decided {
        let request = plan::Request {
            path,
            query,
            fields: &(),
        };
        let routes = self.read();
        match routes.plan.decide(method, path, raw_path, query) {
            Decision::Constant(constant) => Decided::Constant(Arc::clone(constant)),
            Decision::Answer(answer) => Decided::Answer(answer),
            Decision::Python(id, call, captures) => match routes.endpoints.get(id as usize) {
                Some(Some(endpoint)) => {
                    let endpoint = Arc::clone(endpoint);
                    let values = match call.tier {
                        plan::Tier::Compiled => {
                            plan::extract(&call.params, request, &captures).ok()
                        }
                        plan::Tier::Reference => None,
                    };
                    Decided::Call(Matched {
                        endpoint,
                        captures,
                        values,
                    })
                }
                _ => Decided::Answer(route::Answer::not_found()),
            },
            // An `App` registers none.
            Decision::Foreign(_) => Decided::Answer(route::Answer::not_found()),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Routes> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Routes> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Matched {
    /// The match as a foreign server's request needs it.
    fn into_python<'py>(self, py: Python<'py>, path: &str) -> PyResult<Bound<'py, PyAny>> {
        let endpoint = &self.endpoint;
        let complete =
            endpoint.document.is_none() && !endpoint.wants_request && !endpoint.wants_background;
        let arguments = match &self.values {
            Some(values) if complete => arguments(py, endpoint, values)?,
            _ => None,
        };
        let found = Match {
            call: endpoint.call.get(py).clone_ref(py),
            path_params: path_params(py, &endpoint.in_path, &self.captures, path)?.unbind(),
            arguments: arguments.map(Bound::unbind),
        };
        Ok(Bound::new(py, found)?.into_any())
    }
}

impl Answer {
    fn object<'py, 'a>(
        py: Python<'py>,
        status: u16,
        headers: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        body: &[u8],
    ) -> PyResult<Bound<'py, PyAny>> {
        let list = PyList::empty(py);
        if status != 204 {
            let length = body.len().to_string();
            list.append((
                PyBytes::new(py, b"content-length"),
                PyBytes::new(py, length.as_bytes()),
            ))?;
        }
        for (name, value) in headers {
            list.append((PyBytes::new(py, name), PyBytes::new(py, value)))?;
        }
        let answer = Self {
            status,
            headers: list.unbind(),
            body: PyBytes::new(py, body).unbind(),
        };
        Ok(Bound::new(py, answer)?.into_any())
    }
}

fn read_constant(route: &Bound<'_, PyAny>) -> PyResult<Constant> {
    let headers: Vec<(Vec<u8>, Vec<u8>)> = route.getattr("headers")?.extract()?;
    let status = route.getattr("status_code")?.extract()?;
    if !(200..=599).contains(&status) {
        return Err(PyValueError::new_err(format!(
            "{status} is not a final status"
        )));
    }
    if headers
        .iter()
        .any(|(name, value)| !fits_a_header(name, value))
    {
        return Err(PyValueError::new_err(
            "a header has a name or value that cannot be sent",
        ));
    }
    let headers = headers
        .into_iter()
        .map(|(name, value)| (Bytes::from(name), Bytes::from(value)));
    Ok(Constant {
        status,
        headers: headers.collect(),
        body: Bytes::from(route.getattr("content")?.extract::<Vec<u8>>()?),
    })
}

fn fits_a_header(name: &[u8], value: &[u8]) -> bool {
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let text = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
    !name.is_empty() && name.iter().all(token) && value.iter().all(text)
}

fn refuse(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// The endpoint's arguments by name; `None` where the plan does not decide on all of them.
fn arguments<'py>(
    py: Python<'py>,
    endpoint: &Endpoint,
    values: &Values,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    let arguments = PyDict::new(py);
    let plan = values.iter().zip(&endpoint.defaults);
    for ((value, default), name) in plan.zip(endpoint.names.bind(py)) {
        match value.argument(py)? {
            values::Decided::Default => arguments.set_item(name, default.bind(py))?,
            values::Decided::Certain(value) => arguments.set_item(name, value)?,
            values::Decided::Sent(_) => return Ok(None),
        }
    }
    Ok(Some(arguments))
}
