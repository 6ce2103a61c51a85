//! Routes and what answers them, as one table. Data, and the way from a request's line to a decision.

use std::sync::Arc;

use bytes::Bytes;

use super::param::Param;
use crate::route::{Answer, Captures, MethodError, Outcome, RouteId, RoutePattern, Router};

/// A route that Python answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its parameters.
    pub params: Box<[Param]>,
}

/// A complete answer, decided at registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constant {
    /// The route's path, as it was declared.
    pub path: Arc<str>,
    /// The status code.
    pub status: u16,
    /// The header fields, the content type among them.
    pub headers: Box<[(Bytes, Bytes)]>,
    /// The body.
    pub body: Bytes,
}

/// What answers a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// T0: the same bytes each time. Shared, so that a connection may hold it beyond the table's lock.
    Constant(Arc<Constant>),
    /// A Python endpoint.
    Python(Call),
    /// A handler in Rust, which whoever made the plan knows; `takes_all`: whatever method.
    Native {
        /// Whether it takes every method.
        takes_all: bool,
    },
    /// Something that the plan does not know: whatever method, the reference path answers.
    Foreign,
}

/// One route of the plan.
#[derive(Debug)]
pub struct Route {
    /// Its path.
    pub pattern: RoutePattern,
    /// Its methods.
    pub methods: Vec<String>,
    /// What answers it.
    pub target: Target,
}

/// All routes of an application, in the order of their registration.
#[derive(Debug, Default)]
pub struct Plan {
    router: Router,
    targets: Vec<Target>,
    /// Whether a path with a slash too many or too few is redirected.
    redirect_slashes: bool,
}

/// What a request's line amounts to.
#[derive(Debug)]
pub enum Decision<'p> {
    /// The same bytes each time.
    Constant(&'p Arc<Constant>),
    /// Python, by this route.
    Python(RouteId, &'p Call, Captures),
    /// A handler in Rust, by this route.
    Native(RouteId, Captures),
    /// No route: the answer that says so.
    Answer(Answer),
    /// The reference path, for this route.
    Foreign(RouteId),
}

impl Plan {
    /// An empty plan; `redirect_slashes` says whether a path with a slash too many or too few is redirected or unknown.
    pub fn new(redirect_slashes: bool) -> Self {
        Self {
            redirect_slashes,
            ..Self::default()
        }
    }

    /// Adds a route after all others.
    pub fn add(&mut self, route: Route) -> Result<RouteId, MethodError> {
        let takes_all = matches!(
            route.target,
            Target::Foreign | Target::Native { takes_all: true }
        );
        let id = if takes_all {
            self.router.add_any(route.pattern)
        } else {
            self.router
                .add(route.pattern, route.methods.iter().map(String::as_str))?
        };
        self.targets.push(route.target);
        Ok(id)
    }

    /// Decides on a request; `path` is the percent-decoded form of `raw_path`.
    pub fn decide(&self, method: &str, path: &str, raw_path: &[u8], query: &[u8]) -> Decision<'_> {
        let outcome = match self.router.find(method, path) {
            Outcome::Found(id, captures) => match self.targets.get(id as usize) {
                Some(Target::Constant(constant)) => return Decision::Constant(constant),
                Some(Target::Python(call)) => return Decision::Python(id, call, captures),
                Some(Target::Native { .. }) => return Decision::Native(id, captures),
                Some(Target::Foreign) => return Decision::Foreign(id),
                None => Outcome::NotFound,
            },
            Outcome::Redirect if !self.redirect_slashes => Outcome::NotFound,
            refusal => refusal,
        };
        Decision::Answer(Answer::to(&outcome, raw_path, query).unwrap_or_else(Answer::not_found))
    }
}
