//! Python's plan, read into api's. Knows routes and what calls them needs; knows neither connections nor how a call is run.
//!
//! The Python side of a plan is `data_bridge.plan.types`; its attributes are read here by name, once, at registration.

mod endpoint;
mod operation;
mod operations;
mod param;
mod table;
mod values;

pub use endpoint::{Endpoint, Mode, ResultPlan};
pub use operation::{Direct, Operation, Serialise};
pub use operations::{Operations, Planned, Routed};
pub use table::{Answer, Compiled, Decided, Match, Matched, Table};
pub use values::{Argument, Decided as DecidedValue, path_params};

use api::route::RoutePattern;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The parameters of a path pattern, with their converters: `[("id", "int")]`. `ValueError` for what is no pattern.
#[pyfunction]
pub fn parse_path(path: &str) -> PyResult<Vec<(String, &'static str)>> {
    let pattern =
        RoutePattern::parse(path).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(pattern
        .params()
        .map(|(name, kind)| (name.to_owned(), kind.name()))
        .collect())
}
