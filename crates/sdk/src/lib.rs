//! Handlers in Rust for the hot routes of a Python application that `data_bridge` serves.
//!
//! A wheel of your own exports them; `app.native("/price/{id}", my_wheel.price)` puts one on a path. `data_bridge` calls it on
//! its event loop's thread, without the interpreter: it answers also while Python is busy.
//!
//! ```
//! use data_bridge_sdk::{Errors, Json, JsonSchema, Path, Query, State, handler, module};
//! use serde::{Deserialize, Serialize};
//! use std::sync::Arc;
//!
//! /// What all requests share: made at start-up, dropped at shutdown.
//! pub struct Prices(Vec<f64>);
//!
//! fn prices() -> Result<Arc<Prices>, std::io::Error> {
//!     Ok(Arc::new(Prices(vec![1.5, 2.5])))
//! }
//!
//! #[derive(Deserialize, JsonSchema)]
//! pub struct Order {
//!     /// How many.
//!     #[serde(default = "one")]
//!     count: u32,
//! }
//!
//! fn one() -> u32 {
//!     1
//! }
//!
//! #[derive(Serialize, JsonSchema)]
//! pub struct Price {
//!     total: f64,
//! }
//!
//! #[derive(Errors)]
//! pub enum Refused {
//!     #[error(status = 404, code = "no_such_item", message = "there is no such item")]
//!     Unknown,
//! }
//!
//! /// The price of some of an item.
//! #[handler]
//! async fn price(
//!     Path(id): Path<usize>,
//!     Query(order): Query<Order>,
//!     State(prices): State<Arc<Prices>>,
//! ) -> Result<Json<Price>, Refused> {
//!     let each = prices.0.get(id).ok_or(Refused::Unknown)?;
//!     Ok(Json(Price { total: each * f64::from(order.count) }))
//! }
//!
//! module! {
//!     name: my_wheel,
//!     states: [prices],
//!     handlers: [price],
//! }
//! ```
//!
//! What a handler may take is in [`FromRequest`], what it may give in [`IntoResponse`]. A handler runs on the thread that
//! serves all connections: it must not block, nor compute for long. With the feature `tokio`, `#[handler(tokio)]` runs on a
//! runtime inside of your module, so that crates that need Tokio work. With the feature `axum`, `mounts: […]` of
//! [`module!`] exports whole `axum::Router`s.
#![deny(missing_docs)]

mod body;
mod describe;
#[doc(hidden)]
pub mod errors;
mod extract;
#[doc(hidden)]
pub mod ffi;
mod fields;
mod handler;
mod headers;
mod json;
#[cfg(feature = "axum")]
#[doc(hidden)]
pub mod mount;
mod origin;
mod pairs;
mod path;
mod pipe;
mod query;
mod rejection;
mod request;
mod response;
#[cfg(feature = "tokio")]
pub mod runtime;
mod state;

pub use body::{BodyError, RequestBody};
pub use bytes::Bytes;
pub use data_bridge_sdk_macros::{Errors, handler, module};
pub use describe::Operation;
pub use errors::{ErrorInfo, Errors};
#[doc(hidden)]
pub use extract::is_at_most_one;
pub use extract::{FromRequest, Optional};
pub use fields::{Cookies, Headers};
pub use handler::Handler;
pub use headers::IntoHeaders;
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
pub use json::Json;
pub use origin::{Client, RequestId};
pub use path::Path;
pub use query::Query;
pub use rejection::Rejection;
pub use request::Request;
pub use response::{Body, BoxError, Html, IntoResponse, Redirect, Response};
pub use schemars::JsonSchema;
pub use state::State;
#[doc(hidden)]
pub use state::{Made, Module, made};
