//! A request's body on its way from the host, which gives it on the loop's thread alone, to whoever reads it, on any.

use crate::body::BodyError;
use crate::ffi::{Call, Chunk};
use bytes::Bytes;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The host's end. Dropped, it tells the reader that nothing more comes.
pub(crate) struct Pipe(Arc<Mutex<State>>);

/// The reader's end.
#[derive(Debug)]
pub(crate) struct Reader(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The reader waits: the next chunk may be taken from the host.
    wanted: bool,
    chunk: Option<Result<Bytes, BodyError>>,
    ended: bool,
    reader: Option<Waker>,
    host: Option<Waker>,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pipe {
    pub(crate) fn new() -> (Self, Reader) {
        let state = Arc::default();
        (Self(Arc::clone(&state)), Reader(state))
    }

    fn is_wanted(&self, cx: &Context<'_>) -> bool {
        let mut state = lock(&self.0);
        if !state.wanted {
            state.host = Some(cx.waker().clone());
        }
        state.wanted
    }

    fn put(&self, chunk: Chunk) {
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

    /// Runs `answer`, and passes it the body on as it asks for it.
    pub(crate) async fn feed(self, call: Call, answer: impl Future<Output = ()>) {
        let mut answer = pin!(answer);
        poll_fn(|cx| {
            loop {
                if answer.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                if !self.is_wanted(cx) {
                    return Poll::Pending;
                }
                match call.poll_chunk(cx) {
                    Poll::Ready(chunk) => self.put(chunk),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await;
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let ended = lock(&self.0).ended;
        if !ended {
            self.put(Some(Err(BodyError::Disconnected)));
        }
    }
}

impl Reader {
    pub(crate) fn poll_chunk(&self, cx: &Context<'_>) -> Poll<Chunk> {
        let mut state = lock(&self.0);
        if let Some(chunk) = state.chunk.take() {
            return Poll::Ready(Some(chunk));
        }
        if state.ended {
            return Poll::Ready(None);
        }
        state.wanted = true;
        state.reader = Some(cx.waker().clone());
        let host = state.host.take();
        drop(state);
        if let Some(host) = host {
            host.wake();
        }
        Poll::Pending
    }
}
