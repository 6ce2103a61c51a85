//! The path's parameters.

use crate::describe::Operation;
use crate::extract::FromRequest;
use crate::pairs;
use crate::rejection::Rejection;
use crate::request::Request;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::borrow::Cow;

/// The parameters of the path: one value, a tuple of them in the path's order, or a struct by their names.
///
/// The names of the argument's pattern are compared with the path's at registration: `Path(id): Path<u64>` answers on
/// `/price/{id}`, and not on `/price/{item}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + JsonSchema> FromRequest for Path<T> {
    async fn from_request(request: &mut Request) -> Result<Self, Rejection> {
        let params = request.params();
        let params = params.map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)));
        let params: Vec<_> = params.collect();
        pairs::read(&params)
            .map(Self)
            .map_err(|error| error.reject("path"))
    }

    fn describe(operation: &mut Operation, names: &[&str]) {
        operation.path::<T>(names);
        operation.may_refuse();
    }
}
