//! Checked lines as the fields of a frame, and a request's as a head. Knows no stream.

use super::outbox::Block;
use crate::error::Refusal;
use crate::http1::head::Head;
use crate::http1::token::trim;
use crate::http1::translated::{self, Pseudo};
use crate::limits::Limits;
use bytes::Bytes;
use h2::ext::Protocol;
use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};
use memchr::{memchr, memmem};

/// Fields about an HTTP/1.1 connection, which no stream may carry (RFC 9113, 8.2.2).
const OF_A_CONNECTION: [&str; 5] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// The head of a request; `ended` where it has no body.
pub(super) fn request(parts: &Parts, ended: bool, limits: &Limits) -> Result<Head, Refusal> {
    let target = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let protocol = parts.extensions.get::<Protocol>();
    let pseudo = Pseudo {
        method: parts.method.as_str(),
        target: target.as_bytes(),
        authority: parts.uri.authority().map(|name| name.as_str().as_bytes()),
        protocol: protocol.map(|name| name.as_str().as_bytes()),
        ended,
    };
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().as_bytes(), trim(value.as_bytes())));
    translated::head(&pseudo, headers, limits)
}

/// The head of a response. `None` where it cannot be said in HTTP/2.
pub(super) fn response(block: Block) -> Option<Response<()>> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(block.status).ok()?;
    *response.headers_mut() = fields(block)?;
    Some(response)
}

/// The fields of a block; those that only HTTP/1.1 knows are left out.
pub(super) fn fields(block: Block) -> Option<HeaderMap> {
    let text = Bytes::from(block.lines);
    let mut fields = HeaderMap::with_capacity(8);
    let mut at = memmem::find(&text, b"\r\n")? + 2;
    while let Some(length) = memmem::find(&text[at..], b"\r\n").filter(|length| *length > 0) {
        let line = text.slice(at..at + length);
        at += length + 2;
        let colon = memchr(b':', &line)?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        if OF_A_CONNECTION.contains(&name.as_str()) {
            continue;
        }
        let value = line.slice_ref(trim(&line[colon + 1..]));
        fields.append(name, HeaderValue::from_maybe_shared(value).ok()?);
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use super::super::outbox::Block;
    use super::{fields, response};

    fn block(status: u16, lines: &str) -> Block {
        Block {
            status,
            lines: lines.into(),
        }
    }

    #[test]
    fn lines_become_fields_without_those_of_a_connection() {
        let lines =
            "HTTP/1.1 200 OK\r\nContent-Type: a: b\r\nConnection: close\r\nx:\r\nx: 1 \r\n\r\n";
        let response = response(block(200, lines)).unwrap();
        let found: Vec<_> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let expected = [("content-type", &b"a: b"[..]), ("x", b""), ("x", b"1")];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_block_without_lines_has_no_fields() {
        assert!(fields(block(0, "0\r\n\r\n")).unwrap().is_empty());
    }
}
