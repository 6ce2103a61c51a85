//! The bound of a request's body. A longer one, and one whose length is not known, is the app's to count.

use super::{Layer, Met, Request};

/// The most bytes that a body may have.
pub struct Limit(pub u64);

impl Layer for Limit {
    fn meet<'a>(&'a self, request: &'a dyn Request) -> Met<'a> {
        match request.body_length() {
            Some(length) if length <= self.0 => Met::Passes,
            _ => Met::Leaves,
        }
    }
}
