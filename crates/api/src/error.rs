//! Every error of this crate. Knows no Python.

use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a request is not served. The answer is `status`, and the connection closes: nothing behind the request can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{reason} (answered with {status})")]
pub struct Refusal {
    /// What to answer.
    pub status: u16,
    /// What was wrong, for the log and the response body; names nothing that the client sent.
    pub reason: &'static str,
}

impl Refusal {
    /// The response has not begun in time.
    pub(crate) const OVERDUE: Self = Self::new(504, "the request took too long");

    /// A refusal with any status.
    pub const fn new(status: u16, reason: &'static str) -> Self {
        Self { status, reason }
    }

    /// The request is malformed: 400.
    pub const fn bad_request(reason: &'static str) -> Self {
        Self::new(400, reason)
    }
}

/// What an `App` says with a 413, in JSON.
pub const BODY_TOO_LONG: &str = r#"{"detail":"Content Too Large"}"#;

/// What a WebSocket client did wrong. The connection is closed with `code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{reason} (closed with {code})")]
pub struct Violation {
    /// The close code.
    pub code: u16,
    /// What was wrong; names nothing that the client sent.
    pub reason: &'static str,
}

impl Violation {
    /// A violation with any code.
    pub const fn new(code: u16, reason: &'static str) -> Self {
        Self { code, reason }
    }

    /// RFC 6455 or RFC 7692 forbid it: 1002.
    pub const fn protocol(reason: &'static str) -> Self {
        Self::new(1002, reason)
    }
}

/// Why the rest of a request body will not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BodyError {
    /// Its framing is broken.
    #[error("malformed request body: {0}")]
    Malformed(#[from] Refusal),
    /// The client sent its last byte before the end of the body.
    #[error("the request body ended before its announced end")]
    Incomplete,
    /// The client is gone.
    #[error("the client left before the end of the request body")]
    Disconnected,
    /// The client sent nothing for too long.
    #[error("the client stalled within the request body")]
    Stalled,
}

impl BodyError {
    /// What the client is told if the response has not begun.
    pub const fn refusal(self) -> Refusal {
        match self {
            Self::Malformed(refusal) => refusal,
            Self::Stalled => Refusal::new(408, "the request body took too long"),
            Self::Incomplete | Self::Disconnected => {
                Refusal::bad_request("the request body ended too early")
            }
        }
    }
}

/// Why a response, or the rest of it, does not go out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ResponseError {
    /// Not a final status: 200 to 999, or 101.
    #[error("{0} is not the status of a final response (200 to 999, or 101)")]
    Status(u16),
    /// Not a name of RFC 9110: empty, or with another byte than a token's.
    #[error("invalid header name {0:?}")]
    Name(String),
    /// CR, LF, NUL or another control character stands in the value of this header.
    #[error("control character in the value of header {0:?}")]
    Value(String),
    /// `Content-Length` is not a number, or stands there twice with different values.
    #[error("Content-Length is not one number")]
    ContentLength,
    /// `Transfer-Encoding` other than `chunked`.
    #[error("Transfer-Encoding is the server's to choose: only \"chunked\" may be asked for")]
    TransferEncoding,
    /// The body is longer than its Content-Length; what was too much is not sent.
    #[error("response body is longer than its Content-Length")]
    TooLong,
    /// The body ended before its Content-Length; the connection must be closed.
    #[error("response body is {missing} bytes shorter than its Content-Length")]
    TooShort {
        /// Bytes that are missing.
        missing: u64,
    },
    /// This field may not stand in an early hint.
    #[error("{0:?} may not be an early hint")]
    Hint(String),
    /// This field may not be a trailer.
    #[error("{0:?} may not be a trailer field")]
    Trailer(String),
    /// This field of an answer to a WebSocket request is the server's.
    #[error("header {0:?} of a WebSocket's acceptance is the server's to write")]
    Handshake(String),
    /// The library that compresses failed.
    #[error("the response body cannot be compressed")]
    Compression,
    /// A response was begun already.
    #[error("the response has been started already")]
    AlreadyStarted,
    /// Body bytes came before the head.
    #[error("the response has not been started")]
    NotStarted,
    /// The response has ended.
    #[error("the response has ended already")]
    Finished,
    /// The client is gone.
    #[error("the client is gone")]
    Disconnected,
}

/// Why certificates cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TlsError {
    /// Something is wrong with one file.
    #[error("{} {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What it is, or does not hold.
        what: String,
    },
    /// There is no certificate to begin with.
    #[error("TLS needs a certificate (ssl_certfile)")]
    NoCertificate,
    /// Clients have to show certificates, and nothing says of whom.
    #[error("to check clients' certificates, their authorities are needed (ssl_ca_certs)")]
    NoAuthorities,
    /// The cryptography does not work here.
    #[error("TLS cannot be set up: {0}")]
    Provider(String),
}

impl TlsError {
    pub(crate) fn new(path: &Path, what: impl Into<String>) -> Self {
        Self::File {
            path: path.to_owned(),
            what: what.into(),
        }
    }

    pub(crate) fn provider(error: impl std::fmt::Display) -> Self {
        Self::Provider(error.to_string())
    }
}
