//! An answer that is always the same: no future, no allocation.

use super::handler::Handler;
use super::params::Params;
use crate::error::ResponseError;
use crate::exchange::Exchange;
use crate::http1::encode::{Prepared, Reply, Stamp};
use crate::service::LocalBoxFuture;
use bytes::Bytes;

/// Answers every request alike.
#[derive(Debug, Clone)]
pub struct Constant {
    head: Prepared,
    body: Bytes,
}

impl Constant {
    /// The response to give; what cannot be sent is refused here and not at the first request.
    pub fn new<N, V>(
        status: u16,
        headers: impl IntoIterator<Item = (N, V)>,
        body: impl Into<Bytes>,
    ) -> Result<Self, ResponseError>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let head = Prepared::new(status, headers)?;
        let body = body.into();
        let stamp = Stamp::new(None, false)?;
        head.head(
            &mut Vec::new(),
            &stamp,
            Reply::CLOSE,
            Some(body.len() as u64),
        )?;
        Ok(Self { head, body })
    }

    /// A 200 of plain text.
    pub fn text(body: impl Into<Bytes>) -> Self {
        Self {
            head: Prepared::plain_text(),
            body: body.into(),
        }
    }
}

impl Handler for Constant {
    fn answer(&self, exchange: Exchange, _: Params) -> Option<LocalBoxFuture<()>> {
        if let Err(error) = exchange.respond_prepared(&self.head, &self.body) {
            tracing::debug!(%error, "a constant response was not sent");
        }
        None
    }
}
