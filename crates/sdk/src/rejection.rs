//! What is answered where a request does not give what a handler takes.

use crate::json::Json;
use crate::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

/// An answer in the handler's place, in `FastAPI`'s form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    status: StatusCode,
    /// Where in the request the fault is, and of which kind; of those that have no place, nothing.
    place: Option<(&'static str, Vec<String>)>,
    message: String,
}

impl Rejection {
    /// An answer of this status, with `{"detail": message}`.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            place: None,
            message: message.into(),
        }
    }

    /// A 422 that says where the fault is, such as `["query", "limit"]`.
    pub fn invalid(kind: &'static str, place: Vec<String>, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            place: Some((kind, place)),
            message: message.into(),
        }
    }

    fn detail(self) -> Value {
        match self.place {
            None => Value::String(self.message),
            Some((kind, place)) => json!([{"type": kind, "loc": place, "msg": self.message}]),
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let status = self.status;
        (status, Json(json!({"detail": self.detail()}))).into_response()
    }
}
