//! The routes of an app, compiled, as Python fills the table and as requests ask it, with the interpreter or without.
//!
//! What the plan does not know of a foreign framework's routes is that app's own business.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use api::plan::{self, Constant, Decision, Fields, Plan, Route, Target, Values};
use api::route::{self, Captures, RoutePattern};
use bytes::Bytes;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use super::operation::{Operation, read_limit};
use super::param::unknown;
use super::values::path_params;
use crate::native::{NativeHandler, NativeOperation};

/// The routes of one app. Those of a foreign framework are made anew when they change; [`Operations::outdate`] says that
/// they did.
#[pyclass(frozen, module = "data_bridge._native")]
pub struct Operations(Arc<Routed>);

/// What [`Operations`] share with the service that answers from them.
pub struct Routed {
    table: RwLock<Table>,
    outdated: AtomicBool,
    answers: Answers,
}

/// Which requests without a route are answered by the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answers {
    /// All: the app is our own.
    All,
    /// 404 and 405, where they are `FastAPI`'s own.
    Plain,
    /// None.
    Nothing,
}

/// Read detached by the loop's thread; never locked across a call into Python.
#[derive(Default)]
struct Table {
    plan: Plan,
    /// By route number.
    endpoints: Vec<Endpoint>,
}

/// What answers a route, beside what the plan knows of it.
enum Endpoint {
    /// An operation of Python's.
    Python(Arc<Operation>),
    /// A handler in Rust.
    Native(Arc<NativeOperation>),
    /// Nothing.
    None,
}

/// What a request amounts to.
pub enum Planned {
    /// The app itself answers.
    Reference,
    /// The same bytes each time.
    Constant(Arc<Constant>),
    /// A handler in Rust answers.
    Native(Arc<NativeOperation>, Captures),
    /// The answer where no route does.
    Answer(route::Answer),
    /// An operation answers.
    Found(Found),
}

/// An operation that was found for a request.
pub struct Found {
    /// The operation.
    pub operation: Arc<Operation>,
    /// What the path's parameters took.
    pub captures: Captures,
    /// The parameters' values; `None` where the reference has to decide about one.
    pub values: Option<Values>,
}

/// A complete answer that needs no handler.
#[pyclass(frozen, get_all, module = "data_bridge._native")]
pub struct Answer {
    status: u16,
    headers: Py<PyList>,
    body: Py<PyBytes>,
}

#[pymethods]
impl Operations {
    /// `answers` says which requests without a route are answered here: `"all"`, `"plain"` (404 and 405) or `"nothing"`.
    #[new]
    #[pyo3(signature = (answers, redirect_slashes=true))]
    fn new(answers: &str, redirect_slashes: bool) -> PyResult<Self> {
        let answers = match answers {
            "all" => Answers::All,
            "plain" => Answers::Plain,
            "nothing" => Answers::Nothing,
            _ => return Err(unknown("kind of answers", answers)),
        };
        Ok(Self(Arc::new(Routed {
            table: RwLock::new(Table {
                plan: Plan::new(redirect_slashes),
                endpoints: Vec::new(),
            }),
            outdated: AtomicBool::new(false),
            answers,
        })))
    }

    /// Adds a `data_bridge.plan.types.Operation` after all others. `ValueError` for a path or method that cannot be.
    fn add(&self, operation: &Bound<'_, PyAny>) -> PyResult<()> {
        let text: String = operation.getattr("path")?.extract()?;
        let pattern = RoutePattern::parse(&text).map_err(refuse)?;
        let methods = operation.getattr("methods")?.extract()?;
        let (operation, call) = Operation::read(operation, &pattern)?;
        self.insert(
            Route {
                pattern,
                methods,
                target: Target::Python(call),
            },
            Endpoint::Python(Arc::new(operation)),
        )
    }

    /// Adds a `data_bridge.plan.types.Native` after all others. `ValueError` for a path or method that cannot be.
    fn add_native(&self, native: &Bound<'_, PyAny>) -> PyResult<()> {
        let text: String = native.getattr("path")?.extract()?;
        let pattern = RoutePattern::parse(&text).map_err(refuse)?;
        let methods: Option<Vec<String>> = native.getattr("methods")?.extract()?;
        let handler = native.getattr("handler")?.cast_into::<NativeHandler>()?;
        let operation = NativeOperation::new(
            handler.get().foreign(),
            &pattern,
            methods.is_none(),
            read_limit(&native.getattr("timeout")?)?,
        );
        let route = Route {
            pattern,
            target: Target::Native {
                takes_all: methods.is_none(),
            },
            methods: methods.unwrap_or_default(),
        };
        self.insert(route, Endpoint::Native(Arc::new(operation)))
    }

    /// Adds a `data_bridge.plan.types.Constant` after all others. `ValueError` for what cannot be sent.
    fn add_constant(&self, constant: &Bound<'_, PyAny>) -> PyResult<()> {
        let text: String = constant.getattr("path")?.extract()?;
        let route = Route {
            pattern: RoutePattern::parse(&text).map_err(refuse)?,
            methods: constant.getattr("methods")?.extract()?,
            target: Target::Constant(Arc::new(read_constant(constant, &text)?)),
        };
        self.insert(route, Endpoint::None)
    }

