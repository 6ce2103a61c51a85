//! A request body that may cross threads, as axum demands, filled on the server's thread and only as it is read.

use super::response::BoxError;
use crate::error::BodyError;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The server's end.
pub(super) struct Pipe(Arc<Mutex<State>>);

/// The body of a request that is handed to a tower service.
#[derive(Debug)]
pub struct RequestBody {
    state: Arc<Mutex<State>>,
    /// What the request's head says of its length, less what was read.
    remaining: Option<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// The reader found nothing and waits: the server's end may take the next chunk from the connection.
    wanted: bool,
    chunk: Option<Result<Bytes, BodyError>>,
    ended: bool,
    reader: Option<Waker>,
    server: Option<Waker>,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pipe {
    pub(super) fn new() -> (Self, RequestBody) {
        let state = Arc::default();
        let body = RequestBody {
            state: Arc::clone(&state),
            remaining: None,
        };
        (Self(state), body)
    }

    /// Whether the reader waits for a chunk; else wakes the task once it does.
    pub(super) fn poll_wanted(&self, cx: &mut Context<'_>) -> bool {
        let mut state = lock(&self.0);
        if !state.wanted {
            state.server = Some(cx.waker().clone());
        }
        state.wanted
    }

    /// Gives the reader what it waits for; `None` is the end.
    pub(super) fn put(&self, chunk: Option<Result<Bytes, BodyError>>) {
        let mut state = lock(&self.0);
        state.wanted = false;
        state.ended = !matches!(chunk, Some(Ok(_)));
        state.chunk = chunk;
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl Drop for Pipe {
    /// A reader that outlives the exchange must not wait for ever.
    fn drop(&mut self) {
        let ended = lock(&self.0).ended;
        if !ended {
            self.put(Some(Err(BodyError::Disconnected)));
        }
    }
}

impl RequestBody {
    pub(super) fn of(mut self, remaining: Option<u64>) -> Self {
        self.remaining = remaining;
        self
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.remaining == Some(0) {
            return Poll::Ready(None);
        }
        let mut state = lock(&self.state);
        let chunk = match state.chunk.take() {
            Some(chunk) => chunk,
            None if state.ended => return Poll::Ready(None),
            None => {
                state.wanted = true;
                state.reader = Some(cx.waker().clone());
                if let Some(server) = state.server.take() {
                    server.wake();
                }
                return Poll::Pending;
            }
        };
        drop(state);
        if let (Ok(data), Some(remaining)) = (&chunk, &mut self.remaining) {
            *remaining = remaining.saturating_sub(data.len() as u64);
        }
        Poll::Ready(Some(chunk.map(Frame::data).map_err(BoxError::from)))
    }

    fn is_end_stream(&self) -> bool {
        let state = lock(&self.state);
        self.remaining == Some(0) || (state.ended && state.chunk.is_none())
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
