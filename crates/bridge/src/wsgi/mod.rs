//! Any WSGI app (PEP 3333) as the server's service: its calls run in threads, and nothing of Python on the loop's.

mod environ;
mod line;
mod queue;
mod response;
mod worker;

use std::sync::Arc;

use api::error::{Refusal, ResponseError};
use api::exchange::Exchange;
use api::http1::Framing;
use api::service::{LocalBoxFuture, Service};
use bytes::Bytes;
use pyloop::gil;
use pyloop::host;
use pyo3::prelude::*;
use tracing::debug;

use self::environ::Request;
use self::line::{End, Exchanges, Message};
use self::worker::{App, Body, Call};
use crate::coroutine::later;
use crate::errors;
use crate::executor::body::{Collected, Collecting, Refusal as BodyRefusal};

/// A body up to this many bytes is there before the app is called; a longer one comes while it reads.
const READ_BEFORE: usize = 64 * 1024;

/// A WSGI app with its threads.
#[derive(Clone)]
pub struct Wsgi {
    app: Arc<App>,
    exchanges: Arc<Exchanges>,
}

impl Wsgi {
    /// What `wsgi`, a `data_bridge.wsgi.Wsgi`, describes, on the loop of this thread. The first thread is started.
    /// `shows_errors`: to clients, too.
    pub fn new(
        event_loop: &Bound<'_, PyAny>,
        wsgi: &Bound<'_, PyAny>,
        shows_errors: bool,
    ) -> PyResult<Self> {
        let py = event_loop.py();
        let app = App::new(wsgi, shows_errors)?;
        let exchanges = Arc::<Exchanges>::default();
        let listening = Arc::clone(&exchanges);
        host::spawn(py, event_loop.cast()?, async move {
            listening.listen().await;
        })?;
        app.hire(py)?;
        Ok(Self { app, exchanges })
    }

    /// Waits until no call runs.
    pub async fn idle(&self) {
        self.app.queue.idle().await;
    }

    /// Calls that wait for a thread or run in one.
    pub fn calls(&self) -> usize {
        self.app.queue.unfinished()
    }

    /// No call begins any more; the threads end with what they do.
    pub fn close(&self) {
        drop(self.app.queue.close());
        self.exchanges.close();
    }
}

/// The service that calls a WSGI app.
pub struct WsgiService(pub Wsgi);

impl Service for WsgiService {
    fn call(&self, exchange: Exchange) -> Option<LocalBoxFuture<()>> {
        if exchange.handshake().is_some() {
            let refusal = Refusal::new(403, "");
            if let Err(error) = exchange.refuse(refusal) {
                debug!(%error, "a refusal was not sent");
            }
            return None;
        }
        let wsgi = self.0.clone();
        Some(Box::pin(async move {
            let Some(body) = body(&exchange).await else {
                return;
            };
            let (end, line) = End::new(&wsgi.exchanges);
            let call = Call {
                request: Request::of(&exchange),
                body,
                line,
            };
            drop(wsgi.app.queue.push(call));
            if let Err(error) = answer(&exchange, &end).await {
                give_up(&exchange, error);
            }
        }))
    }
}

/// The body where it is short; a body that is asked for (Expect) is asked for by reading it.
async fn body(exchange: &Exchange) -> Option<Body> {
    let head = exchange.head();
    let announced = match head.framing() {
        Framing::None => return Some(Body::Whole(Bytes::new())),
        Framing::Length(length) => length,
        Framing::Chunked | Framing::Stream => return Some(Body::Streamed),
    };
    if announced > READ_BEFORE as u64 || head.expects_continue() {
        return Some(Body::Streamed);
    }
    let collected = match Collecting::new(READ_BEFORE).take_ready(exchange) {
        Ok(Collected::All(body)) => Ok(body),
        Ok(Collected::Part(part)) => part.rest(exchange).await,
        Err(refusal) => Err(refusal),
    };
    let told = |refusal: BodyRefusal| refusal.answer(exchange);
    collected.map_err(told).ok().map(Body::Whole)
}

/// Carries out what the call sends, to its last message.
async fn answer(exchange: &Exchange, end: &End) -> Result<(), ResponseError> {
    loop {
        let (message, began) = end.receive().await;
        if let Some(began) = began {
            exchange.work_began(began);
        }
        match message {
            Message::Whole(head, body) => {
                return exchange.respond_prepared(&head, given_back(body));
            }
            Message::Start(head, length) => exchange.start_prepared(&head, length)?,
            Message::Chunk(chunk) => {
                let length = chunk.len();
                exchange.write(given_back(chunk))?;
                exchange.writable().await;
                end.taken(length);
            }
            Message::File {
                file,
                offset,
                length,
            } => {
                exchange.write_file(file, offset, length)?;
                exchange.writable().await;
            }
            Message::End => return exchange.finish(),
            Message::Fail => {
                exchange.fail();
                return Ok(());
            }
            Message::Read => {
                let part = std::future::poll_fn(|context| exchange.poll_chunk(context)).await;
                end.give(part.transpose());
            }
        }
    }
}

/// The response cannot be given as the app said; the app itself may be at work on something else already.
fn give_up(exchange: &Exchange, error: ResponseError) {
    exchange.fail();
    if matches!(
        error,
        ResponseError::Disconnected | ResponseError::AlreadyStarted | ResponseError::Finished
    ) {
        return;
    }
    later(move |py| {
        let text = format!("Exception in WSGI application: {error}");
        let logged = errors::logger(py).and_then(|logger| errors::log(&logger, &text, None));
        if let Err(error) = logged {
            error.write_unraisable(py, None);
        }
    });
}

/// Bytes of Python's: once they are sent, the loop looks what it has to drop.
struct Lent(Bytes);

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !gil::is_attached() {
            later(|_| ());
        }
    }
}

fn given_back(bytes: Bytes) -> Bytes {
    // Short ones are copies.
    if bytes.len() < crate::ffi::SHARED_FROM {
        return bytes;
    }
    Bytes::from_owner(Lent(bytes))
}
