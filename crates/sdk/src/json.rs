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
use serde_json::{Value, json};

/// A value that is, or becomes, a body of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + JsonSchema> FromRequest for Json<T> {
    const TAKES_BODY: bool = true;

    async fn from_request(request: &mut Request) -> Result<Self, Rejection> {
        if !request.header("content-type").is_some_and(is_json) {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Rejection::new(status, "the request body must be JSON"));
        }
        let body = Bytes::from_request(request).await?;
        serde_json::from_slice(&body)
            .map(Self)
            .map_err(|error| refused(&body, &error))
    }

    fn describe(operation: &mut Operation, _: &[&str]) {
        let schema = operation.schema::<T>();
        operation.body("application/json", Some(schema));
        operation.may_refuse();
    }
}

/// Why a body is not taken, as `FastAPI` says it.
fn refused(body: &[u8], error: &serde_json::Error) -> Rejection {
    if body.is_empty() {
        return Rejection::of("missing", json!(["body"]), "Field required", Value::Null);
    }
    if error.is_data() {
        let input = serde_json::from_slice(body).unwrap_or_default();
        return Rejection::of("invalid", json!(["body"]), error.to_string(), input);
    }
    let before = body.split_inclusive(|byte| *byte == b'\n');
    let before: usize = before.take(error.line() - 1).map(<[u8]>::len).sum();
    let place = json!(["body", before + error.column()]);
    Rejection::of("json_invalid", place, "JSON decode error", json!({})).because(error.to_string())
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
    use super::{is_json, refused};
    use crate::response::IntoResponse;
    use serde_json::{Value, json};

    fn told(body: &str) -> Value {
        let error = serde_json::from_str::<std::collections::BTreeMap<String, u8>>(body);
        let answer = refused(body.as_bytes(), &error.unwrap_err()).into_response();
        assert_eq!(answer.status(), 422);
        let text: Value = serde_json::from_slice(answer.body().whole().unwrap()).unwrap();
        text["detail"][0].clone()
    }

    #[test]
    fn what_is_no_json_is_said_as_fastapi_does() {
        let expected =
            json!({"type": "missing", "loc": ["body"], "msg": "Field required", "input": null});
        assert_eq!(told(""), expected);
        let problem = told("{\n\"a\": 1,}");
        assert_eq!(
            (&problem["type"], &problem["msg"]),
            (&json!("json_invalid"), &json!("JSON decode error"))
        );
        assert_eq!(
            (&problem["loc"], &problem["input"]),
            (&json!(["body", 10]), &json!({}))
        );
        assert!(problem["ctx"]["error"].is_string());
    }

    #[test]
    fn what_does_not_fit_is_said_with_what_was_given() {
        let problem = told("{\"a\": \"x\"}");
        assert_eq!(
            (&problem["type"], &problem["loc"]),
            (&json!("invalid"), &json!(["body"]))
        );
        assert_eq!(problem["input"], json!({"a": "x"}));
    }

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
