//! What native handlers answer with: an `http::Response`, and everything that becomes one. Knows no connection.

use crate::exchange::Exchange;
use bytes::Bytes;
use futures_core::Stream;
use http::header::{CONTENT_LENGTH, HeaderValue};
use http::{HeaderMap, StatusCode};
use http_body::{Body as HttpBody, Frame};
use std::error::Error as StdError;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Any error of a streamed body: it ends the connection, so that the client sees an incomplete response.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// A native handler's answer.
pub type Response = http::Response<Body>;

/// The body of a [`Response`].
pub enum Body {
    /// All of it.
    Whole(Bytes),
    /// As it comes.
    Streamed(Pin<Box<dyn HttpBody<Data = Bytes, Error = BoxError>>>),
}

impl Body {
    /// No body.
    pub const fn empty() -> Self {
        Self::Whole(Bytes::new())
    }

    /// A body in parts.
    pub fn stream<S, D, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<D, E>> + 'static,
        D: Into<Bytes>,
        E: Into<BoxError>,
    {
        Self::Streamed(Box::pin(Parts(Box::pin(stream))))
    }

    /// Any other crate's body.
    pub fn wrap<B>(body: B) -> Self
    where
        B: HttpBody + 'static,
        B::Data: Into<Bytes>,
        B::Error: Into<BoxError>,
    {
        Self::Streamed(Box::pin(Wrapped(Box::pin(body))))
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self::Whole(bytes.into())
    }
}

struct Parts<S>(Pin<Box<S>>);

impl<S, D, E> HttpBody for Parts<S>
where
    S: Stream<Item = Result<D, E>>,
    D: Into<Bytes>,
    E: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let item = ready!(self.0.as_mut().poll_next(cx));
        Poll::Ready(item.map(|part| match part {
            Ok(data) => Ok(Frame::data(data.into())),
            Err(error) => Err(error.into()),
        }))
    }
}

struct Wrapped<B>(Pin<Box<B>>);

impl<B> HttpBody for Wrapped<B>
where
    B: HttpBody,
    B::Data: Into<Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(self.0.as_mut().poll_frame(cx));
        Poll::Ready(frame.map(|frame| match frame {
            Ok(frame) => Ok(frame.map_data(Into::into)),
            Err(error) => Err(error.into()),
        }))
    }
}

/// Sends a response through its exchange, as fast as the client takes it.
pub(super) async fn send(exchange: Exchange, response: Response) {
    let (head, body) = response.into_parts();
    let sent = match body {
        Body::Whole(bytes) => exchange
            .respond(head.status.as_u16(), &head.headers, bytes)
            .map_err(BoxError::from),
        Body::Streamed(body) => stream(&exchange, head.status, &head.headers, body).await,
    };
    if let Err(error) = sent {
        tracing::debug!(%error, "a native response was cut short");
        exchange.fail();
    }
}

async fn stream(
    exchange: &Exchange,
    status: StatusCode,
    headers: &HeaderMap,
    mut body: Pin<Box<dyn HttpBody<Data = Bytes, Error = BoxError>>>,
) -> Result<(), BoxError> {
    let length = body
        .size_hint()
        .exact()
        .filter(|_| !headers.contains_key(CONTENT_LENGTH));
    let length = length.map(|length| (CONTENT_LENGTH, HeaderValue::from(length)));
    let length = length.iter().map(|(name, value)| (name, value));
    exchange.start(status.as_u16(), headers.iter().chain(length))?;
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        match frame?.into_data() {
            Ok(data) => exchange.write(data)?,
            Err(frame) => {
                if let Ok(trailers) = frame.into_trailers() {
                    return Ok(exchange.finish_with_trailers(&trailers)?);
                }
            }
        }
        exchange.writable().await;
    }
    Ok(exchange.finish()?)
}
