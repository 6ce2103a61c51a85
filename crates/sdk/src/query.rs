//! The query.

use crate::describe::Operation;
use crate::extract::FromRequest;
use crate::pairs;
use crate::rejection::Rejection;
use crate::request::Request;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// The parameters of the query, a struct by their names; a `Vec` takes all values of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + JsonSchema> FromRequest for Query<T> {
    async fn from_request(request: &mut Request) -> Result<Self, Rejection> {
        let given: Vec<_> = form_urlencoded::parse(request.query()).collect();
        pairs::read(&given)
            .map(Self)
            .map_err(|error| error.reject("query"))
    }

    fn describe(operation: &mut Operation, _: &[&str]) {
        operation.parameters::<T>("query", str::to_owned);
        operation.may_refuse();
    }
}
