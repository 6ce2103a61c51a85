//! JSON bodies, in both directions.

use crate::describe::Operation;
use crate::extract::FromRequest;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::response::{Body, IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value that is, or becomes, a body of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + JsonSchema> FromRequest for Json<T> {
    async fn from_request(request: &mut Request) -> Result<Self, Rejection> {
        if !request.header("content-type").is_some_and(is_json) {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Rejection::new(status, "the request body must be JSON"));
        }
        let body = Bytes::from_request(request).await?;
        serde_json::from_slice(&body).map(Self).map_err(|error| {
            let kind = if error.is_data() {
                "invalid"
            } else {
                "json_invalid"
            };
            Rejection::invalid(kind, vec!["body".to_owned()], error.to_string())
        })
    }

    fn describe(operation: &mut Operation, _: &[&str]) {
        let schema = operation.schema::<T>();
        operation.body("application/json", Some(schema));
        operation.may_refuse();
    }
}

/// Whether a media type is JSON's, or one that ends with `+json`.
fn is_json(content_type: &[u8]) -> bool {
    let media_type = content_type.split(|byte| *byte == b';').next();
    let media_type = media_type.unwrap_or_default().trim_ascii();
    let lower = media_type.to_ascii_lowercase();
    lower
        .strip_prefix(b"application/")
        .is_some_and(|kind| kind == b"json" || kind.ends_with(b"+json"))
}

impl<T: Serialize + JsonSchema> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let mut body = Vec::with_capacity(128);
        match serde_json::to_writer(&mut body, &self.0) {
            Ok(()) => {
                let mut response = Response::new(Body::from(body));
                let media_type = HeaderValue::from_static("application/json");
                response.headers_mut().insert(CONTENT_TYPE, media_type);
                response
            }
            Err(error) => {
                eprintln!("a native handler's value has no JSON form: {error}");
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                (status, "Internal Server Error").into_response()
            }
        }
    }

    fn describe(operation: &mut Operation) {
        let schema = operation.schema::<T>();
        operation.response(200, "application/json", Some(schema));
    }
}

#[cfg(test)]
mod tests {
    use super::is_json;

    #[test]
    fn media_types_of_json() {
        let json: [&[u8]; 3] = [
            b"application/json",
            b"Application/JSON; charset=utf-8",
            b"application/geo+json",
        ];
        assert!(json.into_iter().all(is_json));
        let other: [&[u8]; 3] = [b"text/json", b"application/jsonl", b""];
        assert!(!other.into_iter().any(is_json));
    }
}
