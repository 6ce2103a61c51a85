//! What crosses between the loop's thread and the thread that runs one call, and how either is woken. Knows no Python.
//!
//! The call's thread sends and waits; on the loop's thread a future receives, which drops its [`End`] when the client has left.
//! The loop is woken once for all that was sent until it looks: [`Exchanges`] gathers whose future has something to do.

use std::collections::VecDeque;
use std::fs::File;
use std::future::poll_fn;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Instant;

use api::error::BodyError;
use api::http1::encode::Prepared;
use bytes::Bytes;

/// Bytes that may be on their way before the sender has to wait.
const WINDOW: usize = 64 * 1024;

/// What a call tells the loop's thread, in this order: `Whole`, or `Start`, parts, `End`; `Fail` at any time.
pub enum Message {
    /// A whole response.
    Whole(Prepared, Bytes),
    /// The head, and the body's length where the head does not say it and the call knows it.
    Start(Prepared, Option<u64>),
    Chunk(Bytes),
    File {
        file: File,
        offset: u64,
        length: usize,
    },
    End,
    /// No response, or no more of it.
    Fail,
    /// The next part of the request's body is wanted.
    Read,
}

/// The client is gone, or was answered by somebody else.
#[derive(Debug)]
pub struct Gone;

/// A part of the request's body, nothing at its end.
pub type Part = Result<Option<Bytes>, BodyError>;

/// One call's line.
pub struct Line {
    exchanges: Arc<Exchanges>,
    state: Mutex<State>,
    /// For the call's thread: there is room, a part, or nobody any more.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    sent: VecDeque<Message>,
    /// Bytes of chunks that the connection has not taken.
    unsent: usize,
    receiver: Option<Waker>,
    part: Option<Part>,
    /// When the call began.
    began: Option<Instant>,
    hung_up: bool,
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The call begins now.
    pub fn begin(&self) {
        self.state().began = Some(Instant::now());
    }

    /// Sends one after the other; the loop's thread sees them at once.
    pub fn send<const N: usize>(self: &Arc<Self>, messages: [Message; N]) -> Result<(), Gone> {
        let mut state = self.state();
        if state.hung_up {
            return Err(Gone);
        }
        // Who has not looked yet was told before.
        let rings = state.sent.is_empty();
        for message in messages {
            if let Message::Chunk(chunk) = &message {
                state.unsent += chunk.len();
            }
            state.sent.push_back(message);
        }
        drop(state);
        if rings {
            self.exchanges.ring(self);
        }
        Ok(())
    }

    /// Whether the next chunk has to wait.
    pub fn is_full(&self) -> bool {
        let state = self.state();
        state.unsent >= WINDOW && !state.hung_up
    }

    /// Blocks until the client has taken enough, or is gone.
    pub fn wait_for_room(&self) {
        let full = |state: &mut State| state.unsent >= WINDOW && !state.hung_up;
        drop(self.changed.wait_while(self.state(), full));
    }

    /// Asks for the next part of the request's body and blocks until it is there.
    pub fn read(self: &Arc<Self>) -> Part {
        self.send([Message::Read])
            .map_err(|Gone| BodyError::Disconnected)?;
        let nothing = |state: &mut State| state.part.is_none() && !state.hung_up;
        let state = self.changed.wait_while(self.state(), nothing);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        state.part.take().unwrap_or(Err(BodyError::Disconnected))
    }

    /// Whether nobody listens any more.
    pub fn is_gone(&self) -> bool {
        self.state().hung_up
    }
}

/// The loop's end of a line. Dropped, it hangs up.
pub struct End(Arc<Line>);

impl End {
    /// Both ends of a new line.
    pub fn new(exchanges: &Arc<Exchanges>) -> (Self, Arc<Line>) {
        let line = Arc::new(Line {
            exchanges: Arc::clone(exchanges),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        (Self(Arc::clone(&line)), line)
    }

    /// The next message; the first one comes with the time when the call began.
    pub async fn receive(&self) -> (Message, Option<Instant>) {
        poll_fn(|context| {
            let mut state = self.0.state();
            if let Some(message) = state.sent.pop_front() {
                return Poll::Ready((message, state.began.take()));
            }
            state.receiver = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// The connection has room again after a chunk of `length` bytes.
    pub fn taken(&self, length: usize) {
        self.0.state().unsent -= length;
        self.0.changed.notify_one();
    }

    /// What [`Message::Read`] has asked for.
    pub fn give(&self, part: Part) {
        self.0.state().part = Some(part);
        self.0.changed.notify_one();
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.hung_up = true;
        let sent = std::mem::take(&mut state.sent);
        drop(state);
        drop(sent);
        self.0.changed.notify_one();
    }
}

/// The exchanges of one loop's thread, for the threads of calls.
#[derive(Default)]
pub struct Exchanges(Mutex<Bells>);

#[derive(Default)]
struct Bells {
    rung: Vec<Arc<Line>>,
    listener: Option<Waker>,
    closed: bool,
}

impl Exchanges {
    fn bells(&self) -> MutexGuard<'_, Bells> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self, line: &Arc<Line>) {
        let mut bells = self.bells();
        bells.rung.push(Arc::clone(line));
        let listener = bells.listener.take();
        drop(bells);
        if let Some(listener) = listener {
            listener.wake();
        }
    }

    /// Wakes the futures of lines that have something for them, until the end of all. For a task of the loop's thread.
    pub async fn listen(&self) {
        poll_fn(|context| {
            let mut bells = self.bells();
            if bells.closed {
                return Poll::Ready(());
            }
            let rung = std::mem::take(&mut bells.rung);
            bells.listener = Some(context.waker().clone());
            drop(bells);
            for line in rung {
                let receiver = line.state().receiver.take();
                if let Some(receiver) = receiver {
                    receiver.wake();
                }
            }
            Poll::Pending
        })
        .await;
    }

    /// Ends [`Exchanges::listen`].
    pub fn close(&self) {
        let mut bells = self.bells();
        bells.closed = true;
        if let Some(listener) = bells.listener.take() {
            listener.wake();
        }
    }
}
