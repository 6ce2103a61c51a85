//! TLS of the server: certificates, handshakes, the bytes in between. Knows no HTTP.
//!
//! The costly part of a handshake, the private-key operation, is done on a thread of its own ([`handshakes`]), so that
//! no connection waits for another one's. From then on a connection's records are opened and sealed on its own task.

pub(crate) mod accept;
pub(crate) mod handshakes;
pub mod identity;
pub mod info;
pub mod keyring;
pub(crate) mod session;

use std::path::PathBuf;

/// Where certificates come from, and what is asked of clients.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The server's certificates. A client gets the first one for the name it asks for (SNI), else the first one.
    pub identities: Vec<Source>,
    /// What the private keys are encrypted with, where they are.
    pub password: Option<String>,
    /// The authorities (a PEM file) whose certificates clients may show.
    pub authorities: Option<PathBuf>,
    /// Whether clients have to show one.
    pub demand: Demand,
    /// Whether clients may choose HTTP/2.
    pub http2: bool,
}

/// The files of one certificate (PEM).
#[derive(Debug, Clone)]
pub struct Source {
    /// The certificate and those between it and its authority, in this order.
    pub chain: PathBuf,
    /// Its private key; may be the same file.
    pub key: PathBuf,
}

/// Whether a client has to show a certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Demand {
    /// It is not asked.
    #[default]
    None,
    /// It is asked; what it shows has to be valid.
    Optional,
    /// Without a valid one there is no connection.
    Required,
}
