//! Which route of an app answers, as a template, by what its framework leaves in the scope: for those who count. Knows no messages.
//!
//! Frameworks say it in one of two ways: a text, `path_template` (Litestar), or an object with a `path`, `route` (Starlette
//! and those built on it), where `root_path` has grown by what mounts have taken since `app_root_path`. What says nothing, or nothing that
//! can be a template, stays without a name.

use std::cell::RefCell;

use api::exchange::Exchange;
use pyloop::gil::Kept;
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// The scope of a call until its answer begins. Not longer: an app may put into the scope what refers to the call.
#[derive(Default)]
pub struct Routing(RefCell<Option<Kept<PyDict>>>);

impl Routing {
    /// Holds the scope, if somebody counts by routes and nobody has found this one yet.
    pub fn watch(&self, scope: &Bound<'_, PyDict>, exchange: &Exchange) {
        if exchange.wants_route() {
            self.0.replace(Some(Kept::new(scope.clone().unbind())));
        }
    }

    /// The answer begins, or never will.
    pub fn settle(&self, py: Python<'_>, exchange: &Exchange) {
        let Some(scope) = self.0.take() else { return };
        // What an app's objects raise when they are looked at is no matter of this request.
        if let Ok(Some(template)) = template(scope.bind(py)) {
            exchange.name_route(&template);
        }
    }
}

fn template(scope: &Bound<'_, PyDict>) -> PyResult<Option<String>> {
    let py = scope.py();
    let (route, mounts) = (route(scope)?, mounts(scope)?);
    let template = match (scope.get_item(intern!(py, "path_template"))?, &mounts) {
        (Some(template), None) => text_of(&template),
        (Some(template), Some(mounts)) => {
            // Under a mount with parameters what it has taken is no template.
            let mount = route.map(|mount| path_of(&mount)).transpose()?.flatten();
            let template = text_of(&template).filter(|_| mount.as_ref() == Some(mounts));
            template.map(|template| mounts.clone() + &template)
        }
        (None, None) => route.map(|route| path_of(&route)).transpose()?.flatten(),
        (None, Some(mounts)) => in_mounts(scope, route, mounts)?,
    };
    Ok(template.filter(|template| template.starts_with('/')))
}

/// The template of a route, or of all that an app answers that has none, below mounts that have taken `mounts` of the path.
fn in_mounts(
    scope: &Bound<'_, PyDict>,
    route: Option<Bound<'_, PyAny>>,
    mounts: &str,
) -> PyResult<Option<String>> {
    let py = scope.py();
    let taken = scope.get_item(intern!(py, "path_params"))?;
    let taken = taken.map_or(Ok(0), |taken| taken.len())?;
    // The last mount is the last route where the app in it has no routes, or found none.
    let route = match route {
        Some(route) if !route.hasattr(intern!(py, "routes"))? => Some(route),
        _ => None,
    };
    let (path, own) = match route {
        Some(route) => (
            path_of(&route)?,
            route.getattr(intern!(py, "param_convertors"))?.len()?,
        ),
        None => (Some("/{path}".to_owned()), 0),
    };
    // The others are the mounts', whose text is no template then.
    let path = path.filter(|_| taken == own);
    Ok(path.map(|path| mounts.to_owned() + &path))
}

/// What mounts have taken of the path, where there are any.
fn mounts(scope: &Bound<'_, PyDict>) -> PyResult<Option<String>> {
    let py = scope.py();
    let Some(own) = scope.get_item(intern!(py, "app_root_path"))? else {
        return Ok(None);
    };
    let whole = scope.get_item(intern!(py, "root_path"))?;
    let (whole, own) = (whole.as_ref().and_then(text_of), text_of(&own));
    let taken = whole.zip(own).and_then(|(whole, own)| {
        let taken = whole.strip_prefix(own.as_str())?;
        Some(taken.to_owned())
    });
    let nonsense =
        || PyValueError::new_err("the scope's root_path does not go on from its app_root_path");
    taken.map(Some).ok_or_else(nonsense)
}

/// The object that is the route. Of a router that was included in another, the framework's record: it has the whole path.
fn route<'py>(scope: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = scope.py();
    let route = scope.get_item(intern!(py, "route"))?;
    let Some(more) = scope.get_item(intern!(py, "fastapi"))? else {
        return Ok(route);
    };
    let key = intern!(py, "effective_route_context");
    let Some(record) = more.cast::<PyDict>()?.get_item(key)? else {
        return Ok(route);
    };
    let original = record.getattr(intern!(py, "original_route"))?;
    // A mount in that router may have led to another route.
    if route.as_ref().is_some_and(|route| !route.is(&original)) {
        return Ok(route);
    }
    let starlettes = record.getattr(intern!(py, "starlette_route"))?;
    let route = if starlettes.is_none() {
        record
    } else {
        starlettes
    };
    Ok(Some(route))
}

fn path_of(route: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    let path = route.getattr(intern!(route.py(), "path"))?;
    Ok(text_of(&path))
}

fn text_of(text: &Bound<'_, PyAny>) -> Option<String> {
    let text = text.cast::<PyString>().ok()?.to_str().ok()?;
    Some(text.to_owned())
}
