//! Routing for the App: patterns, their trie, and what a method and a path amount to. Knows no handler.

mod answer;
mod capture;
mod methods;
mod pattern;
mod router;
mod tree;

pub use answer::{Answer, redirect_target};
pub use capture::Captures;
pub use methods::{MethodError, MethodSet, Methods};
pub use pattern::{ParamKind, PatternError, RoutePattern};
pub use router::{Outcome, Router};
pub use tree::{Candidates, RouteId};
