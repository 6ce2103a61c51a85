//! What a handler may take.

use crate::describe::Operation;
use crate::rejection::Rejection;
use crate::request::Request;
use http::{HeaderMap, Method, Uri};

/// A value that a request gives: an argument of a handler.
///
/// These are: [`Path`](crate::Path), [`Query`](crate::Query), [`Headers`](crate::Headers), [`Cookies`](crate::Cookies),
/// [`Json`](crate::Json), [`Bytes`](crate::Bytes), [`RequestBody`](crate::RequestBody), [`State`](crate::State),
/// [`HeaderMap`], [`Method`], [`Uri`], [`RequestId`](crate::RequestId), [`Client`](crate::Client), and what you implement this for;
/// [`Optional`] of any of them, and `Result<…, Rejection>` for handlers that answer in their own way to what does not fit.
#[diagnostic::on_unimplemented(
    message = "a handler cannot take an argument of type `{Self}`",
    label = "this argument is nothing that a request gives",
    note = "arguments are `Path`, `Query`, `Headers`, `Cookies`, `Json`, `Bytes`, `RequestBody`, `State`, …: see `data_bridge_sdk::FromRequest`"
)]
#[allow(async_fn_in_trait, reason = "extractors run on the loop's thread")]
pub trait FromRequest: Sized {
    /// Whether it takes the request's body, which one argument of a handler can have.
    const TAKES_BODY: bool = false;

    /// Takes the value from the request, or says how to answer without it.
    async fn from_request(request: &mut Request) -> Result<Self, Rejection>;

    /// Adds to the handler's description what is taken. `names` are those of the argument's pattern.
    fn describe(_operation: &mut Operation, _names: &[&str]) {}
}

/// Whether at most one argument takes the body.
#[doc(hidden)]
pub const fn is_at_most_one(mut taken: &[bool]) -> bool {
    let mut count = 0;
    while let [first, rest @ ..] = taken {
        count += *first as usize;
        taken = rest;
    }
    count < 2
}

/// A value, where the request gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Optional<T>(pub Option<T>);

impl<T: FromRequest> FromRequest for Optional<T> {
    const TAKES_BODY: bool = T::TAKES_BODY;

    async fn from_request(request: &mut Request) -> Result<Self, Rejection> {
        Ok(Self(T::from_request(request).await.ok()))
    }

    fn describe(operation: &mut Operation, names: &[&str]) {
        operation.describe_optional::<T>(names);
    }
}

/// A value, or why there is none: the handler answers then.
impl<T: FromRequest> FromRequest for Result<T, Rejection> {
    const TAKES_BODY: bool = T::TAKES_BODY;

    async fn from_request(request: &mut Request) -> Result<Self, Rejection> {
        Ok(T::from_request(request).await)
    }

    fn describe(operation: &mut Operation, names: &[&str]) {
        T::describe(operation, names);
    }
}

impl FromRequest for Method {
    async fn from_request(request: &mut Request) -> Result<Self, Rejection> {
        let method = Self::from_bytes(request.method().as_bytes());
        method.map_err(Rejection::unfit)
    }
}

/// Path and query as received, percent-encoded.
impl FromRequest for Uri {
    async fn from_request(request: &mut Request) -> Result<Self, Rejection> {
        request.target(0).map_err(Rejection::unfit)
    }
}

impl FromRequest for HeaderMap {
    async fn from_request(request: &mut Request) -> Result<Self, Rejection> {
        Ok(request.headers())
    }
}
