//! What is answered where a request does not give what a handler takes.

use crate::describe::Operation;
use crate::json::Json;
use crate::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

/// An answer in the handler's place, in `FastAPI`'s form. A handler that takes a `Result<…, Rejection>` may give it on, or another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    status: StatusCode,
    message: String,
    /// Of those that say where in the request the fault is.
    fault: Option<Fault>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    kind: &'static str,
    place: Value,
    /// What stands there.
    input: Value,
    /// What another library says of it.
    cause: Option<String>,
}

impl Rejection {
    /// An answer of this status, with `{"detail": message}`.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            fault: None,
        }
    }

    /// A 400, for what `http` does not take.
    pub(crate) fn unfit(error: impl Into<http::Error>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error.into().to_string())
    }

    /// A 422 that says where the fault is, such as `["query", "limit"]`.
    pub fn invalid(kind: &'static str, place: Vec<String>, message: impl Into<String>) -> Self {
        Self::of(kind, place.into(), message, Value::Null)
    }

    pub(crate) fn of(
        kind: &'static str,
        place: Value,
        message: impl Into<String>,
        input: Value,
    ) -> Self {
        let fault = Fault {
            kind,
            place,
            input,
            cause: None,
        };
        Self {
            fault: Some(fault),
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
        }
    }

    pub(crate) fn because(mut self, cause: String) -> Self {
        if let Some(fault) = &mut self.fault {
            fault.cause = Some(cause);
        }
        self
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What is wrong, for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    fn detail(self) -> Value {
        let Some(fault) = self.fault else {
            return Value::String(self.message);
        };
        let mut problem = json!({
            "type": fault.kind,
            "loc": fault.place,
            "msg": self.message,
            "input": fault.input,
        });
        if let Some(cause) = fault.cause {
            problem["ctx"] = json!({"error": cause});
        }
        json!([problem])
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let status = self.status;
        (status, Json(json!({"detail": self.detail()}))).into_response()
    }

    fn describe(operation: &mut Operation) {
        operation.may_refuse();
    }
}
