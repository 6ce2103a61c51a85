//! The server over real sockets: raw clients against native handlers.

#![allow(clippy::unwrap_used)]

mod admission;
mod backpressure;
mod bodies;
mod disconnect;
mod framing;
mod http2;
mod json;
mod outside;
mod panics;
mod routes;
mod shutdown;
mod support;
mod timeouts;
mod tls;
mod tower;
mod websocket;
