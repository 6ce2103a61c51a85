//! Errors as data: a status, a code for programs, a message for people.

use crate::describe::Operation;
use crate::json::Json;
use crate::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

/// What is answered for one kind of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorInfo {
    /// The status of the answer.
    pub status: u16,
    /// What programs compare; never changes.
    pub code: &'static str,
    /// What people read.
    pub message: &'static str,
}

/// An enum of errors; `#[derive(Errors)]` implements it, and [`IntoResponse`], by the `#[error(status = …, code = …, message = …)]`
/// of each variant. The answer is `{"detail": message, "code": code}`.
///
/// ```
/// use data_bridge_sdk::Errors;
///
/// #[derive(Errors)]
/// enum Refused {
///     #[error(status = 404, code = "no_such_item", message = "there is no such item")]
///     Unknown,
///     #[error(status = 409, code = "sold", message = "somebody was faster")]
///     Sold { at: u64 },
/// }
///
/// assert_eq!(Refused::ALL.len(), 2);
/// assert_eq!(Refused::Sold { at: 3 }.info().status, 409);
/// ```
pub trait Errors {
    /// All of them, for `OpenAPI`.
    const ALL: &'static [ErrorInfo];

    /// What is answered for this one.
    fn info(&self) -> &'static ErrorInfo;
}

/// The response that an error is.
#[doc(hidden)]
pub fn answer(info: &ErrorInfo) -> Response {
    let status = StatusCode::from_u16(info.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (
        status,
        Json(json!({"detail": info.message, "code": info.code})),
    )
        .into_response()
}

/// Adds errors to a description.
#[doc(hidden)]
pub fn describe(all: &[ErrorInfo], operation: &mut Operation) {
    for info in all {
        let schema = json!({
            "type": "object",
            "required": ["detail", "code"],
            "properties": {"detail": {"type": "string"}, "code": {"const": info.code}},
        });
        operation.error(info, schema);
    }
}
