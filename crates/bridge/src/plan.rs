//! Python's plan, read into api's. Knows routes and what calls them needs; knows neither connections nor how a call is run.
//!
//! The Python side of a plan is `data_bridge.plan.types`; its attributes are read here by name, once, at registration.

mod operation;
mod operations;
mod param;
mod values;

pub use operation::{Direct, Json, Mode, Operation, Serialise};
pub use operations::{Answer, Found, Operations, Planned, Routed};
pub use values::path_params;

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
