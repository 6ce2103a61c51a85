//! What a client still sends of a request that is answered already: thrown away, with room given back for it. Knows no exchange.
//!
//! A reset would be shorter (RFC 9113, 8.1), but curl and httpx take it for the loss of the answer. curl 7.88 stops reading
//! at the end of an answer, and then waits for room that it was given: so the answer itself waits for a rest that is short.

use crate::http1::Framing;
use crate::server::Engine;
use crate::timeouts::{Deadline, Millis};
use h2::RecvStream;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Bytes of a request that its answer waits for; if more are to come, it goes out at once.
const SHORT: u64 = 16 * 1024 * 1024;

/// How long the rest is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Until then if nothing comes.
    silent: Millis,
    /// Until then whatever comes.
    end: Millis,
}

impl Patience {
    pub(super) fn begin(engine: &Engine) -> Self {
        let end = engine.after(engine.timeouts.body_stall);
        Self { silent: 0, end }.heard(engine)
    }

    /// Something has come.
    pub(super) fn heard(self, engine: &Engine) -> Self {
        let silent = engine.after(engine.timeouts.linger);
        Self { silent, ..self }
    }

    pub(super) fn due(self) -> Millis {
        self.silent.min(self.end)
    }
}

/// Whether an answer has to wait for what is missing after `received` bytes. A client that did not say how much it will send
/// may be waiting for that answer.
pub(super) fn is_short(framing: Framing, received: u64) -> bool {
    matches!(framing, Framing::Length(length) if length.saturating_sub(received) <= SHORT)
}

/// Goes on in a task of its own. `owed`: bytes that were taken of `body`, and for which the client has no room yet.
pub(super) fn discard(engine: &Rc<Engine>, body: RecvStream, owed: usize) {
    let mut rest = Rest {
        deadline: None,
        patience: Patience::begin(engine),
        engine: Rc::clone(engine),
        body,
    };
    if rest.release(owed) {
        tokio::task::spawn_local(poll_fn(move |cx| rest.poll(cx)));
    }
}

struct Rest {
    engine: Rc<Engine>,
    body: RecvStream,
    deadline: Option<Deadline>,
    patience: Patience,
}

impl Rest {
    /// Ready: the request has ended, or its time is over. The client is then told that the rest is not wanted: by h2, which
    /// sees the last handle of the stream go.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Poll::Ready(data) = self.body.poll_data(cx) {
            let Some(Ok(data)) = data else {
                return Poll::Ready(());
            };
            if !self.release(data.len()) {
                return Poll::Ready(());
            }
            self.patience = self.patience.heard(&self.engine);
        }
        let due = self.patience.due();
        if self.engine.now() >= due {
            return Poll::Ready(());
        }
        self.deadline
            .get_or_insert_with(|| Deadline::new(&self.engine.wheel, cx.waker().clone()))
            .set(due);
        Poll::Pending
    }

    /// Gives the client room for as many bytes; says whether it is still there.
    fn release(&mut self, count: usize) -> bool {
        count == 0 || self.body.flow_control().release_capacity(count).is_ok()
    }
}
