//! HTTP without Python: codec, connection, server, native handlers, routes and plan. Knows no interpreter.
//!
//! Everything runs on one thread, in the tasks of a Tokio local runtime, and is `!Send`.

pub mod access_log;
pub mod compress;
pub mod error;
pub mod exchange;
#[cfg(feature = "fault-injection")]
pub mod faults;
pub mod form;
pub mod forwarded;
pub mod gzip;
pub mod http1;
pub mod http2;
pub mod json;
pub mod layer;
pub mod limits;
pub mod metrics;
pub mod native;
pub mod overload;
pub mod plan;
pub mod request_id;
pub mod route;
pub mod server;
pub mod service;
pub mod statics;
pub mod timeouts;
pub mod tls;
pub mod wake;
pub mod websocket;

mod accept_encoding;
mod connection;
#[cfg(not(feature = "fault-injection"))]
mod faults;
mod ffi;
mod listener;
mod opening;
mod proxy_protocol;
mod socket;
mod stream;
