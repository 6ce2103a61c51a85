//! A head that came in another framing than HTTP/1.1's, put into a block of the same shape. Knows no frames.

use super::fields::{Fields, Span};
use super::framing::{Control, Framing};
use super::head::{Head, METHOD_LIMIT, TARGET_TOO_LONG, Version};
use super::target::{self, check_host};
use crate::error::Refusal;
use crate::limits::Limits;
use bytes::Bytes;

/// What HTTP/2 says of a request beside its fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pseudo<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a [u8],
    pub(crate) authority: Option<&'a [u8]>,
    /// What the stream is to carry from now on (RFC 8441).
    pub(crate) protocol: Option<&'a [u8]>,
    /// There is no body.
    pub(crate) ended: bool,
}

/// The block of a head, as far as it is written.
struct Block {
    text: Vec<u8>,
    fields: Fields,
    control: Control,
}

/// Checks a head as one of HTTP/1.1 would be checked; `headers` have names in lower case.
pub(crate) fn head<'a>(
    pseudo: &Pseudo<'_>,
    headers: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    limits: &Limits,
) -> Result<Head, Refusal> {
    if pseudo.method.len() > METHOD_LIMIT {
        return Err(Refusal::new(501, "unknown method"));
    }
    if pseudo.target.len() > usize::from(limits.target) {
        return Err(TARGET_TOO_LONG);
    }
    let mut block = Block::default();
    let method = block.write(pseudo.method.as_bytes())?;
    let target = block.write(pseudo.target)?;
    let protocol = pseudo.protocol.map(|name| block.write(name)).transpose()?;
    if let Some(authority) = pseudo.authority {
        block.field(b"host", authority)?;
    }
    let mut cookies = Vec::new();
    for (name, value) in headers {
        match name {
            // Sent in pieces for the sake of compression (RFC 9113, 8.2.3).
            b"cookie" => cookies.push(value),
            b"host" if pseudo.authority == Some(value) => {}
            _ => block.field(name, value)?,
        }
    }
    if !cookies.is_empty() {
        block.field(b"cookie", &cookies.join(&b"; "[..]))?;
    }
    if block.fields.len() > usize::from(limits.fields) || block.text.len() > limits.header as usize
    {
        return Err(Refusal::new(431, "request header fields too large"));
    }
    block.finish(pseudo, method, target, protocol)
}

impl Default for Block {
    fn default() -> Self {
        Self {
            text: Vec::with_capacity(512),
            fields: Fields::with_capacity(16),
            control: Control::default(),
        }
    }
}

impl Block {
    fn write(&mut self, part: &[u8]) -> Result<Span, Refusal> {
        let start = self.text.len();
        self.text.extend_from_slice(part);
        Span::of(&self.text, &self.text[start..])
    }

    fn field(&mut self, name: &[u8], value: &[u8]) -> Result<(), Refusal> {
        let name_span = self.write(name)?;
        let value_span = self.write(value)?;
        self.fields.push(name_span, value_span);
        self.control.note(name, value, value_span)
    }

    fn finish(
        self,
        pseudo: &Pseudo<'_>,
        method: Span,
        whole: Span,
        protocol: Option<Span>,
    ) -> Result<Head, Refusal> {
        let block = Bytes::from(self.text);
        let asked = match protocol {
            Some(_) => b"GET",
            None => pseudo.method.as_bytes(),
        };
        let target = target::parse(asked, whole.get(&block))?;
        let host = self.control.host.ok_or(Refusal::bad_request("no Host"))?;
        check_host(host.get(&block))?;
        let framing = match self.control.framing(false)? {
            _ if pseudo.ended => Framing::None,
            Framing::Length(length) => Framing::Length(length),
            _ => Framing::Stream,
        };
        let mut head = Head {
            method,
            target: whole,
            path: Span::of(&block, target.path)?,
            query: Span::of(&block, target.query)?,
            host: Some(host),
            framing,
            version: Version::Http2,
            keep_alive: true,
            expects_continue: self.control.expects_continue && !pseudo.ended,
            upgrade: false,
            protocol,
            fields: self.fields,
        };
        head.fields.set_block(block);
        Ok(head)
    }
}

#[cfg(test)]
mod tests {
    use super::{Pseudo, head};
    use crate::http1::head::Head;
    use crate::limits::Limits;

    const GET: Pseudo<'_> = Pseudo {
        method: "GET",
        target: b"/a%20b?c=d",
        authority: Some(b"example.org:80"),
        protocol: None,
        ended: true,
    };

    fn read(pseudo: &Pseudo<'_>, headers: &[(&str, &str)]) -> Result<Head, u16> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        head(pseudo, headers, &Limits::default()).map_err(|refusal| refusal.status)
    }

    #[test]
    fn the_authority_is_the_first_field_and_cookies_are_one() {
        let read = read(
            &GET,
            &[("cookie", "a=1"), ("accept", "*/*"), ("cookie", "b=2")],
        )
        .unwrap();
        assert_eq!(read.path_text(), "/a b");
        assert_eq!(read.query(), b"c=d");
        let fields: Vec<_> = read.headers().collect();
        assert_eq!(
            fields,
            [
                (&b"host"[..], &b"example.org:80"[..]),
                (b"accept", b"*/*"),
                (b"cookie", b"a=1; b=2"),
            ]
        );
    }

    #[test]
    fn what_http1_refuses_is_refused() {
        let unnamed = Pseudo {
            authority: None,
            ..GET
        };
        assert!(read(&GET, &[("host", "example.org:80")]).is_ok());
        assert!(read(&unnamed, &[("host", "a")]).is_ok());
        for (pseudo, headers, status) in [
            (GET, ("host", "other"), 400),
            (unnamed, ("accept", "*/*"), 400),
            (unnamed, ("host", "a b"), 400),
            (
                Pseudo {
                    method: "CONNECT",
                    ..GET
                },
                ("a", "b"),
                501,
            ),
            (
                Pseudo {
                    target: b"a/b",
                    ..GET
                },
                ("a", "b"),
                400,
            ),
        ] {
            assert_eq!(read(&pseudo, &[headers]).err(), Some(status), "{pseudo:?}");
        }
        let long = vec![b'a'; 16 * 1024 + 1];
        let pseudo = Pseudo {
            target: &long,
            ..GET
        };
        assert_eq!(read(&pseudo, &[]).err(), Some(414));
        let many: Vec<_> = (0..101).map(|_| ("a", "b")).collect();
        assert_eq!(read(&GET, &many).err(), Some(431));
    }
}
