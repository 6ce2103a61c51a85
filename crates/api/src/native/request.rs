//! A request as a native handler sees it: its head, the path's parameters, the query, the body. Cannot answer.

use super::params::Params;
use crate::error::BodyError;
use crate::exchange::{ConnectionInfo, Incoming};
use crate::http1::head::Head;
use bytes::{Bytes, BytesMut};
use std::borrow::Cow;
use thiserror::Error;

/// One request.
pub struct Request {
    incoming: Incoming,
    params: Params,
}

/// Why [`Request::bytes`] has no body to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CollectError {
    /// The body is longer than the handler is ready to take.
    #[error("the request body is longer than {limit} bytes")]
    TooLarge {
        /// What the handler said.
        limit: usize,
    },
    /// The body did not arrive whole.
    #[error(transparent)]
    Body(#[from] BodyError),
}

impl Request {
    pub(super) fn new(incoming: Incoming, params: Params) -> Self {
        Self { incoming, params }
    }

    /// The whole head, as it was parsed.
    pub fn head(&self) -> &Head {
        self.incoming.head()
    }

    /// The method, case as received.
    pub fn method(&self) -> &str {
        self.head().method()
    }

    /// The percent-decoded value of a path parameter; bytes that are not UTF-8 are replaced.
    pub fn param(&self, name: &str) -> Option<Cow<'_, str>> {
        self.params.get(name, self.head().raw_path())
    }

    /// The pairs of the query string, decoded as forms are.
    pub fn query_pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        form_urlencoded::parse(self.head().query())
    }

    /// The value of the first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.head().get(name.as_bytes())
    }

    /// The request's name, where the server gives its requests names. It stands in the response.
    pub fn request_id(&self) -> Option<&str> {
        self.incoming.request_id()
    }

    /// Both ends of the connection.
    pub fn connection(&self) -> &ConnectionInfo {
        self.incoming.connection()
    }

    /// The next part of the body, `None` at its end.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, BodyError>> {
        self.incoming.chunk().await
    }

    /// The whole body, if it has at most `limit` bytes.
    pub async fn bytes(&mut self, limit: usize) -> Result<Bytes, CollectError> {
        let too_large = CollectError::TooLarge { limit };
        if self
            .incoming
            .remaining()
            .is_some_and(|length| length > limit as u64)
        {
            return Err(too_large);
        }
        let Some(first) = self.chunk().await.transpose()? else {
            return Ok(Bytes::new());
        };
        if first.len() > limit {
            return Err(too_large);
        }
        // Of one part, as most are, it stays where it was read.
        let Some(mut next) = self.chunk().await.transpose()? else {
            return Ok(first);
        };
        let mut whole = BytesMut::from(first);
        loop {
            whole.extend_from_slice(&next);
            if whole.len() > limit {
                return Err(too_large);
            }
            match self.chunk().await.transpose()? {
                Some(chunk) => next = chunk,
                None => return Ok(whole.freeze()),
            }
        }
    }

    /// Its body alone, for whoever streams it elsewhere.
    pub fn into_body(self) -> Incoming {
        self.incoming
    }
}
