//! The hops that a request came by, as its head tells them, the nearest first. Believes nobody.

use crate::http1::head::Head;
use crate::http1::token::{list, trim};
use std::net::{IpAddr, SocketAddr};

/// One hop: from whom, and how, a proxy was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Hop {
    /// Nothing where it is hidden, unknown or no address.
    pub(super) address: Option<SocketAddr>,
    pub(super) secure: Option<bool>,
}

/// `X-Forwarded-For`: addresses alone.
pub(super) fn x_forwarded_for(head: &Head) -> impl Iterator<Item = Hop> {
    let values: Vec<_> = head.fields().get_all(b"x-forwarded-for").collect();
    let hops = values.into_iter().rev();
    let hops = hops.flat_map(|value| value.rsplit(|byte| *byte == b',').map(trim));
    hops.map(|hop| Hop {
        address: address(hop),
        secure: None,
    })
}

/// `X-Forwarded-Proto`: what the nearest proxy says.
pub(super) fn x_forwarded_proto(head: &Head) -> Option<bool> {
    let values = head.fields().get_all(b"x-forwarded-proto");
    values.flat_map(list).last().and_then(is_secure)
}

/// `Forwarded` (RFC 7239). What is malformed hides the hop it should have told of, and all behind it.
pub(super) fn forwarded(head: &Head) -> impl Iterator<Item = Hop> {
    let values = head.fields().get_all(b"forwarded");
    let hops: Vec<_> = values.flat_map(|value| split(value, b',')).collect();
    hops.into_iter().rev().map(element)
}

/// `for=192.0.2.60;proto=https;by=…`
fn element(element: &[u8]) -> Hop {
    let mut hop = Hop::default();
    for pair in split(element, b';') {
        let Some(equals) = pair.iter().position(|byte| *byte == b'=') else {
            return Hop::default();
        };
        let (name, value) = (&pair[..equals], unquoted(&pair[equals + 1..]));
        if name.eq_ignore_ascii_case(b"for") {
            hop.address = address(value);
        } else if name.eq_ignore_ascii_case(b"proto") {
            hop.secure = is_secure(value);
        }
    }
    hop
}

/// The parts between `separator`s that stand outside of quotes, trimmed; empty ones are left out.
fn split(value: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = value.split(move |byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        *byte == separator && !quoted
    });
    parts.map(trim).filter(|part| !part.is_empty())
}

/// Addresses and schemes need no escapes: one that has some is none.
fn unquoted(value: &[u8]) -> &[u8] {
    let inner = value.strip_prefix(b"\"");
    inner
        .and_then(|inner| inner.strip_suffix(b"\""))
        .unwrap_or(value)
}

/// An address, with or without a port (which is 0 then); IPv6 in brackets or bare.
fn address(text: &[u8]) -> Option<SocketAddr> {
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(with_port) = text.parse() {
        return Some(with_port);
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let ip: IpAddr = match bare {
        Some(inner) => IpAddr::V6(inner.parse().ok()?),
        None => text.parse().ok()?,
    };
    Some(SocketAddr::new(ip, 0))
}

fn is_secure(scheme: &[u8]) -> Option<bool> {
    let is = |name: &[u8]| scheme.eq_ignore_ascii_case(name);
    if is(b"https") || is(b"wss") {
        Some(true)
    } else {
        (is(b"http") || is(b"ws")).then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::{address, element, split};

    #[test]
    fn addresses_come_with_and_without_ports() {
        for (text, expected) in [
            ("1.2.3.4", Some("1.2.3.4:0")),
            ("1.2.3.4:567", Some("1.2.3.4:567")),
            ("::5", Some("[::5]:0")),
            ("[::5]", Some("[::5]:0")),
            ("[::5]:80", Some("[::5]:80")),
            ("[1.2.3.4]", None),
            ("[::5", None),
            ("1.2.3.4:70000", None),
            ("1.2.3", None),
            ("unknown", None),
            ("_hidden", None),
            ("", None),
        ] {
            let found = address(text.as_bytes()).map(|found| found.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn elements_are_read_within_and_without_quotes() {
        for (text, expected) in [
            (
                "for=192.0.2.60;proto=http;by=203.0.113.43",
                (Some("192.0.2.60:0"), Some(false)),
            ),
            (
                r#"For="[2001:db8:cafe::17]:4711""#,
                (Some("[2001:db8:cafe::17]:4711"), None),
            ),
            (
                "PROTO=HTTPS ; for=\"1.1.1.1\"",
                (Some("1.1.1.1:0"), Some(true)),
            ),
            ("for=_mystery;proto=https", (None, Some(true))),
            ("for=1.1.1.1;junk", (None, None)),
            (r#"for="1.1.1.1;proto=https"#, (None, None)),
        ] {
            let hop = element(text.as_bytes());
            let address = hop.address.map(|address| address.to_string());
            assert_eq!((address.as_deref(), hop.secure), expected, "{text}");
        }
    }

    #[test]
    fn quoted_separators_separate_nothing() {
        let parts: Vec<_> = split(br#"a="1,\",2", b ,, c"#, b',').collect();
        assert_eq!(parts, [&br#"a="1,\",2""#[..], b"b", b"c"]);
    }
}
