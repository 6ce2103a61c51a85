//! The request that asks for a WebSocket, and what the answer says (RFC 6455, 4.2). Knows neither sockets nor frames.

use super::deflate::Agreement;
use crate::error::Refusal;
use crate::http1::Framing;
use crate::http1::head::Head;
use crate::http1::token::list;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

/// The only version there is.
pub const VERSION: &str = "13";

/// What RFC 6455 has every server append to the key.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A request for a WebSocket that can be accepted.
#[derive(Debug, Clone)]
pub struct Handshake {
    /// Of a connection of HTTP/1.1; a stream of HTTP/2 has no key to answer (RFC 8441, 5.1).
    accept: Option<String>,
    pub(super) deflate: Option<Agreement>,
}

impl Handshake {
    /// Reads a request that [`asks`] for a WebSocket. `deflate` says whether messages may be compressed.
    pub fn read(head: &Head, deflate: bool) -> Result<Self, Refusal> {
        let is_stream = head.protocol().is_some();
        if !is_stream && !matches!(head.framing(), Framing::None | Framing::Length(0)) {
            return Err(Refusal::bad_request("a WebSocket request has no body"));
        }
        if one(head, b"sec-websocket-version") != Some(VERSION.as_bytes()) {
            return Err(Refusal::new(
                426,
                "only WebSocket version 13 is spoken here",
            ));
        }
        let accept = if is_stream {
            None
        } else {
            let key = one(head, b"sec-websocket-key")
                .filter(|key| is_key(key))
                .ok_or(Refusal::bad_request(
                    "Sec-WebSocket-Key is not 16 bytes in base64",
                ))?;
            Some(accept(key))
        };
        let offers = head.fields().get_all(b"sec-websocket-extensions");
        Ok(Self {
            accept,
            deflate: deflate.then(|| Agreement::reach(offers)).flatten(),
        })
    }

    /// The fields of the acceptance beside the application's.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        let upgrade = self.accept.clone().map(|accept| {
            [
                ("upgrade", "websocket".to_owned()),
                ("connection", "Upgrade".to_owned()),
                ("sec-websocket-accept", accept),
            ]
        });
        let extensions = self.deflate.map(Agreement::answer);
        upgrade
            .into_iter()
            .flatten()
            .chain(extensions.map(|value| ("sec-websocket-extensions", value)))
    }
}

/// Whether the request asks for a WebSocket, be it rightly or wrongly.
pub fn asks(head: &Head) -> bool {
    if let Some(protocol) = head.protocol() {
        return protocol == b"websocket";
    }
    head.upgrade().is_some()
        && head.method() == "GET"
        && head
            .fields()
            .get_all(b"upgrade")
            .flat_map(list)
            .any(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
}

/// The subprotocols that the client offers, the one it likes best first.
pub fn protocols(head: &Head) -> impl Iterator<Item = &[u8]> {
    head.fields()
        .get_all(b"sec-websocket-protocol")
        .flat_map(list)
}

/// The value of a field that must stand there once.
fn one<'a>(head: &'a Head, name: &'a [u8]) -> Option<&'a [u8]> {
    let mut values = head.fields().get_all(name);
    values.next().filter(|_| values.next().is_none())
}

fn is_key(key: &[u8]) -> bool {
    STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16)
}

fn accept(key: &[u8]) -> String {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[key, GUID].concat());
    STANDARD.encode(hash)
}

#[cfg(test)]
mod tests {
    use super::{Handshake, accept, asks, protocols};
    use crate::http1::head::{Head, HeadParser};
    use crate::limits::Limits;
    use bytes::BytesMut;

    const GOOD: &str = "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: h2c, WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

    fn head(text: &str) -> Head {
        let mut buffer = BytesMut::from(format!("{text}\r\n").as_str());
        let parsed = HeadParser::default().parse(&mut buffer, &Limits::default());
        parsed.unwrap().unwrap()
    }

    #[test]
    fn the_key_of_the_rfc_is_answered_as_the_rfc_says() {
        assert_eq!(
            accept(b"dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
        let asked = head(GOOD);
        assert!(asks(&asked));
        assert!(Handshake::read(&asked, true).is_ok());
    }

    #[test]
    fn what_the_rfc_refuses_is_refused() {
        for (from, to, status) in [
            ("Version: 13", "Version: 8", 426),
            ("Sec-WebSocket-Version: 13\r\n", "", 426),
            ("jZQ==", "jZQ=", 400),
            ("dGhlIHNh", "", 400),
            ("Sec-WebSocket-Key", "Other", 400),
            (
                "Host: a",
                "Host: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                400,
            ),
            ("Host: a", "Host: a\r\nContent-Length: 1", 400),
            ("Host: a", "Host: a\r\nTransfer-Encoding: chunked", 400),
        ] {
            let refusal = Handshake::read(&head(&GOOD.replace(from, to)), true).unwrap_err();
            assert_eq!(refusal.status, status, "{from} -> {to}");
        }
    }

    #[test]
    fn what_asks_for_something_else_is_an_ordinary_request() {
        for (from, to) in [
            ("GET", "POST"),
            ("HTTP/1.1", "HTTP/1.0"),
            ("WebSocket", "other"),
            ("keep-alive, Upgrade", "keep-alive"),
        ] {
            assert!(!asks(&head(&GOOD.replacen(from, to, 1))), "{from} -> {to}");
        }
    }

    #[test]
    fn protocols_come_in_order_from_all_fields() {
        let more = "Sec-WebSocket-Protocol: chat, soap\r\nSec-WebSocket-Protocol: mqtt\r\n";
        let asked = head(&format!("{GOOD}{more}"));
        assert_eq!(
            protocols(&asked).collect::<Vec<_>>(),
            [&b"chat"[..], b"soap", b"mqtt"]
        );
    }
}
