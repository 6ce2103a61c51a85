//! The body of a request: whole, or as a stream.

use crate::describe::Operation;
use crate::extract::FromRequest;
use crate::pipe::{Pipe, Reader};
use crate::rejection::Rejection;
use crate::request::Request;
use crate::response::BoxError;
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::StatusCode;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Longer bodies are not taken as a whole; [`RequestBody`] has no such bound.
const LIMIT: usize = 16 * 1024 * 1024;

/// Why the rest of a body will not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// Its framing is broken, or it ended before its end.
    Malformed,
    /// The client is gone, or its request is answered.
    Disconnected,
    /// The client sent nothing for too long.
    Stalled,
}

impl fmt::Display for BodyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "the request body is malformed or ended too early",
            Self::Disconnected => "the client left before the end of the request body",
            Self::Stalled => "the request body took too long",
        })
    }
}

impl StdError for BodyError {}

impl From<BodyError> for Rejection {
    fn from(error: BodyError) -> Self {
        let status = match error {
            BodyError::Stalled => StatusCode::REQUEST_TIMEOUT,
            BodyError::Malformed | BodyError::Disconnected => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

/// The whole body, of at most 16 MiB.
impl FromRequest for Bytes {
    const TAKES_BODY: bool = true;

    async fn from_request(request: &mut Request) -> Result<Self, Rejection> {
        let too_long = || {
            let text = format!("the request body is longer than {LIMIT} bytes");
            Rejection::new(StatusCode::PAYLOAD_TOO_LARGE, text)
        };
        if request
            .body_length()
            .is_some_and(|length| length > LIMIT as u64)
        {
            return Err(too_long());
        }
        let Some(first) = request.chunk().await.transpose()? else {
            return Ok(Self::new());
        };
        // Of one part, as most are, it stays where it was read.
        let Some(second) = request.chunk().await.transpose()? else {
            return Ok(first);
        };
        let mut whole = BytesMut::from(first);
        whole.extend_from_slice(&second);
        while let Some(chunk) = request.chunk().await.transpose()? {
            if whole.len() + chunk.len() > LIMIT {
                return Err(too_long());
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }

    fn describe(operation: &mut Operation, _: &[&str]) {
        operation.body("application/octet-stream", None);
    }
}

/// The body of a request as it comes, of any length; a `Stream` and an `http_body::Body`. May be sent to other threads.
#[derive(Debug)]
pub struct RequestBody {
    reader: Reader,
    /// Bytes that are still to come, where the head says it.
    remaining: Option<u64>,
}

impl FromRequest for RequestBody {
    const TAKES_BODY: bool = true;

    async fn from_request(request: &mut Request) -> Result<Self, Rejection> {
        let (pipe, reader) = Pipe::new();
        request.pipe = Some(pipe);
        Ok(Self {
            reader,
            remaining: request.body_length(),
        })
    }

    fn describe(operation: &mut Operation, _: &[&str]) {
        operation.body("application/octet-stream", None);
    }
}

impl RequestBody {
    fn poll_chunk(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        if self.remaining == Some(0) {
            return Poll::Ready(None);
        }
        let chunk = std::task::ready!(self.reader.poll_chunk(cx));
        if let (Some(Ok(data)), Some(remaining)) = (&chunk, &mut self.remaining) {
            *remaining = remaining.saturating_sub(data.len() as u64);
        }
        Poll::Ready(chunk)
    }

    /// The next part, `None` at the end.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, BodyError>> {
        std::future::poll_fn(|cx| self.poll_chunk(cx)).await
    }
}

impl Stream for RequestBody {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_chunk(cx)
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let chunk = std::task::ready!(self.poll_chunk(cx));
        Poll::Ready(chunk.map(|chunk| chunk.map(Frame::data).map_err(BoxError::from)))
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
