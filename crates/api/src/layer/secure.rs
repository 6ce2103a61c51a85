//! Only requests over TLS; others are redirected. A URL that does not stand in a `Location` as it was sent is the app's to write.

use std::iter;

use super::hosts::plain;
use super::{Answer, Layer, Met, Request};
use crate::exchange::Chunk;

/// Ports that a redirect does not keep: they are the schemes' own.
const OWN_PORTS: [u16; 2] = [80, 443];

/// Every request has to come over TLS.
pub struct Secure;

impl Layer for Secure {
    fn meet<'a>(&'a self, request: &'a dyn Request) -> Met<'a> {
        if request.is_secure() {
            return Met::Passes;
        }
        let Some(location) = location(request) else {
            return Met::Leaves;
        };
        let mut answer = Answer::new(307, iter::empty(), Chunk::Borrowed(b""));
        answer.set(b"location", location.into_bytes());
        Met::Answers(Box::new(answer))
    }
}

/// The URL of a request, with TLS.
fn location(request: &dyn Request) -> Option<String> {
    let field = request.field(b"host")?;
    let (name, port) = plain(field)?;
    let netloc = if port.is_some_and(|port| OWN_PORTS.contains(&port)) {
        name.to_ascii_lowercase()
    } else {
        String::from_utf8(field.to_vec()).ok()?
    };
    let path = as_it_is(request.raw_path(), b"/")?;
    let query = as_it_is(request.query(), b"/?=&+:,;@%")?;
    if !path.starts_with('/') || path.starts_with("//") {
        return None;
    }
    let mark = if query.is_empty() { "" } else { "?" };
    Some(format!("https://{netloc}{path}{mark}{query}"))
}

/// A text that has only RFC 3986's unreserved characters and these: nobody would quote anything in it.
fn as_it_is<'a>(text: &'a [u8], more: &[u8]) -> Option<&'a str> {
    let is_plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte) || more.contains(byte);
    let text = text.iter().all(is_plain).then_some(text)?;
    std::str::from_utf8(text).ok()
}
