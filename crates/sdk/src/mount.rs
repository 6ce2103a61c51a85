//! A tower service, such as an `axum::Router`, as one handler for all that is below a path.

use crate::body::RequestBody;
use crate::extract::FromRequest;
use crate::origin::{Client, RequestId};
use crate::rejection::Rejection;
use crate::request::Request;
use crate::response::{Body, BoxError, IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use http_body::Body as HttpBody;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use tower_service::Service;

/// The service of a mount, as its module keeps it between requests; `M` tells the mounts of a module apart.
#[doc(hidden)]
pub struct Mount<M>(
    Arc<dyn Fn(http::Request<RequestBody>) -> Answer + Send + Sync>,
    PhantomData<fn(M)>,
);

impl<M> Clone for Mount<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), PhantomData)
    }
}

impl<M> Mount<M> {
    /// A mount of this service, which is cloned for each request.
    pub fn new<S, B>(service: S) -> Self
    where
        S: Service<http::Request<RequestBody>, Response = http::Response<B>>,
        S: Clone + Send + Sync + 'static,
        S::Error: Into<BoxError> + Send,
        S::Future: Send,
        B: HttpBody + Send + 'static,
        B::Data: Into<Bytes>,
        B::Error: Into<BoxError>,
    {
        Self(
            Arc::new(move |request| Box::pin(answer(service.clone(), request))),
            PhantomData,
        )
    }
}

/// A request on its way through the service.
#[doc(hidden)]
pub type Answer = Pin<Box<dyn Future<Output = Response> + Send>>;

/// Hands a request to its mount.
#[doc(hidden)]
pub async fn extract<M: 'static>(request: &mut Request) -> Result<Answer, Rejection> {
    let Some(Mount(answer, _)) = request.module.state::<Mount<M>>() else {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        return Err(Rejection::new(status, "the mount was not made"));
    };
    let body = RequestBody::from_request(request).await?;
    let mut handed = http::Request::builder()
        .method(request.method())
        .uri(request.target(request.prefix()).map_err(Rejection::unfit)?)
        .body(body)
        .map_err(Rejection::unfit)?;
    *handed.headers_mut() = request.headers();
    handed
        .extensions_mut()
        .insert(Client::from_request(request).await?);
    handed
        .extensions_mut()
        .insert(RequestId::from_request(request).await?);
    Ok(answer(handed))
}

/// Waits for an answer: on the module's runtime, where it has one.
#[doc(hidden)]
pub async fn run(answer: Answer) -> Response {
    #[cfg(feature = "tokio")]
    let answer = crate::runtime::run(answer);
    answer.await
}

async fn answer<S, B>(mut service: S, request: http::Request<RequestBody>) -> Response
where
    S: Service<http::Request<RequestBody>, Response = http::Response<B>>,
    S::Error: Into<BoxError> + Send,
    S::Future: Send,
    B: HttpBody + Send + 'static,
    B::Data: Into<Bytes>,
    B::Error: Into<BoxError>,
{
    let answered = match poll_fn(|cx| service.poll_ready(cx)).await {
        Ok(()) => service.call(request).await,
        Err(error) => Err(error),
    };
    match answered {
        Ok(response) => response.map(Body::wrap),
        Err(error) => {
            let error: BoxError = error.into();
            eprintln!("a mounted service failed: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
