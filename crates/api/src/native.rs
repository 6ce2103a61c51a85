//! Routes answered in Rust: handlers, their requests and responses, and what is mounted from tower and axum.

mod constant;
pub mod foreign;
mod handler;
mod into_response;
mod json;
mod params;
mod pipe;
mod request;
mod response;
mod routes;
mod tower;

pub use constant::Constant;
pub use handler::Handler;
pub use into_response::IntoResponse;
pub use json::{Json, JsonBodyError};
pub use params::Params;
pub use pipe::RequestBody;
pub use request::{CollectError, Request};
pub use response::{Body, BoxError, Response};
pub use routes::{Match, RouteError, Routes};
pub use tower::Tower;
