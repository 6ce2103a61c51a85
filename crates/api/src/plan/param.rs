//! A parameter: where it comes from and what it may be. Data only.

use super::scalar::Scalar;

/// Where a parameter's text stands in the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In the path: the pattern's parameter with this number.
    Path(usize),
    /// In the query (names are decoded); the last one counts.
    Query(Names),
    /// In the header fields (names in lower case); the first one counts.
    Header(Names),
    /// In the cookies; the last one counts.
    Cookie(Names),
}

/// The names by which a parameter goes, the preferred one first.
pub type Names = Box<[Box<str>]>;

/// A parameter of a route, in the order in which the endpoint's arguments are built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// Where it comes from.
    pub source: Source,
    /// What it may be.
    pub scalar: Scalar,
    /// Whether all values of its name belong to it, as a list.
    pub many: bool,
    /// Whether a request without it is wrong.
    pub required: bool,
}
