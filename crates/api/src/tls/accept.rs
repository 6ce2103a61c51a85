//! A new connection until its handshake is over. Knows no cryptography.

use super::handshakes::{Handshakes, Side};
use super::info::TlsInfo;
use super::session::TlsStream;
use crate::connection::Link;
use crate::error::{Refusal, TlsError};
use crate::faults;
use crate::http1::encode;
use crate::opening::Patience;
use crate::socket::Socket;
use crate::timeouts::Millis;
use rustls::pki_types::CertificateDer;
use rustls::server::ServerConnection;
use std::cell::Cell;
use std::io;
use tokio::io::AsyncWriteExt;

/// A record's type, version and length.
const RECORD_HEAD: usize = 5;

/// The type of the records that a handshake begins with.
const HANDSHAKE: u8 = 22;

/// The longest record that may come, sealed (RFC 8446, 5.2; RFC 5246, 6.2.3).
const RECORD_LIMIT: usize = RECORD_HEAD + (1 << 14) + 2048;

/// Shakes hands with whoever is on `stream`, and waits less long where that fails early. Nothing where it failed.
pub(crate) async fn secure(
    mut stream: Socket,
    link: &Link,
    handshakes: &Handshakes,
    patience: &Patience,
) -> Option<TlsStream> {
    let mut side = Side::Greeting(Box::default());
    loop {
        let bytes = records(&stream, &patience.begun).await.ok()?;
        faults::here("handshake");
        if matches!(side, Side::Greeting(_)) && bytes[0] != HANDSHAKE {
            answer_plain(stream, link, &patience.due, bytes[0]).await;
            return None;
        }
        let turn = handshakes.step(side, bytes).await?;
        if let Some(result) = turn.reloaded {
            report(result);
        }
        stream.write_all(&turn.reply).await.ok()?;
        match turn.side {
            Ok(Side::Speaking(session, leaf)) if !session.is_handshaking() => {
                return Some(finish(stream, session, &leaf, link));
            }
            Ok(more) => side = more,
            Err(error) => {
                tracing::debug!(%error, "TLS handshake failed");
                linger(stream, link, &patience.due).await;
                return None;
            }
        }
    }
}

fn finish(
    stream: Socket,
    session: Box<ServerConnection>,
    leaf: &CertificateDer<'_>,
    link: &Link,
) -> TlsStream {
    link.info.secure(TlsInfo::new(&session, leaf));
    TlsStream::new(stream, session)
}

/// Says what became of the certificates' files.
pub(crate) fn report(result: Result<(), TlsError>) {
    match result {
        Ok(()) => tracing::info!("TLS certificates were read anew"),
        Err(error) => tracing::error!(%error, "TLS certificates stay as they were"),
    }
}

/// Reads until a whole record is there: half of one would only travel to the handshakes' thread and back.
async fn records(stream: &Socket, begun: &Cell<bool>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(1024);
    while !is_whole(&bytes) {
        stream.readable().await?;
        bytes.reserve(512);
        match stream.try_read_buf(&mut bytes) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => begun.set(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

fn is_whole(bytes: &[u8]) -> bool {
    match bytes {
        [kind, ..] if !(20..=23).contains(kind) => true,
        [_, _, _, high, low, rest @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            rest.len() >= length || RECORD_HEAD + length > RECORD_LIMIT
        }
        _ => false,
    }
}

/// Tells a client that speaks HTTP without TLS what is wrong; anything else is closed.
async fn answer_plain(mut stream: Socket, link: &Link, due: &Cell<Millis>, first: u8) {
    if !first.is_ascii_uppercase() {
        return;
    }
    let mut response = Vec::new();
    let refusal = Refusal::bad_request("this port speaks TLS: use https://");
    encode::refusal(&mut response, link.engine.stamp(), refusal);
    if stream.write_all(&response).await.is_ok() {
        linger(stream, link, due).await;
    }
}

/// Throws away what still comes, so that no reset overtakes what was sent last.
async fn linger(mut stream: Socket, link: &Link, due: &Cell<Millis>) {
    due.set(
        due.get()
            .min(link.engine.after(link.engine.timeouts.linger)),
    );
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut scratch = [0; 1024];
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut scratch) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[test]
    fn half_a_record_is_waited_for_and_what_is_none_is_not() {
        let hello = [22, 3, 1, 0, 2, 1, 1];
        for length in 0..hello.len() {
            assert!(!is_whole(&hello[..length]), "{length}");
        }
        assert!(is_whole(&hello));
        assert!(is_whole(b"G"));
        assert!(is_whole(&[22, 3, 1, 0xff, 0xff]));
    }
}
