//! A parameter: where it comes from and what it may be. Data only.

use super::scalar::Scalar;

/// Where a parameter's text stands in the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In the path: the pattern's parameter with this number.
    Path(usize),
    /// In the query, under this name (decoded); the last one counts.
    Query(Box<str>),
}

/// A parameter of a route, in the order in which the endpoint's arguments are built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// Where it comes from.
    pub source: Source,
    /// What it may be.
    pub scalar: Scalar,
    /// Whether a request without it is wrong.
    pub required: bool,
}
