//! WebSocket, the server's side (RFC 6455), with permessage-deflate (RFC 7692): a state machine over bytes.
//! Does no I/O, keeps no time, spawns nothing.
//!
//! [`handshake`] reads the request that asks for it; a [`session::Session`] takes the bytes that follow.

mod deflate;
mod frame;
pub mod handshake;
mod mask;
pub mod session;
mod utf8;

use std::time::Duration;

/// Everything that a server can be told about each WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Bytes of a message, also of its compressed form; a longer one closes the connection with 1009.
    pub max_message: usize,
    /// Frames of one message; more close the connection with 1008.
    pub max_fragments: u32,
    /// Messages that wait for the application before no more is read.
    pub max_queue: usize,
    /// Bytes that wait to be sent before the next message has to wait.
    pub write_buffer: usize,
    /// Whether to compress where the client offers it.
    pub deflate: bool,
    /// How often to ask the client whether it is there; zero: never.
    pub ping_interval: Duration,
    /// How long a client that was asked may stay silent; zero: for ever.
    pub ping_timeout: Duration,
    /// How long a client may take to answer our close.
    pub close_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_message: 16 * 1024 * 1024,
            max_fragments: 131_072,
            max_queue: 32,
            write_buffer: 1024 * 1024,
            deflate: true,
            ping_interval: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(20),
            close_timeout: Duration::from_secs(10),
        }
    }
}
