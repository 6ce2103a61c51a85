//! What a handler may give, and how it is sent.

use crate::describe::Operation;
use crate::ffi::Call;
use crate::headers::{IntoHeaders, replace};
use bytes::Bytes;
use futures_core::Stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, LOCATION};
use http::{HeaderMap, StatusCode};
use http_body::{Body as HttpBody, Frame};
use std::borrow::Cow;
use std::error::Error as StdError;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Any error.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// A whole answer: status, header fields, body.
pub type Response = http::Response<Body>;

type Streamed = Pin<Box<dyn HttpBody<Data = Bytes, Error = BoxError> + Send>>;

/// The body of a [`Response`].
pub struct Body(Kind);

enum Kind {
    Whole(Bytes),
    Streamed(Streamed),
}

impl Body {
    /// No body.
    pub const fn empty() -> Self {
        Self(Kind::Whole(Bytes::new()))
    }

    #[cfg(test)]
    pub(crate) fn whole(&self) -> Option<&[u8]> {
        match &self.0 {
            Kind::Whole(bytes) => Some(bytes),
            Kind::Streamed(_) => None,
        }
    }

    /// A body in parts. An error ends the connection, so that the client sees an incomplete response.
    pub fn stream<S, D, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<D, E>> + Send + 'static,
        D: Into<Bytes>,
        E: Into<BoxError>,
    {
        Self(Kind::Streamed(Box::pin(Parts(Box::pin(stream)))))
    }

    /// Another crate's body.
    pub fn wrap<B>(body: B) -> Self
    where
        B: HttpBody + Send + 'static,
        B::Data: Into<Bytes>,
        B::Error: Into<BoxError>,
    {
        Self(Kind::Streamed(Box::pin(Wrapped(Box::pin(body)))))
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self(Kind::Whole(bytes.into()))
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
        let part = ready!(self.0.as_mut().poll_next(cx));
        let framed = |data: D| Frame::data(data.into());
        Poll::Ready(part.map(|part| part.map(framed).map_err(Into::into)))
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
        let plain = |frame: Frame<B::Data>| frame.map_data(Into::into);
        Poll::Ready(frame.map(|frame| frame.map(plain).map_err(Into::into)))
    }
}

/// Whatever a handler can answer with: text, [`Bytes`], [`Json`](crate::Json), [`Html`], a [`Redirect`], a [`Response`], a [`Body`],
/// a [`StatusCode`], `()`; each of them after a status, after header fields (see [`IntoHeaders`]) or after both in a tuple; and a
/// `Result` of two of them.
///
/// ```
/// use data_bridge_sdk::{Html, IntoResponse, StatusCode};
///
/// let page = (StatusCode::CREATED, [("cache-control", "no-store")], Html("<h1>made</h1>"));
/// let response = page.into_response();
/// assert_eq!(response.status(), 201);
/// assert_eq!(response.headers()["cache-control"], "no-store");
/// ```
#[diagnostic::on_unimplemented(
    message = "a handler cannot answer with `{Self}`",
    label = "this is nothing that becomes a response",
    note = "answers are text, `Json`, `Bytes`, `Body`, `StatusCode`, tuples and `Result`s of them, …: see `data_bridge_sdk::IntoResponse`"
)]
pub trait IntoResponse {
    /// Makes the response.
    fn into_response(self) -> Response;

    /// Adds to the handler's description what is given.
    fn describe(_operation: &mut Operation)
    where
        Self: Sized,
    {
    }
}

const TEXT: &str = "text/plain; charset=utf-8";
const BINARY: &str = "application/octet-stream";

fn typed(body: impl Into<Body>, media_type: &'static str) -> Response {
    let mut response = Response::new(body.into());
    let media_type = HeaderValue::from_static(media_type);
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

macro_rules! whole {
    ($($kind:ty, $media_type:expr, $documented:expr, $body:expr;)*) => {$(
        impl IntoResponse for $kind {
            fn into_response(self) -> Response {
                let body: fn(Self) -> Body = $body;
                typed(body(self), $media_type)
            }

            fn describe(operation: &mut Operation) {
                operation.response(200, $documented, None);
            }
        }
    )*};
}

whole! {
    &'static str, TEXT, "text/plain", Body::from;
    String, TEXT, "text/plain", Body::from;
    Cow<'static, str>, TEXT, "text/plain", |text| Body::from(text.into_owned());
    Bytes, BINARY, BINARY, Body::from;
    Vec<u8>, BINARY, BINARY, Body::from;
}

impl<B: Into<Body>> IntoResponse for http::Response<B> {
    fn into_response(self) -> Response {
        self.map(Into::into)
    }
}

impl IntoResponse for Body {
    fn into_response(self) -> Response {
        Response::new(self)
    }
}

impl IntoResponse for () {
    fn into_response(self) -> Response {
        Response::new(Body::empty())
    }
}

impl IntoResponse for StatusCode {
    fn into_response(self) -> Response {
        (self, ()).into_response()
    }
}

impl<T: IntoResponse> IntoResponse for (StatusCode, T) {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        *response.status_mut() = self.0;
        response
    }

    fn describe(operation: &mut Operation) {
        T::describe(operation);
    }
}

