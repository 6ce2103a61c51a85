//! A certificate for `localhost`, and a client that trusts it.

use crate::support::{PATIENCE, Running};
use api::tls::keyring::Keyring;
use api::tls::{Options, Source};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

/// The certificate, and the rings of servers that have it.
pub struct Authority(CertificateDer<'static>);

impl Authority {
    /// A new certificate, and what a server needs to be `localhost` by it.
    pub fn new() -> (Self, Keyring) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let file = folder.join(format!("localhost-{}.pem", std::process::id()));
        std::fs::write(&file, made.cert.pem() + &made.signing_key.serialize_pem()).unwrap();
        let source = Source {
            chain: file.clone(),
            key: file.clone(),
        };
        let keyring = Keyring::load(Options {
            identities: vec![source],
            ..Options::default()
        });
        std::fs::remove_file(file).unwrap();
        (Self(made.cert.into()), keyring.unwrap())
    }

    /// The whole answer to one request to the server called `name`, or what went wrong.
    pub fn get(&self, server: &Running, name: &'static str, path: &str) -> io::Result<String> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.clone()).unwrap();
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let session = ClientConnection::new(Arc::new(config), name.try_into().unwrap()).unwrap();
        let socket = TcpStream::connect(server.address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let mut stream = StreamOwned::new(session, socket);
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: {name}\r\nconnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// The server closes the connection of whoever asks for `name`, before it has shown a certificate.
    pub fn assert_closed(&self, server: &Running, name: &'static str) {
        let error = self.get(server, name, "/").unwrap_err();
        let shown = error.kind() == ErrorKind::InvalidData;
        assert!(!shown, "{error}");
    }
}
