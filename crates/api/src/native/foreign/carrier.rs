//! Who carries a request to a foreign handler and its answer back: our server, or an ASGI one.

use crate::error::{BodyError, ResponseError};
use crate::exchange::Chunk;
use bytes::Bytes;
use std::net::SocketAddr;
use std::task::{Context, Poll};

/// One request and the response to it, as the C ABI hands them on. All of it on the loop's thread.
pub trait Carrier: 'static {
    /// The method.
    fn method(&self) -> &[u8];
    /// The path as received.
    fn path(&self) -> &[u8];
    /// The query as received.
    fn query(&self) -> &[u8];
    /// How much of the path is the prefix that the handler is mounted under.
    fn prefix(&self) -> usize;
    /// The length of the body, where it is known.
    fn body_length(&self) -> Option<u64>;
    /// The name that the server gives the request.
    fn request_id(&self) -> Option<&str>;
    /// Who asks, by its own address.
    fn client(&self) -> Option<SocketAddr>;
    /// Whether the client speaks TLS.
    fn is_secure(&self) -> bool;
    /// How many parameters the path has.
    fn params(&self) -> usize;
    /// The name and the decoded value of one.
    fn param(&self, index: usize) -> Option<(&str, &str)>;
    /// The value of the first header field of this name.
    fn field(&self, name: &[u8]) -> Option<&[u8]>;
    /// Shows every header field.
    fn each_field(&self, visit: &mut dyn FnMut(&[u8], &[u8]));
    /// The next part of the body.
    fn poll_chunk(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>>;
    /// Answers with a whole response.
    fn respond<'a>(
        &self,
        status: u16,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        body: Chunk<'_>,
    ) -> Result<(), ResponseError>;
    /// Begins a streamed response.
    fn start<'a>(
        &self,
        status: u16,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<(), ResponseError>;
    /// Appends to it.
    fn write(&self, chunk: Chunk<'_>) -> Result<(), ResponseError>;
    /// Ready once the client has taken enough, or is gone.
    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()>;
    /// Ends it.
    fn finish<'a>(
        &self,
        trailers: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<(), ResponseError>;
}
