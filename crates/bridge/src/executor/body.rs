//! A request's body as one piece, within a bound. Knows exchanges; knows neither Python nor what the body says.

use std::future::poll_fn;

use api::error::{BODY_TOO_LONG, BodyError};
use api::exchange::{BodyEvent, Exchange};
use bytes::{Bytes, BytesMut};
use tracing::debug;

/// What came of a body so far. A body of one chunk is never copied.
pub struct Collecting {
    limit: usize,
    first: Bytes,
    joined: BytesMut,
}

/// How far a body came without waiting.
pub enum Collected {
    /// All of it.
    All(Bytes),
    /// The rest is still on its way.
    Part(Collecting),
}

/// Why there is no body.
pub enum Refusal {
    /// It is longer than the limit.
    TooLarge,
    /// It broke off.
    Lost(BodyError),
}

impl Refusal {
    /// Tells the client, if there still is one.
    pub fn answer(&self, exchange: &Exchange) {
        let told = match self {
            Self::TooLarge => {
                let fields = [("content-type", "application/json")];
                exchange.respond(413, fields, BODY_TOO_LONG.as_bytes())
            }
            Self::Lost(error) => {
                debug!(%error, "the request's body broke off");
                exchange.fail();
                Ok(())
            }
        };
        if let Err(error) = told {
            debug!(%error, "a refusal was not sent");
        }
    }
}

impl Collecting {
    /// Nothing yet; more than `limit` bytes are refused.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            first: Bytes::new(),
            joined: BytesMut::new(),
        }
    }

    /// Takes what is there. A body that announces too much is refused unseen.
    pub fn take_ready(mut self, exchange: &Exchange) -> Result<Collected, Refusal> {
        if exchange
            .incoming()
            .remaining()
            .is_some_and(|length| length > self.limit as u64)
        {
            return Err(Refusal::TooLarge);
        }
        loop {
            match exchange.next_chunk() {
                BodyEvent::Chunk(chunk) => self.push(chunk)?,
                BodyEvent::Pending => return Ok(Collected::Part(self)),
                BodyEvent::End => return Ok(Collected::All(self.into_bytes())),
                BodyEvent::Lost(error) => return Err(Refusal::Lost(error)),
            }
        }
    }

    /// Waits for the rest.
    pub async fn rest(mut self, exchange: &Exchange) -> Result<Bytes, Refusal> {
        while let Some(chunk) = poll_fn(|context| exchange.poll_chunk(context)).await {
            self.push(chunk.map_err(Refusal::Lost)?)?;
        }
        Ok(self.into_bytes())
    }

    fn push(&mut self, chunk: Bytes) -> Result<(), Refusal> {
        if self.first.len() + self.joined.len() + chunk.len() > self.limit {
            return Err(Refusal::TooLarge);
        }
        if self.first.is_empty() && self.joined.is_empty() {
            self.first = chunk;
        } else {
            self.joined
                .extend_from_slice(&std::mem::take(&mut self.first));
            self.joined.extend_from_slice(&chunk);
        }
        Ok(())
    }

    fn into_bytes(self) -> Bytes {
        if self.joined.is_empty() {
            self.first
        } else {
            self.joined.freeze()
        }
    }
}
