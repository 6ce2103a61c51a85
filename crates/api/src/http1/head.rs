//! One request's head: found, checked and kept as one block of bytes. Knows the fields that frame a message; the
//! others are the application's.

use super::fields::{Fields, Span};
use super::framing::{Control, Framing};
use super::lines::Lines;
use super::section::{Bounds, Section};
use super::target::{check_host, percent_decode};
use super::{target, token};
use crate::error::Refusal;
use crate::limits::Limits;
use bytes::{Buf, BytesMut};
use std::borrow::Cow;
use std::mem::MaybeUninit;

/// Longer methods are refused: no registered one has more than 17 bytes.
pub(super) const METHOD_LIMIT: usize = 32;

/// `" HTTP/1.1"` and the space behind the method.
const REST_OF_REQUEST_LINE: usize = 10;

/// Fields up to this number are parsed without an allocation.
const FIELDS_ON_STACK: usize = 64;

pub(super) const TARGET_TOO_LONG: Refusal = Refusal::new(414, "request target too long");

/// The version a request was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
    /// HTTP/2
    Http2,
}

impl Version {
    /// As ASGI spells it: `1.0`, `1.1` or `2`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "1.0",
            Self::Http11 => "1.1",
            Self::Http2 => "2",
        }
    }
}

/// One request's head. Its bytes are shared with the buffer it was read into.
#[derive(Debug, Clone)]
pub struct Head {
    pub(super) fields: Fields,
    pub(super) method: Span,
    pub(super) target: Span,
    pub(super) path: Span,
    pub(super) query: Span,
    pub(super) host: Option<Span>,
    pub(super) framing: Framing,
    pub(super) version: Version,
    pub(super) keep_alive: bool,
    pub(super) expects_continue: bool,
    pub(super) upgrade: bool,
    /// The protocol that a stream of HTTP/2 is to become (RFC 8441).
    pub(super) protocol: Option<Span>,
}

impl Head {
    /// The method as sent; methods are case-sensitive.
    pub fn method(&self) -> &str {
        std::str::from_utf8(self.raw_method()).unwrap_or_default()
    }

    /// The same, as bytes.
    pub(crate) fn raw_method(&self) -> &[u8] {
        self.bytes(self.method)
    }

    /// The request target as sent.
    pub fn target(&self) -> &[u8] {
        self.bytes(self.target)
    }

    /// The path as sent, without the query: `/…`, or `*`.
    pub fn raw_path(&self) -> &[u8] {
        match self.bytes(self.path) {
            [] => b"/",
            path => path,
        }
    }

    /// The path without percent-encoding; whatever bytes that gives.
    pub fn path(&self) -> Cow<'_, [u8]> {
        percent_decode(self.raw_path())
    }

    /// [`Head::path`] as text; what is not UTF-8 becomes U+FFFD.
    pub fn path_text(&self) -> Cow<'_, str> {
        match self.path() {
            Cow::Borrowed(path) => String::from_utf8_lossy(path),
            Cow::Owned(path) => String::from_utf8_lossy(&path).into_owned().into(),
        }
    }

    /// The query as sent, without its question mark.
    pub fn query(&self) -> &[u8] {
        self.bytes(self.query)
    }

    /// The version of the request.
    pub fn version(&self) -> Version {
        self.version
    }

    /// All fields. Where the target names a host, `host` has that value, whatever was sent (RFC 9112, 3.2.2).
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Names as received and values without the white space around them, in order.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> + Clone {
        self.fields.iter()
    }

    /// The value of the first field with this name, in any case.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.fields.get(name)
    }

    /// Where the body ends.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether the client allows another request on the connection.
    pub fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// Whether the client may wait for `100 Continue` before it sends the body.
    pub fn expects_continue(&self) -> bool {
        self.expects_continue
    }

    /// The protocol that the client offers to change to.
    pub fn upgrade(&self) -> Option<&[u8]> {
        self.get(b"upgrade").filter(|_| self.upgrade)
    }

    /// The protocol that a stream of HTTP/2 is to carry from now on (`:protocol`, RFC 8441).
    pub fn protocol(&self) -> Option<&[u8]> {
        self.protocol.map(|span| self.bytes(span))
    }

    /// Host and port that the request is for: the target's where it names one, else the Host field's.
    pub fn host(&self) -> Option<&[u8]> {
        self.host.map(|span| self.bytes(span))
    }

    fn bytes(&self, span: Span) -> &[u8] {
        span.get(self.fields.block())
    }
}

/// Finds heads in bytes that arrive in pieces. One per connection.
#[derive(Debug, Default)]
pub struct HeadParser {
    lines: Lines,
    /// Behind the request line.
    section: Option<Section>,
    /// An empty line stood before the request line.
    skipped: bool,
}

impl HeadParser {
    /// Whether part of a head has come.
    pub fn is_partial(&self) -> bool {
        self.lines.is_begun()
    }

