//! HTTP/2 behind the exchange: one task for the connection, one for each stream. Frames and HPACK are the crate h2's.
//!
//! A stream's task looks at everything of its exchange in turn, as a connection's task does with HTTP/1.1, and is woken
//! through the same [`Link`](crate::connection::Link). What h2 does not bound is counted by the [`guard`] beneath it.

mod connection;
mod fields;
mod guard;
mod outbox;
mod rest;
mod stream;

pub(crate) use connection::run;
pub(crate) use outbox::Outbox;

/// What clients of HTTP/2 are told, and held to.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Streams open at once on one connection; more are refused.
    pub streams: u32,
    /// Bytes of a request body on their way to an application that does not take them, for each stream …
    pub stream_window: u32,
    /// … and for all streams of a connection together.
    pub connection_window: u32,
    /// Frames in ten seconds that cost the client nothing: PING, SETTINGS, PRIORITY, `RST_STREAM`, CONTINUATION and empty ones.
    pub control_frames: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            streams: 100,
            stream_window: 64 * 1024,
            connection_window: 1024 * 1024,
            control_frames: 1000,
        }
    }
}

/// What a request line would be, if HTTP/2 had one (RFC 9113, 3.4): how clients that know begin in clear text.
const PREFACE_LINE: &[u8] = b"PRI * HTTP/2.0\r\n\r\n";

/// Whether what came first on a connection is the beginning of HTTP/2.
pub(crate) fn is_preface(buffer: &[u8]) -> bool {
    buffer.starts_with(PREFACE_LINE)
}
