//! The four forms of a request target (RFC 9112, 3.2) and the host it is for. Knows no fields.

use super::token::is_reg_name;
use crate::error::Refusal;
use memchr::memchr;
use std::borrow::Cow;
use std::net::Ipv6Addr;

/// A target taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    /// Host and port; only the absolute form has them.
    pub(super) authority: Option<&'a [u8]>,
    /// As sent. Empty where an absolute form has none: that is `/`.
    pub(super) path: &'a [u8],
    /// Without the question mark.
    pub(super) query: &'a [u8],
}

/// Takes a target apart; which forms are allowed depends on the method.
pub(super) fn parse<'a>(method: &[u8], target: &'a [u8]) -> Result<Target<'a>, Refusal> {
    if memchr(b'#', target).is_some() {
        return Err(Refusal::bad_request("fragment in the request target"));
    }
    if method == b"CONNECT" {
        return Err(Refusal::new(501, "CONNECT is not offered"));
    }
    match target.first() {
        Some(b'/') => Ok(split_query(None, target)),
        Some(b'*') if target.len() == 1 && method == b"OPTIONS" => Ok(split_query(None, target)),
        _ => parse_absolute(target),
    }
}

fn split_query<'a>(authority: Option<&'a [u8]>, rest: &'a [u8]) -> Target<'a> {
    let (path, query) = match memchr(b'?', rest) {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, &rest[rest.len()..]),
    };
    Target {
        authority,
        path,
        query,
    }
}

fn parse_absolute(target: &[u8]) -> Result<Target<'_>, Refusal> {
    const INVALID: Refusal = Refusal::bad_request("invalid request target");
    let colon = memchr(b':', target).ok_or(INVALID)?;
    let (scheme, rest) = target.split_at(colon);
    if !scheme.eq_ignore_ascii_case(b"http") && !scheme.eq_ignore_ascii_case(b"https") {
        return Err(INVALID);
    }
    let rest = rest.strip_prefix(b"://").ok_or(INVALID)?;
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?'))
        .unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    check_host(authority)?;
    if authority.is_empty() || authority.starts_with(b":") {
        return Err(INVALID);
    }
    Ok(split_query(Some(authority), rest))
}

/// `uri-host [ ":" port ]` of RFC 9110, 7.2; an empty one is allowed.
pub(super) fn check_host(host: &[u8]) -> Result<(), Refusal> {
    const INVALID: Refusal = Refusal::bad_request("invalid host");
    let (valid, port) = if host.first() == Some(&b'[') {
        let end = memchr(b']', host).ok_or(INVALID)?;
        (is_ip_literal(&host[1..end]), &host[end + 1..])
    } else {
        let end = memchr(b':', host).unwrap_or(host.len());
        (is_reg_name(&host[..end]), &host[end..])
    };
    if valid && is_port(port) {
        Ok(())
    } else {
        Err(INVALID)
    }
}

fn is_ip_literal(literal: &[u8]) -> bool {
    std::str::from_utf8(literal).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok())
}

/// Nothing, or a colon and at most five digits.
fn is_port(port: &[u8]) -> bool {
    match port.split_first() {
        None => true,
        Some((b':', digits)) => digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit),
        Some(_) => false,
    }
}

/// Undoes percent-encoding; what is not two hexadecimal digits behind a `%` stays as it is.
pub(super) fn percent_decode(raw: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr(b'%', raw) else {
        return Cow::Borrowed(raw);
    };
    let mut decoded = Vec::with_capacity(raw.len());
    let (plain, mut rest) = raw.split_at(first);
    decoded.extend_from_slice(plain);
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after
            .first_chunk()
            .and_then(|[high, low]| Some((hex(*high)?, hex(*low)?)));
        match digits {
            Some((high, low)) if byte == b'%' => {
                decoded.push(high << 4 | low);
                rest = &after[2..];
            }
            _ => {
                decoded.push(byte);
                rest = after;
            }
        }
    }
    Cow::Owned(decoded)
}

/// The value of a hexadecimal digit.
pub(super) fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{check_host, parse, percent_decode};

    type Parts = (Option<&'static str>, &'static str, &'static str);

    fn parts(method: &str, target: &'static str) -> Result<Parts, u16> {
        let text = |bytes| std::str::from_utf8(bytes).unwrap();
        parse(method.as_bytes(), target.as_bytes())
            .map(|t| (t.authority.map(text), text(t.path), text(t.query)))
            .map_err(|refusal| refusal.status)
    }

    #[test]
    fn forms_are_taken_apart() {
        assert_eq!(parts("GET", "/"), Ok((None, "/", "")));
        assert_eq!(parts("GET", "/a/b?c=d?e"), Ok((None, "/a/b", "c=d?e")));
        assert_eq!(parts("GET", "//a"), Ok((None, "//a", "")));
        assert_eq!(parts("GET", "http://a:1/b?c"), Ok((Some("a:1"), "/b", "c")));
        assert_eq!(parts("GET", "HTTPS://a?c"), Ok((Some("a"), "", "c")));
        assert_eq!(
            parts("GET", "http://[::1]:8/"),
            Ok((Some("[::1]:8"), "/", ""))
        );
        assert_eq!(parts("OPTIONS", "*"), Ok((None, "*", "")));
    }

    #[test]
    fn forms_that_do_not_fit_are_refused() {
        for target in [
            "*",
            "*a",
            "a",
            "a/b",
            "?a",
            "ftp://a/",
            "http:/a",
            "http:a",
            "http://",
            "http:///a",
            "http://:80/",
            "http://u@a/",
            "http://a:b/",
            "/a#b",
            "a:80",
        ] {
            assert_eq!(parts("GET", target), Err(400), "{target}");
        }
        assert_eq!(parts("CONNECT", "a:80"), Err(501));
    }

    #[test]
    fn hosts_follow_their_grammar() {
        for host in [
            "",
            "a",
            "a:80",
            "a:",
            "a_b.c",
            "127.0.0.1:8000",
            "[::1]",
            "[::1]:80",
            "xn--caf-dma.fr",
            "%61",
            "a,b",
        ] {
            assert!(check_host(host.as_bytes()).is_ok(), "{host}");
        }
        for host in [
            "a b", "a/b", "a:b", "a:80:80", "a:123456", "[::1", "[a]", "[::1]a", "[::1]:x", "u@a",
            "a\0", "é", "a\\b", "::1", "a?b", "a#b",
        ] {
            assert!(check_host(host.as_bytes()).is_err(), "{host}");
        }
    }

    #[test]
    fn percent_decoding_leaves_what_is_not_encoded() {
        for (raw, decoded) in [
            ("/a", "/a"),
            ("/%41%2f%e2%82%ac", "/A/€"),
            ("%", "%"),
            ("%4", "%4"),
            ("%zz%4", "%zz%4"),
            ("%%41", "%A"),
            ("a%00b", "a\0b"),
            ("%2541", "%41"),
        ] {
            assert_eq!(
                &*percent_decode(raw.as_bytes()),
                decoded.as_bytes(),
                "{raw}"
            );
        }
    }
}