    /// Adds something that takes every method on `path`, and that only the app itself understands.
    fn add_foreign(&self, path: &str) -> PyResult<()> {
        let route = Route {
            pattern: RoutePattern::parse(path).map_err(refuse)?,
            methods: Vec::new(),
            target: Target::Foreign,
        };
        self.insert(route, Endpoint::None)
    }

    /// The routes have changed: from now on the app itself answers everything.
    fn outdate(&self) {
        self.0.outdated.store(true, Ordering::Release);
    }

    /// Finds the operation for a request, with the path's parameters and the values of its own (`None` for these where
    /// the reference has to decide), or the answer that needs none; `None` where the app itself has to answer.
    /// `path` is the percent-decoded form of `raw_path`.
    fn r#match<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        path: &str,
        raw_path: &[u8],
        query: &[u8],
        headers: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let fields = headers.try_iter()?.map(|field| field?.extract());
        let Ok(fields) = fields.collect::<PyResult<Vec<_>>>() else {
            return Ok(None); // pairs of another form than servers make them
        };
        let request = plan::Request {
            path,
            query,
            fields: &Scope(&fields),
        };
        match self.0.decide(method, raw_path, request) {
            // Under another server, the route's own ASGI face answers.
            Planned::Reference | Planned::Native(..) => Ok(None),
            Planned::Constant(constant) => {
                let headers = constant.headers.iter();
                let headers = headers.map(|(name, value)| (&name[..], &value[..]));
                Answer::object(py, constant.status, headers, &constant.body).map(Some)
            }
            Planned::Answer(answer) => {
                let headers = answer.headers();
                let headers = headers.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
                Answer::object(py, answer.status, headers, answer.body).map(Some)
            }
            Planned::Found(found) => found.into_python(py, path).map(Some),
        }
    }
}

impl Found {
    /// The operation, the path's parameters, the values of its own.
    fn into_python<'py>(self, py: Python<'py>, path: &str) -> PyResult<Bound<'py, PyAny>> {
        let operation = &self.operation;
        let slots = match &self.values {
            Some(values) => operation.slots(py, values)?,
            None => None,
        };
        let slots = slots.map(|slots| PyList::new(py, slots)).transpose()?;
        let params = path_params(py, &operation.in_path, &self.captures, path)?;
        let found = (operation.plan.bind(py), params, slots);
        Ok(found.into_pyobject(py)?.into_any())
    }
}

/// The fields of an ASGI scope.
struct Scope<'a, 'py>(&'a [(Bound<'py, PyBytes>, Bound<'py, PyBytes>)]);

impl Fields for Scope<'_, '_> {
    fn each(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        for (name, value) in self.0 {
            visit(name.as_bytes(), value.as_bytes());
        }
    }
}

impl Operations {
    /// The routes, for a service.
    pub fn routed(&self) -> Arc<Routed> {
        Arc::clone(&self.0)
    }

    fn insert(&self, route: Route, endpoint: Endpoint) -> PyResult<()> {
        let mut table = self.0.table.write().unwrap_or_else(PoisonError::into_inner);
        table.plan.add(route).map_err(refuse)?;
        table.endpoints.push(endpoint);
        Ok(())
    }
}

impl Routed {
    /// Finds what answers a request. Needs no interpreter.
    pub fn decide(&self, method: &str, raw_path: &[u8], request: plan::Request<'_>) -> Planned {
        if self.is_outdated() || self.leaves(request.path) {
            return Planned::Reference;
        }
        let table = self.read();
        match table
            .plan
            .decide(method, request.path, raw_path, request.query)
        {
            Decision::Constant(constant) => Planned::Constant(Arc::clone(constant)),
            Decision::Native(id, captures) => match table.endpoints.get(id as usize) {
                Some(Endpoint::Native(native)) => Planned::Native(Arc::clone(native), captures),
                _ => Planned::Reference,
            },
            Decision::Python(id, call, captures) => match table.endpoints.get(id as usize) {
                Some(Endpoint::Python(operation)) => Planned::Found(Found {
                    operation: Arc::clone(operation),
                    values: plan::extract(&call.params, request, &captures).ok(),
                    captures,
                }),
                _ => Planned::Reference,
            },
            Decision::Answer(answer) if self.sends(&answer) => Planned::Answer(answer),
            Decision::Answer(_) | Decision::Foreign(_) => Planned::Reference,
        }
    }

    /// Whether a path is a foreign app's to judge: Python's `$` also matches before a line's end.
    fn leaves(&self, path: &str) -> bool {
        self.answers != Answers::All && path.contains('\n')
    }

    fn sends(&self, answer: &route::Answer) -> bool {
        match self.answers {
            Answers::All => true,
            Answers::Plain => answer.is_plain(),
            Answers::Nothing => false,
        }
    }

    /// Whether the routes have changed since they were compiled.
    pub fn is_outdated(&self) -> bool {
        self.outdated.load(Ordering::Acquire)
    }

    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
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

fn read_constant(route: &Bound<'_, PyAny>, path: &str) -> PyResult<Constant> {
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
        path: path.into(),
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

fn refuse(error: impl std::error::Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}
