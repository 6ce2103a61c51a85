//! A foreign framework's routes, compiled; what the plan does not know of them is the app's own business.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use api::plan::{self, Decision, Fields, Plan, Route, Target, Values};
use api::route::{self, Captures, RoutePattern};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use super::operation::Operation;
use super::values::path_params;

/// The routes of one app. Made anew when they change; [`Operations::outdate`] says that they did.
#[pyclass(frozen, module = "data_bridge._native")]
pub struct Operations(Arc<Routed>);

/// What [`Operations`] share with the service that answers from them.
pub struct Routed {
    table: RwLock<Table>,
    outdated: AtomicBool,
    /// Whether 404 and 405 are `FastAPI`'s own, so that they may be answered here.
    answers: bool,
}

/// Read detached by the loop's thread; never locked across a call into Python.
#[derive(Default)]
struct Table {
    plan: Plan,
    /// By route number; `None` for those that the plan does not know.
    operations: Vec<Option<Arc<Operation>>>,
}

/// What a request amounts to.
pub enum Planned {
    /// The app itself answers.
    Reference,
    /// The answer where no route does.
    Answer(route::Answer),
    /// An operation, and its parameters' values.
    Found(Arc<Operation>, Captures, Values),
}

#[pymethods]
impl Operations {
    #[new]
    fn new(answers: bool) -> Self {
        Self(Arc::new(Routed {
            table: RwLock::new(Table {
                plan: Plan::new(true),
                operations: Vec::new(),
            }),
            outdated: AtomicBool::new(false),
            answers,
        }))
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
            Some(operation),
        )
    }

    /// Adds something that takes every method on `path`, and that only the app itself understands.
    fn add_foreign(&self, path: &str) -> PyResult<()> {
        let route = Route {
            pattern: RoutePattern::parse(path).map_err(refuse)?,
            methods: Vec::new(),
            target: Target::Foreign,
        };
        self.insert(route, None)
    }

    /// The routes have changed: from now on the app itself answers everything.
    fn outdate(&self) {
        self.0.outdated.store(true, Ordering::Release);
    }

    /// Finds the operation for a request, with the path's parameters and the values of its own; `None` where the app
    /// itself has to answer.
    fn r#match<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        path: &str,
        query: &[u8],
        headers: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Match<'py>>> {
        let fields = headers.try_iter()?.map(|field| field?.extract());
        let Ok(fields) = fields.collect::<PyResult<Vec<_>>>() else {
            return Ok(None); // pairs of another form than servers make them
        };
        let request = plan::Request {
            path,
            query,
            fields: &Scope(&fields),
        };
        let Planned::Found(operation, captures, values) = self.0.decide(method, b"", request)
        else {
            return Ok(None);
        };
        let Some(slots) = operation.slots(py, &values)? else {
            return Ok(None);
        };
        let params = path_params(py, &operation.in_path, &captures, path)?;
        let plan = operation.plan.bind(py).clone();
        Ok(Some((plan, params, PyList::new(py, slots)?)))
    }
}

/// The operation, the path's parameters, the values of its own.
type Match<'py> = (Bound<'py, PyAny>, Bound<'py, PyDict>, Bound<'py, PyList>);

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

    fn insert(&self, route: Route, operation: Option<Operation>) -> PyResult<()> {
        let mut table = self.0.table.write().unwrap_or_else(PoisonError::into_inner);
        table.plan.add(route).map_err(refuse)?;
        table.operations.push(operation.map(Arc::new));
        Ok(())
    }
}

impl Routed {
    /// Finds what answers a request. Needs no interpreter.
    pub fn decide(&self, method: &str, raw_path: &[u8], request: plan::Request<'_>) -> Planned {
        // Python's `$` also matches before a line's end: such a path is the app's to judge.
        if self.is_outdated() || request.path.contains('\n') {
            return Planned::Reference;
        }
        let table = self.read();
        match table
            .plan
            .decide(method, request.path, raw_path, request.query)
        {
            Decision::Python(id, call, captures) => match table.operations.get(id as usize) {
                Some(Some(operation)) => match plan::extract(&call.params, request, &captures) {
                    Ok(values) => Planned::Found(Arc::clone(operation), captures, values),
                    Err(plan::Refusal) => Planned::Reference,
                },
                _ => Planned::Reference,
            },
            Decision::Answer(answer) if self.answers && answer.is_plain() => {
                Planned::Answer(answer)
            }
            _ => Planned::Reference,
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

fn refuse(error: impl std::error::Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}