impl<H: IntoHeaders, T: IntoResponse> IntoResponse for (H, T) {
    fn into_response(self) -> Response {
        let fields = match self.0.into_headers() {
            Ok(fields) => fields,
            Err(error) => return unsendable(&error),
        };
        let mut response = self.1.into_response();
        replace(response.headers_mut(), fields);
        response
    }

    fn describe(operation: &mut Operation) {
        T::describe(operation);
    }
}

impl<H: IntoHeaders, T: IntoResponse> IntoResponse for (StatusCode, H, T) {
    fn into_response(self) -> Response {
        let (status, fields, value) = self;
        match fields.into_headers() {
            Ok(fields) => (status, (fields, value)).into_response(),
            Err(error) => unsendable(&error),
        }
    }

    fn describe(operation: &mut Operation) {
        T::describe(operation);
    }
}

impl<T: IntoResponse, E: IntoResponse> IntoResponse for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(value) => value.into_response(),
            Err(error) => error.into_response(),
        }
    }

    fn describe(operation: &mut Operation) {
        T::describe(operation);
        E::describe(operation);
    }
}

/// The answer in place of one that cannot be sent.
fn unsendable(error: &http::Error) -> Response {
    eprintln!("a native handler's header field cannot be sent: {error}");
    (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").into_response()
}

/// A page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Html<T>(pub T);

impl<T: Into<Body>> IntoResponse for Html<T> {
    fn into_response(self) -> Response {
        typed(self.0, "text/html; charset=utf-8")
    }

    fn describe(operation: &mut Operation) {
        operation.response(200, "text/html", None);
    }
}

/// Sends the client to another place.
///
/// ```
/// # use data_bridge_sdk::{Redirect, handler};
/// #[handler]
/// async fn old() -> Redirect {
///     Redirect::permanent("/new")
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect(StatusCode, String);

impl Redirect {
    /// 303: the client asks there by GET.
    pub fn to(place: impl Into<String>) -> Self {
        Self(StatusCode::SEE_OTHER, place.into())
    }

    /// 307: the client repeats the request there.
    pub fn temporary(place: impl Into<String>) -> Self {
        Self(StatusCode::TEMPORARY_REDIRECT, place.into())
    }

    /// 308: the same, from now on.
    pub fn permanent(place: impl Into<String>) -> Self {
        Self(StatusCode::PERMANENT_REDIRECT, place.into())
    }
}

impl IntoResponse for Redirect {
    fn into_response(self) -> Response {
        (self.0, [(LOCATION, self.1)], ()).into_response()
    }
}

/// Sends a response, as fast as the client takes it.
pub(crate) async fn send(call: Call, response: Response) {
    let (head, body) = response.into_parts();
    let status = head.status.as_u16();
    let sent = match body.0 {
        Kind::Whole(bytes) => call.respond(status, &head.headers, bytes).map_err(|_| None),
        Kind::Streamed(body) => stream(call, status, head.headers, body).await,
    };
    if let Err(Some(error)) = sent {
        call.report(&format!("a streamed body ended with an error: {error}"));
    }
}

/// Sends a body in parts. An error without a reason is the host's, which knows it.
async fn stream(
    call: Call,
    status: u16,
    mut headers: HeaderMap,
    mut body: Streamed,
) -> Result<(), Option<BoxError>> {
    if let Some(length) = body.size_hint().exact() {
        headers
            .entry(CONTENT_LENGTH)
            .or_insert(HeaderValue::from(length));
    }
    call.start(status, &headers).map_err(|_| None)?;
    let mut trailers = HeaderMap::new();
    while let Some(frame) = poll_fn(|cx| poll_frame(&mut body, cx)).await {
        match frame?.into_data() {
            Ok(data) => call.write(data).map_err(|_| None)?,
            Err(frame) => trailers = frame.into_trailers().unwrap_or_default(),
        }
        poll_fn(|cx| call.poll_writable(cx)).await;
    }
    call.finish(&trailers).map_err(|_| None)
}

fn poll_frame(
    body: &mut Streamed,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
    // What Tokio's types need to be polled on the loop's thread.
    #[cfg(feature = "tokio")]
    let _inside = crate::runtime::enter();
    body.as_mut().poll_frame(cx)
}
