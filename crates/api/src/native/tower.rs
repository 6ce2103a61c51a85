//! A tower `Service`, such as an `axum::Router`, as a native handler. Bodies stream both ways.

use super::handler::Handler;
use super::into_response::IntoResponse;
use super::params::Params;
use super::pipe::{Pipe, RequestBody};
use super::response::{Body, BoxError, Response, send};
use crate::exchange::{Exchange, Incoming};
use crate::http1::head::{Head, Version};
use crate::service::LocalBoxFuture;
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, StatusCode, Uri};
use http_body::Body as HttpBody;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use tower::ServiceExt;

/// Hands requests to a tower service. Mounted under a prefix, the service sees the path behind the prefix.
///
/// The service's futures run on the server's thread; the request's extensions hold the client's `SocketAddr`.
#[derive(Debug, Clone)]
pub struct Tower<S>(S);

impl<S> Tower<S> {
    /// Wraps a service; it is cloned for each request.
    pub const fn new(service: S) -> Self {
        Self(service)
    }
}

impl<S, B> Handler for Tower<S>
where
    S: tower::Service<http::Request<RequestBody>, Response = http::Response<B>> + Clone + 'static,
    S::Error: Into<BoxError>,
    B: HttpBody + 'static,
    B::Data: Into<Bytes>,
    B::Error: Into<BoxError>,
{
    fn answer(&self, exchange: Exchange, params: Params) -> Option<LocalBoxFuture<()>> {
        let incoming = exchange.incoming();
        let service = self.0.clone();
        Some(Box::pin(async move {
            let (pipe, body) = Pipe::new();
            let answer = async {
                let response = match request(&incoming, params.prefix, body) {
                    Ok(request) => answer(service, request).await,
                    Err(error) => {
                        tracing::debug!(%error, "a request does not fit into http::Request");
                        StatusCode::BAD_REQUEST.into_response()
                    }
                };
                send(exchange, response).await;
            };
            feed(&pipe, &incoming, answer).await;
        }))
    }
}

async fn answer<S, B>(service: S, request: http::Request<RequestBody>) -> Response
where
    S: tower::Service<http::Request<RequestBody>, Response = http::Response<B>>,
    S::Error: Into<BoxError>,
    B: HttpBody + 'static,
    B::Data: Into<Bytes>,
    B::Error: Into<BoxError>,
{
    match service.oneshot(request).await {
        Ok(response) => response.map(Body::wrap),
        Err(error) => {
            let error: BoxError = error.into();
            tracing::error!(%error, "a tower service failed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Runs `answer`, and passes it the request body on as it asks for it.
async fn feed(pipe: &Pipe, incoming: &Incoming, answer: impl Future<Output = ()>) {
    let mut answer = pin!(answer);
    poll_fn(|cx| {
        loop {
            if answer.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            if !pipe.poll_wanted(cx) {
                return Poll::Pending;
            }
            match incoming.poll_chunk(cx) {
                Poll::Ready(chunk) => pipe.put(chunk),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await;
}

fn request(
    incoming: &Incoming,
    prefix: usize,
    body: RequestBody,
) -> Result<http::Request<RequestBody>, http::Error> {
    let head = incoming.head();
    let mut request = http::Request::builder()
        .method(head.method())
        .uri(uri(head, prefix)?)
        .version(match head.version() {
            Version::Http10 => http::Version::HTTP_10,
            Version::Http11 => http::Version::HTTP_11,
            Version::Http2 => http::Version::HTTP_2,
        })
        .body(body.of(incoming.remaining()))?;
    for (name, value) in head.headers() {
        let name = HeaderName::from_bytes(name)?;
        request
            .headers_mut()
            .append(name, HeaderValue::from_bytes(value)?);
    }
    if let Some(peer) = incoming.client() {
        request.extensions_mut().insert(peer);
    }
    Ok(request)
}

/// The target behind the mount's prefix, in origin form.
fn uri(head: &Head, prefix: usize) -> Result<Uri, http::Error> {
    let path = &head.raw_path()[prefix..];
    let mut target = Vec::with_capacity(path.len() + head.query().len() + 2);
    target.extend_from_slice(if path.is_empty() { b"/" } else { path });
    if !head.query().is_empty() {
        target.push(b'?');
        target.extend_from_slice(head.query());
    }
    let target = PathAndQuery::from_maybe_shared(Bytes::from(target))?;
    Ok(Uri::from(target))
}
