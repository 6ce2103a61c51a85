//! What is known of a secured connection: what ASGI's TLS extension tells. Knows no bytes of it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::server::ServerConnection;
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// What the handshake came to.
#[derive(Debug)]
pub struct TlsInfo {
    /// The version's number on the wire: 0x0303 is TLS 1.2, 0x0304 is TLS 1.3.
    pub version: u16,
    /// The cipher suite's number in IANA's registry.
    pub cipher_suite: u16,
    /// The server's certificate (DER).
    pub server_certificate: Vec<u8>,
    /// What the client showed and what was found valid (DER), its own certificate first.
    pub client_chain: Vec<Vec<u8>>,
}

impl TlsInfo {
    pub(super) fn new(session: &ServerConnection, leaf: &CertificateDer<'_>) -> Self {
        let chain = session.peer_certificates().unwrap_or_default();
        Self {
            version: session.protocol_version().map_or(0, u16::from),
            cipher_suite: session
                .negotiated_cipher_suite()
                .map_or(0, |suite| suite.suite().into()),
            server_certificate: leaf.to_vec(),
            client_chain: chain.iter().map(|one| one.to_vec()).collect(),
        }
    }

    /// The server's certificate as a PEM block.
    pub fn server_pem(&self) -> String {
        pem(&self.server_certificate)
    }

    /// The client's certificates as PEM blocks.
    pub fn client_pems(&self) -> impl Iterator<Item = String> {
        self.client_chain.iter().map(|one| pem(one))
    }

    /// The subject of the client's certificate as RFC 4514 writes it.
    pub fn client_name(&self) -> Option<String> {
        let leaf = Certificate::from_der(self.client_chain.first()?).ok()?;
        Some(leaf.tbs_certificate().subject().to_string())
    }
}

fn pem(der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let mut block = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        block.extend(line.iter().copied().map(char::from));
        block.push('\n');
    }
    block + "-----END CERTIFICATE-----\n"
}