    /// Takes the next head off the front of `buffer`; `None` where more bytes are needed.
    /// Between calls, bytes may only be added at the end. After a [`Refusal`] nothing more can be parsed.
    pub fn parse(
        &mut self,
        buffer: &mut BytesMut,
        limits: &Limits,
    ) -> Result<Option<Head>, Refusal> {
        if self.section.is_none() && !self.find_start(buffer)? {
            return Ok(None);
        }
        let Some(length) = self.find_end(buffer, limits)? else {
            return Ok(None);
        };
        let count = self.section.as_ref().map_or(0, |section| section.count);
        let mut head = if count <= FIELDS_ON_STACK {
            read(
                &buffer[..length],
                &mut [MaybeUninit::uninit(); FIELDS_ON_STACK],
                limits,
            )?
        } else {
            read(
                &buffer[..length],
                &mut vec![MaybeUninit::uninit(); count],
                limits,
            )?
        };
        head.fields.set_block(buffer.split_to(length).freeze());
        *self = Self::default();
        Ok(Some(head))
    }

    /// Skips one empty line (RFC 9112, 2.2); says whether a first byte is there.
    fn find_start(&mut self, buffer: &mut BytesMut) -> Result<bool, Refusal> {
        if !self.skipped && buffer.starts_with(b"\r\n") {
            buffer.advance(2);
            self.skipped = true;
            self.lines = Lines::default();
        }
        match buffer.first() {
            None => Ok(false),
            Some(b'\r') if !self.skipped && buffer.len() == 1 => Ok(false),
            Some(first) if token::is_token_byte(*first) => Ok(true),
            Some(_) => Err(Refusal::bad_request("not a request line")),
        }
    }

    /// Length of the head with its empty line, once that has come.
    fn find_end(&mut self, buffer: &[u8], limits: &Limits) -> Result<Option<usize>, Refusal> {
        if self.section.is_none() {
            let limit = usize::from(limits.target) + METHOD_LIMIT + REST_OF_REQUEST_LINE;
            if self.lines.next(buffer, limit, TARGET_TOO_LONG)?.is_none() {
                return Ok(None);
            }
        }
        let section = self
            .section
            .get_or_insert_with(|| Section::after(&self.lines));
        section.find_end(&mut self.lines, buffer, Bounds::of_header(limits))
    }
}

/// Reads a whole head. The fields of the result have no block yet.
fn read<'a>(
    block: &'a [u8],
    space: &mut [MaybeUninit<httparse::Header<'a>>],
    limits: &Limits,
) -> Result<Head, Refusal> {
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(block, space) {
        Ok(httparse::Status::Complete(length)) if length == block.len() => {}
        Ok(_) => return Err(Refusal::bad_request("malformed head")),
        Err(error) => return Err(explain(error, block)),
    }
    let method = request.method.unwrap_or_default().as_bytes();
    let raw_target = request.path.unwrap_or_default().as_bytes();
    let old = request.version == Some(0);
    if method.len() > METHOD_LIMIT {
        return Err(Refusal::new(501, "unknown method"));
    }
    if raw_target.len() > usize::from(limits.target) {
        return Err(TARGET_TOO_LONG);
    }
    let target = target::parse(method, raw_target)?;

    let mut control = Control::default();
    let mut fields = Fields::with_capacity(request.headers.len());
    for header in request.headers.iter() {
        let value = Span::of(block, header.value)?;
        fields.push(Span::of(block, header.name.as_bytes())?, value);
        control.note(header.name.as_bytes(), header.value, value)?;
    }
    let framing = control.framing(old)?;
    match control.host {
        Some(host) => check_host(host.get(block))?,
        None if old => {}
        None => return Err(Refusal::bad_request("no Host")),
    }
    if let Some(authority) = target.authority {
        let authority = Span::of(block, authority)?;
        fields.replace_value(block, b"host", authority);
        control.host = Some(authority);
    }
    let options = control.connection;
    Ok(Head {
        fields,
        method: Span::of(block, method)?,
        target: Span::of(block, raw_target)?,
        path: Span::of(block, target.path)?,
        query: Span::of(block, target.query)?,
        host: control.host,
        framing,
        version: if old {
            Version::Http10
        } else {
            Version::Http11
        },
        keep_alive: !options.close && (!old || options.keep_alive),
        expects_continue: control.expects_continue
            && !old
            && !matches!(framing, Framing::None | Framing::Length(0)),
        upgrade: options.upgrade && !old,
        protocol: None,
    })
}

/// Says in our words what `httparse` found.
fn explain(error: httparse::Error, block: &[u8]) -> Refusal {
    match error {
        httparse::Error::Version if names_other_version(block) => {
            Refusal::new(505, "HTTP version not supported")
        }
        httparse::Error::Version => Refusal::bad_request("invalid HTTP version"),
        httparse::Error::Token => Refusal::bad_request("invalid request line"),
        httparse::Error::HeaderName => Refusal::bad_request("invalid header name"),
        httparse::Error::HeaderValue => Refusal::bad_request("invalid header value"),
        httparse::Error::TooManyHeaders => Refusal::new(431, "too many header fields"),
        _ => Refusal::bad_request("malformed head"),
    }
}

/// Whether the request line ends in a well-formed version.
fn names_other_version(block: &[u8]) -> bool {
    let line = block
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    let version = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    matches!(version, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit())
}

#[cfg(test)]
mod tests;
