//! Everything that handshakes need, made from files at once and replaced as a whole when these change. Knows no connection.

use super::identity::{Identity, certificates};
use super::{Demand, Options};
use crate::error::TlsError;
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{Ticketer, default_provider};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ProducesTickets, ServerConfig, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What clients may ask for by ALPN (RFC 7301), the best first.
const PROTOCOLS: [&[u8]; 3] = [b"h2", b"http/1.1", b"http/1.0"];

/// The certificates of a server, checked and ready.
#[derive(Debug)]
pub struct Keyring {
    options: Options,
    offers: Vec<Offer>,
    stamps: Vec<Stamp>,
}

/// One certificate, and how to shake hands with it.
#[derive(Debug)]
pub(super) struct Offer {
    identity: Identity,
    pub(super) config: Arc<ServerConfig>,
}

/// What changes when somebody writes a file or puts another one in its place.
#[derive(Debug, PartialEq, Eq)]
struct Stamp(Option<(u64, i64, i64, u64)>);

impl Keyring {
    /// Reads and checks all files that `options` names.
    pub fn load(options: Options) -> Result<Self, TlsError> {
        let provider = Arc::new(default_provider());
        let stamps = stamps(&options);
        let verifier = verifier(&options, &provider)?;
        // Of this keyring only: a ticket must not outlive the authorities that its client was checked against.
        let ticketer = Ticketer::new().map_err(TlsError::provider)?;
        let offers = options
            .identities
            .iter()
            .map(|source| {
                let identity = Identity::load(source, options.password.as_deref(), &provider)?;
                Offer::new(identity, &provider, &verifier, &ticketer, options.http2)
            })
            .collect::<Result<Vec<_>, _>>()?;
        if offers.is_empty() {
            return Err(TlsError::NoCertificate);
        }
        Ok(Self {
            options,
            offers,
            stamps,
        })
    }

    /// The same from the files as they are now.
    pub(super) fn reload(&self) -> Result<Self, TlsError> {
        Self::load(self.options.clone())
    }

    /// Whether a file is no longer what it was when it was read last.
    pub(super) fn is_stale(&self) -> bool {
        stamps(&self.options) != self.stamps
    }

    /// The files were looked at and could not be used: until they change again they are as good as read.
    pub(super) fn overlook(&mut self) {
        self.stamps = stamps(&self.options);
    }

    /// The certificate for a client: for the name it asks for, and with a key of a kind it knows, where there is such.
    pub(super) fn choose(&self, hello: &ClientHello<'_>) -> &Offer {
        let name = hello
            .server_name()
            .and_then(|name| ServerName::try_from(name).ok());
        let named = |offer: &&Offer| {
            name.as_ref()
                .is_some_and(|name| offer.identity.is_for(name))
        };
        let signs = |offer: &&Offer| offer.identity.signs(hello.signature_schemes());
        let mut for_name = self.offers.iter().filter(named).peekable();
        let first = for_name.peek().copied();
        for_name
            .find(signs)
            .or(first)
            .or_else(|| self.offers.iter().find(signs))
            .unwrap_or(&self.offers[0])
    }
}

impl Offer {
    fn new(
        identity: Identity,
        provider: &Arc<CryptoProvider>,
        verifier: &Arc<dyn ClientCertVerifier>,
        ticketer: &Arc<dyn ProducesTickets>,
        http2: bool,
    ) -> Result<Self, TlsError> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::provider)?
            .with_client_cert_verifier(Arc::clone(verifier))
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(
                &identity.certified,
            ))));
        let offered = &PROTOCOLS[usize::from(!http2)..];
        config.alpn_protocols = offered.iter().map(|name| name.to_vec()).collect();
        config.ticketer = Arc::clone(ticketer);
        Ok(Self {
            identity,
            config: Arc::new(config),
        })
    }

    pub(super) fn leaf(&self) -> CertificateDer<'static> {
        self.identity.leaf.clone()
    }
}

fn verifier(
    options: &Options,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    if options.demand == Demand::None {
        return Ok(WebPkiClientVerifier::no_client_auth());
    }
    let Some(path) = &options.authorities else {
        return Err(TlsError::NoAuthorities);
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots
            .add(certificate)
            .map_err(|error| TlsError::new(path, format!("holds a bad certificate: {error}")))?;
    }
    let builder =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let builder = if options.demand == Demand::Optional {
        builder.allow_unauthenticated()
    } else {
        builder
    };
    builder
        .build()
        .map_err(|error| TlsError::new(path, format!("cannot be used: {error}")))
}

fn stamps(options: &Options) -> Vec<Stamp> {
    let own = options
        .identities
        .iter()
        .flat_map(|source| [&source.chain, &source.key]);
    own.chain(&options.authorities)
        .map(PathBuf::as_path)
        .map(Stamp::of)
        .collect()
}

impl Stamp {
    fn of(path: &Path) -> Self {
        let found = std::fs::metadata(path).ok();
        Self(found.map(|file| (file.ino(), file.mtime(), file.mtime_nsec(), file.size())))
    }
}
