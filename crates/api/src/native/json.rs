//! JSON bodies of native handlers, in both directions. Knows no library: that is `json.rs` of the crate.

use super::into_response::IntoResponse;
use super::request::{CollectError, Request};
use super::response::{Body, Response};
use crate::json::{self, JsonError};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// A response that is a value as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

/// Why [`Request::json`] has no value to give.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JsonBodyError {
    /// The body did not arrive, or not whole.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// It is no JSON, or not what was asked for.
    #[error(transparent)]
    Json(#[from] JsonError),
}

impl Request {
    /// The value that the whole body is, if it has at most `limit` bytes. The media type is not looked at.
    pub async fn json<T: DeserializeOwned>(&mut self, limit: usize) -> Result<T, JsonBodyError> {
        let body = self.bytes(limit).await?;
        Ok(json::parse(&body)?)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match json::write(&self.0) {
            Ok(body) => {
                let mut response = Response::new(Body::from(body));
                let media_type = HeaderValue::from_static("application/json");
                response.headers_mut().insert(CONTENT_TYPE, media_type);
                response
            }
            Err(error) => {
                tracing::error!(%error, "a native handler's value has no JSON form");
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                (status, "Internal Server Error").into_response()
            }
        }
    }
}

impl IntoResponse for JsonBodyError {
    fn into_response(self) -> Response {
        match self {
            Self::Collect(error) => error.into_response(),
            Self::Json(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
        }
    }
}
