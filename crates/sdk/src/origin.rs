//! What the server knows of a request beside its bytes: its name, its client.

use crate::extract::FromRequest;
use crate::rejection::Rejection;
use crate::request::Request;
use std::net::SocketAddr;

/// The name that the server gives the request, where it gives names (`--request-id`): the one in its logs and in the response.
///
/// ```
/// # use data_bridge_sdk::{RequestId, handler};
/// #[handler]
/// async fn audited(RequestId(id): RequestId) -> String {
///     format!("request {}", id.as_deref().unwrap_or("-"))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub Option<String>);

impl FromRequest for RequestId {
    async fn from_request(request: &mut Request) -> Result<Self, Rejection> {
        Ok(Self(request.id().map(str::to_owned)))
    }
}

/// Who asks, and how. What a proxy says of it counts where the server trusts that proxy (`--forwarded-allow-ips`).
///
/// In an `axum::Router` of `mounts: […]` it is an extension of the request, as [`RequestId`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// Its address; none where it has no IP address, as on Unix sockets and in test clients. The port is 0 where a proxy does not
    /// say it.
    pub address: Option<SocketAddr>,
    /// Whether it speaks TLS, to the server or to its proxy.
    pub secure: bool,
}

impl FromRequest for Client {
    async fn from_request(request: &mut Request) -> Result<Self, Rejection> {
        Ok(Self {
            address: request.client(),
            secure: request.is_secure(),
        })
    }
}
