//! One certificate of the server with its private key, from PEM files. Knows no connection.

use super::Source;
use crate::error::TlsError;
use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::der::Document;
use pkcs8::der::pem::PemLabel;
use rustls::SignatureScheme;
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use std::path::Path;
use std::sync::Arc;

/// A chain and its key, which belong together.
#[derive(Debug)]
pub struct Identity {
    pub(super) certified: Arc<CertifiedKey>,
    pub(super) leaf: CertificateDer<'static>,
}

impl Identity {
    /// Reads both files. An error names the file.
    pub fn load(
        source: &Source,
        password: Option<&str>,
        provider: &CryptoProvider,
    ) -> Result<Self, TlsError> {
        let chain = certificates(&source.chain)?;
        let leaf = chain[0].clone();
        let key = private_key(&source.key, password)?;
        let certified = CertifiedKey::from_der(chain, key, provider)
            .map_err(|error| TlsError::new(&source.key, reason(&error, &source.chain)))?;
        Ok(Self {
            certified: Arc::new(certified),
            leaf,
        })
    }

    /// Whether the certificate is one for `name`; wildcards count.
    pub(super) fn is_for(&self, name: &ServerName<'_>) -> bool {
        ParsedCertificate::try_from(&self.leaf)
            .is_ok_and(|certificate| verify_server_name(&certificate, name).is_ok())
    }

    /// Whether the key can sign in a way that the client knows.
    pub(super) fn signs(&self, offered: &[SignatureScheme]) -> bool {
        self.certified.key.choose_scheme(offered).is_some()
    }
}

fn reason(error: &rustls::Error, chain: &Path) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            format!("is not the private key of {}", chain.display())
        }
        other => format!("cannot be used: {other}"),
    }
}

/// All certificates of a PEM file, at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(path)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| TlsError::new(path, format!("is no PEM file: {error}")))?;
    if found.is_empty() {
        let missing = "holds no certificate (-----BEGIN CERTIFICATE-----)";
        return Err(TlsError::new(path, missing));
    }
    Ok(found)
}

fn private_key(path: &Path, password: Option<&str>) -> Result<PrivateKeyDer<'static>, TlsError> {
    let pem = read(path)?;
    let wrong = |what: &str| TlsError::new(path, what);
    if let Some(sealed) = sealed_key(&pem) {
        let Some(password) = password else {
            return Err(wrong(
                "is encrypted: a password is needed (ssl_keyfile_password)",
            ));
        };
        let sealed = sealed.map_err(|()| wrong("holds an encrypted key that cannot be read"))?;
        let info = EncryptedPrivateKeyInfoRef::try_from(sealed.as_bytes())
            .map_err(|_| wrong("holds an encrypted key that cannot be read"))?;
        let opened = info.decrypt(password).map_err(|_| {
            wrong("cannot be decrypted: the password is wrong, or the cipher unknown")
        })?;
        return Ok(PrivatePkcs8KeyDer::from(opened.as_bytes().to_vec()).into());
    }
    if memchr::memmem::find(&pem, b"Proc-Type: 4,ENCRYPTED").is_some() {
        return Err(wrong(
            "is encrypted in OpenSSL's old form; rewrite it: openssl pkcs8 -topk8 -in KEY -out NEW_KEY",
        ));
    }
    PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| wrong("holds no private key (-----BEGIN PRIVATE KEY-----)"))
}

/// The first encrypted key of a PEM file, which may hold certificates as well.
fn sealed_key(pem: &[u8]) -> Option<Result<Document, ()>> {
    let label = EncryptedPrivateKeyInfoRef::PEM_LABEL;
    let (begin, end) = (
        format!("-----BEGIN {label}-----"),
        format!("-----END {label}-----"),
    );
    let from = memchr::memmem::find(pem, begin.as_bytes())?;
    let to = memchr::memmem::find(&pem[from..], end.as_bytes()).map(|at| from + at + end.len());
    let block = to.and_then(|to| std::str::from_utf8(&pem[from..to]).ok());
    Some(
        block
            .and_then(|block| Document::from_pem(block).ok())
            .map(|(_, document)| document)
            .ok_or(()),
    )
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|error| TlsError::new(path, format!("cannot be read: {error}")))
}
