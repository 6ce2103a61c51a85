//! Who answers a native route. Knows neither paths nor methods.

use super::into_response::IntoResponse;
use super::params::Params;
use super::request::Request;
use super::response::send;
use crate::exchange::Exchange;
use crate::service::LocalBoxFuture;

/// Answers the exchanges of a native route, on the thread of the server.
///
/// Every `async fn(Request) -> impl IntoResponse` is one.
pub trait Handler: 'static {
    /// Takes one exchange; what comes back is as in [`Service::call`](crate::service::Service::call).
    fn answer(&self, exchange: Exchange, params: Params) -> Option<LocalBoxFuture<()>>;
}

impl<F, Answer> Handler for F
where
    F: Fn(Request) -> Answer + 'static,
    Answer: Future + 'static,
    Answer::Output: IntoResponse,
{
    fn answer(&self, exchange: Exchange, params: Params) -> Option<LocalBoxFuture<()>> {
        let answer = self(Request::new(exchange.incoming(), params));
        Some(Box::pin(async move {
            let response = answer.await.into_response();
            send(exchange, response).await;
        }))
    }
}
