//! What a handler may take.

use crate::describe::Operation;
use crate::rejection::Rejection;
use crate::request::Request;
use http::HeaderMap;

/// A value that a request gives: an argument of a handler.
///
/// These are: [`Path`](crate::Path), [`Query`](crate::Query), [`Headers`](crate::Headers), [`Cookies`](crate::Cookies),
/// [`Json`](crate::Json), [`Bytes`](crate::Bytes), [`RequestBody`](crate::RequestBody), [`State`](crate::State),
/// [`HeaderMap`], [`RequestId`](crate::RequestId), [`Client`](crate::Client), [`Optional`] of any of them, and what you implement this for.
#[allow(async_fn_in_trait, reason = "extractors run on the loop's thread")]
pub trait FromRequest: Sized {
    /// Takes the value from the request, or says how to answer without it.
    async fn from_request(request: &mut Request) -> Result<Self, Rejection>;

    /// Adds to the handler's description what is taken. `names` are those of the argument's pattern.
    fn describe(_operation: &mut Operation, _names: &[&str]) {}
}

/// A value, where the request gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Optional<T>(pub Option<T>);

impl<T: FromRequest> FromRequest for Optional<T> {
    async fn from_request(request: &mut Request) -> Result<Self, Rejection> {
        Ok(Self(T::from_request(request).await.ok()))
    }
}

impl FromRequest for HeaderMap {
    async fn from_request(request: &mut Request) -> Result<Self, Rejection> {
        Ok(request.headers())
    }
}
