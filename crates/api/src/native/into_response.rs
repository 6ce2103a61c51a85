//! Everything that becomes a response. Knows no connection.

use super::request::CollectError;
use super::response::{Body, Response};
use crate::error::{BodyError, Refusal};
use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use std::borrow::Cow;

/// Whatever a handler can answer with.
pub trait IntoResponse {
    /// Makes the response.
    fn into_response(self) -> Response;
}

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const BINARY: HeaderValue = HeaderValue::from_static("application/octet-stream");

fn typed(body: impl Into<Body>, content_type: HeaderValue) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

impl<B: Into<Body>> IntoResponse for http::Response<B> {
    fn into_response(self) -> Response {
        self.map(Into::into)
    }
}

impl IntoResponse for &'static str {
    fn into_response(self) -> Response {
        typed(self, TEXT)
    }
}

impl IntoResponse for String {
    fn into_response(self) -> Response {
        typed(self, TEXT)
    }
}

impl IntoResponse for Cow<'static, str> {
    fn into_response(self) -> Response {
        typed(self.into_owned(), TEXT)
    }
}

impl IntoResponse for Bytes {
    fn into_response(self) -> Response {
        typed(self, BINARY)
    }
}

impl IntoResponse for Vec<u8> {
    fn into_response(self) -> Response {
        typed(self, BINARY)
    }
}

impl IntoResponse for Body {
    fn into_response(self) -> Response {
        Response::new(self)
    }
}

impl IntoResponse for () {
    fn into_response(self) -> Response {
        Response::new(Body::empty())
    }
}

impl IntoResponse for StatusCode {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self;
        response
    }
}

impl<T: IntoResponse> IntoResponse for (StatusCode, T) {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        *response.status_mut() = self.0;
        response
    }
}

impl<T: IntoResponse, E: IntoResponse> IntoResponse for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(value) => value.into_response(),
            Err(error) => error.into_response(),
        }
    }
}

impl IntoResponse for BodyError {
    fn into_response(self) -> Response {
        let Refusal { status, reason } = self.refusal();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, reason).into_response()
    }
}

impl IntoResponse for CollectError {
    fn into_response(self) -> Response {
        match self {
            Self::TooLarge { .. } => {
                (StatusCode::PAYLOAD_TOO_LARGE, self.to_string()).into_response()
            }
            Self::Body(error) => error.into_response(),
        }
    }
}
