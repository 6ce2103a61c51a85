//! Handlers in Rust from the user's own modules, as Python sees them. The way between them and us is `api::native::foreign`.

mod call;
mod carrier;
mod sources;

use std::sync::Arc;
use std::time::Duration;

use api::native::foreign::{Foreign, ForeignError, Matched};
use api::route::{Captures, RoutePattern};
use pyloop::gil;
use pyo3::exceptions::{PyImportError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

pub use self::call::NativeCall;
pub use self::sources::sdk_sources;
use crate::ffi;

/// A handler of another extension module.
#[pyclass(frozen, module = "data_bridge._native")]
pub struct NativeHandler {
    foreign: Arc<Foreign>,
    description: String,
}

#[pymethods]
impl NativeHandler {
    /// The handler in a capsule. `TypeError` for another kind of capsule, `ImportError` for one of another version.
    #[new]
    fn new(capsule: &Bound<'_, PyCapsule>) -> PyResult<Self> {
        let foreign = ffi::handler(capsule)?;
        let describe = |error: ForeignError| PyImportError::new_err(error.to_string());
        let description = foreign.describe().map_err(describe)?;
        Ok(Self {
            foreign: Arc::new(foreign),
            description,
        })
    }

    /// What the handler says of itself: JSON, see docs/design/0026.
    #[getter]
    fn description(&self) -> &str {
        &self.description
    }

    /// Has the module make what its handlers share, once. `RuntimeError` where it cannot.
    fn start(&self, py: Python<'_>) -> PyResult<()> {
        let started = gil::detach(py, || self.foreign.start());
        started.map_err(|error| PyRuntimeError::new_err(error.to_string()))
    }

    /// Lets the module drop that, where this handler was started.
    fn stop(&self, py: Python<'_>) {
        gil::detach(py, || self.foreign.stop());
    }
}

impl NativeHandler {
    pub fn foreign(&self) -> Arc<Foreign> {
        Arc::clone(&self.foreign)
    }
}

/// The Rust half of a `data_bridge.plan.types.Native`.
pub struct NativeOperation {
    /// The route's path, as it was declared.
    pub path: Arc<str>,
    pub handler: Arc<Foreign>,
    names: Arc<[Box<str>]>,
    /// Whether all that is below the path is the handler's; the last parameter is what is below it then.
    is_mount: bool,
    /// How long the response may take to begin, where the route says so.
    pub time_limit: Option<Duration>,
}

impl NativeOperation {
    /// A handler on a path.
    pub fn new(
        handler: Arc<Foreign>,
        pattern: &RoutePattern,
        is_mount: bool,
        time_limit: Option<Duration>,
    ) -> Self {
        let path = pattern.as_str();
        // What is below a mount is no template of its own.
        let path = match path.rsplit_once("/{") {
            Some(("", _)) if is_mount => "/",
            Some((mount, _)) if is_mount => mount,
            _ => path,
        };
        Self {
            path: path.into(),
            handler,
            names: pattern.params().map(|(name, _)| name.into()).collect(),
            is_mount,
            time_limit,
        }
    }

    /// Where the path of a request was matched.
    pub fn matched(&self, raw_path: &[u8], captures: Captures) -> Matched {
        let below = captures.len().checked_sub(1);
        let below = below.and_then(|last| captures.range(last));
        let prefix = match below {
            _ if !self.is_mount => 0,
            // Without the slash, which belongs to what is below.
            Some(below) => raw_length(raw_path, below.start.saturating_sub(1)),
            None => raw_path.len(),
        };
        Matched {
            names: Arc::clone(&self.names),
            captures,
            prefix,
        }
    }
}

/// How many bytes of a percent-encoded path stand for `decoded` bytes.
fn raw_length(raw_path: &[u8], decoded: usize) -> usize {
    let mut at = 0;
    for _ in 0..decoded {
        let escape = raw_path.get(at..at + 3);
        let is_escape = escape.is_some_and(|escape| {
            escape[0] == b'%' && escape[1..].iter().all(u8::is_ascii_hexdigit)
        });
        at += if is_escape { 3 } else { 1 };
    }
    at.min(raw_path.len())
}
