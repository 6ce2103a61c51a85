//! Writes the head of a response, checked, in one pass; on an error nothing of it stays. Knows no request beyond
//! what of it decides how it is answered.

use super::date::DateCache;
use super::head::{Head, Version};
use super::response_body::BodyEncoder;
use super::status::write_status_line;
use super::token::{is_field_value, is_token, list, trim};
use super::trailer::is_forbidden;
use crate::error::{Refusal, ResponseError};
use std::borrow::Cow;
use std::time::SystemTime;

/// The interim response that asks for the body.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The fields that the server adds to every response which has none of its own.
#[derive(Debug)]
pub struct Stamp {
    /// The line with its CRLF, or nothing.
    server: Vec<u8>,
    date: Option<DateCache>,
}

impl Stamp {
    /// `server` is the value of the `Server` field, if there shall be one; `date` says whether there shall be a `Date`.
    pub fn new(server: Option<&str>, date: bool) -> Result<Self, ResponseError> {
        let mut line = Vec::new();
        if let Some(server) = server {
            write_field(&mut line, b"server", server.as_bytes())?;
        }
        Ok(Self {
            server: line,
            date: date.then(|| DateCache::new(SystemTime::UNIX_EPOCH)),
        })
    }

    /// Takes note of the time; cheap enough for every response.
    pub fn refresh(&self, now: SystemTime) {
        if let Some(date) = &self.date {
            date.refresh(now);
        }
    }
}

/// What of a request decides how it is answered.
#[derive(Debug, Clone, Copy)]
pub struct Reply {
    /// The client's version: 1.0 knows no chunks.
    pub version: Version,
    /// The request was HEAD: the response has no body.
    pub head_only: bool,
    /// The connection may be used again after the response.
    pub keep_alive: bool,
}

impl Reply {
    /// To this request.
    pub fn to(head: &Head) -> Self {
        Self {
            version: head.version(),
            head_only: head.method() == "HEAD",
            keep_alive: head.keep_alive(),
        }
    }

    /// To something that could not be read as a request: the connection closes.
    pub const CLOSE: Self = Self {
        version: Version::Http11,
        head_only: false,
        keep_alive: false,
    };
}

/// A response whose head was written.
#[derive(Debug, Clone, Copy)]
pub struct Started {
    /// What was answered.
    pub status: u16,
    /// For the body.
    pub body: BodyEncoder,
    /// Whether the connection may be used again once the body is complete.
    pub keep_alive: bool,
}

/// What the fields of a response said about it.
#[derive(Debug, Clone, Default)]
struct Seen {
    length: Option<u64>,
    date: bool,
    server: bool,
    close: bool,
}

/// Appends the head of a final response. `length` is the body's, where the whole body is known already.
///
/// The framing fields are ours: `Content-Length` is checked and counted, `Transfer-Encoding` and the
/// `Connection` options `close` and `keep-alive` are understood and written anew where they apply.
/// Interim statuses are refused: a client would go on waiting.
pub fn head<N: AsRef<[u8]>, V: AsRef<[u8]>>(
    out: &mut Vec<u8>,
    stamp: &Stamp,
    reply: Reply,
    status: u16,
    headers: impl IntoIterator<Item = (N, V)>,
    length: Option<u64>,
) -> Result<Started, ResponseError> {
    let start = out.len();
    let result = try_head(out, stamp, reply, status, headers, length);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// Adds a field, whose name and value are valid, to the head that ends `out` and begins at `start`, unless it has one of this
/// name.
pub fn add_field(out: &mut Vec<u8>, start: usize, name: &[u8], value: &[u8]) {
    let is_it = |line: &[u8]| {
        let given = line.split(|byte| *byte == b':').next().unwrap_or_default();
        given.eq_ignore_ascii_case(name)
    };
    let head = out.get(start..).unwrap_or_default();
    if head.split(|byte| *byte == b'\n').skip(1).any(is_it) {
        return;
    }
    // The empty line stands at the end again.
    out.truncate(out.len().saturating_sub(2));
    for part in [name, b": ", value, b"\r\n\r\n"] {
        out.extend_from_slice(part);
    }
}

/// Appends an interim response with fields that the final one will probably have (RFC 8297). A client of HTTP/1.0 knows none.
pub fn early_hints<N: AsRef<[u8]>, V: AsRef<[u8]>>(
    out: &mut Vec<u8>,
    reply: Reply,
    headers: impl IntoIterator<Item = (N, V)>,
) -> Result<(), ResponseError> {
    let start = out.len();
    out.extend_from_slice(b"HTTP/1.1 103 Early Hints\r\n");
    let mut written = Ok(());
    for (name, value) in headers {
        written = written.and_then(|()| write_hint(out, name.as_ref(), value.as_ref()));
    }
    out.extend_from_slice(b"\r\n");
    if written.is_err() || reply.version == Version::Http10 {
        out.truncate(start);
    }
    written
}

/// What frames a message has no place in one without a body.
fn write_hint(out: &mut Vec<u8>, name: &[u8], value: &[u8]) -> Result<(), ResponseError> {
    if is_forbidden(name) {
        return Err(ResponseError::Hint(
            String::from_utf8_lossy(name).into_owned(),
        ));
    }
    write_field(out, name, value)
}

/// Appends a whole response to a request that is not served.
pub fn refusal(out: &mut Vec<u8>, stamp: &Stamp, refusal: Refusal) {
    let text = refusal.reason.as_bytes();
    let headers = [("content-type", "text/plain; charset=utf-8")];
    let length = Some(text.len() as u64);
    if head(out, stamp, Reply::CLOSE, refusal.status, headers, length).is_ok() {
        out.extend_from_slice(text);
    }
}

fn try_head<N: AsRef<[u8]>, V: AsRef<[u8]>>(
    out: &mut Vec<u8>,
    stamp: &Stamp,
    reply: Reply,
    status: u16,
    headers: impl IntoIterator<Item = (N, V)>,
    length: Option<u64>,
) -> Result<Started, ResponseError> {
    let seen = write_own(out, status, headers)?;
    write_ours(out, &seen, stamp, reply, status, length)
}

/// The status line and fields of responses that are given often: checked and written once.
#[derive(Debug, Clone)]
pub struct Prepared {
    status: u16,
    seen: Seen,
    text: Vec<u8>,
}

impl Prepared {
    /// Checks everything that does not depend on the request and the body.
    pub fn new<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        status: u16,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, ResponseError> {
        let mut text = Vec::new();
        let seen = write_own(&mut text, status, headers)?;
        Ok(Self { status, seen, text })
    }

    /// The length that the body is to have, where the fields say so.
    pub fn length(&self) -> Option<u64> {
        self.seen.length
    }

    /// A 200 of plain text.
    pub fn plain_text() -> Self {
        let mut text = Vec::new();
        write_status_line(&mut text, 200);
        text.extend_from_slice(b"content-type: text/plain; charset=utf-8\r\n");
        Self {
            status: 200,
            seen: Seen::default(),
            text,
        }
    }

    /// Its status and fields, but for those that are the server's to write; with the length of the body, where they do not say
    /// it, if that is known.
    pub(crate) fn fields(
        &self,
        length: Option<u64>,
    ) -> (u16, impl Iterator<Item = (&[u8], Cow<'_, [u8]>)>) {
        let lines = self.text.split(|byte| *byte == b'\n').skip(1);
        let fields = lines.filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((&line[..colon], Cow::from(line[colon + 1..].trim_ascii())))
        });
        let length = self.seen.length.or(length);
        let length = length.map(|length| {
            (
                &b"content-length"[..],
                Cow::from(length.to_string().into_bytes()),
            )
        });
        (self.status, fields.chain(length))
    }

    /// Whether it ends its connection.
    pub(crate) fn closes(&self) -> bool {
        self.seen.close
    }

    /// As [`head`].
    pub fn head(
        &self,
        out: &mut Vec<u8>,
        stamp: &Stamp,
        reply: Reply,
        length: Option<u64>,
    ) -> Result<Started, ResponseError> {
        let start = out.len();
        out.extend_from_slice(&self.text);
        let result = write_ours(out, &self.seen, stamp, reply, self.status, length);
        if result.is_err() {
            out.truncate(start);
        }
        result
    }
}

/// Writes what the application said of its response.
fn write_own<N: AsRef<[u8]>, V: AsRef<[u8]>>(
    out: &mut Vec<u8>,
    status: u16,
    headers: impl IntoIterator<Item = (N, V)>,
) -> Result<Seen, ResponseError> {
    if !(200..=999).contains(&status) && status != 101 {
        return Err(ResponseError::Status(status));
    }
    write_status_line(out, status);
    let mut seen = Seen::default();
    for (name, value) in headers {
        write_header(out, &mut seen, status, name.as_ref(), value.as_ref())?;
    }
    Ok(seen)
}

/// Writes what depends on the request, the body and the server.
fn write_ours(
    out: &mut Vec<u8>,
    seen: &Seen,
    stamp: &Stamp,
    reply: Reply,
    status: u16,
    length: Option<u64>,
) -> Result<Started, ResponseError> {
    let body = write_framing(out, seen, reply, status, length)?;
    if let Some(date) = stamp.date.as_ref().filter(|_| !seen.date) {
        out.extend_from_slice(b"date: ");
        out.extend_from_slice(&date.text());
        out.extend_from_slice(b"\r\n");
    }
    if !seen.server {
        out.extend_from_slice(&stamp.server);
    }
    let ends_connection = seen.close || status == 101 || body.ends_with_connection();
    let keep_alive = reply.keep_alive && !ends_connection;
    if status != 101 {
        write_connection(out, reply.version, keep_alive);
    }
    out.extend_from_slice(b"\r\n");
    Ok(Started {
        status,
        body,
        keep_alive,
    })
}

/// Writes one of the application's fields, unless it is ours to write.
fn write_header(
    out: &mut Vec<u8>,
    seen: &mut Seen,
    status: u16,
    name: &[u8],
    value: &[u8],
) -> Result<(), ResponseError> {
    match name.len() {
        4 if name.eq_ignore_ascii_case(b"date") && std::mem::replace(&mut seen.date, true) => {
            Ok(())
        }
        6 if name.eq_ignore_ascii_case(b"server") && std::mem::replace(&mut seen.server, true) => {
            Ok(())
        }
        10 if name.eq_ignore_ascii_case(b"connection") && status != 101 => {
            note_connection(out, seen, name, value)
        }
        14 if name.eq_ignore_ascii_case(b"content-length") => note_length(seen, value),
        17 if name.eq_ignore_ascii_case(b"transfer-encoding") => check_coding(value),
        _ => write_field(out, name, value),
    }
}

fn write_field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) -> Result<(), ResponseError> {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    if !is_token(name) {
        return Err(ResponseError::Name(text(name)));
    }
    if !is_field_value(value) {
        return Err(ResponseError::Value(text(name)));
    }
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Options other than `close` and `keep-alive` are the application's: they go out.
fn note_connection(
    out: &mut Vec<u8>,
    seen: &mut Seen,
    name: &[u8],
    value: &[u8],
) -> Result<(), ResponseError> {
    let mut others = Vec::new();
    for option in list(value) {
        if option.eq_ignore_ascii_case(b"close") {
            seen.close = true;
        } else if !option.eq_ignore_ascii_case(b"keep-alive") {
            others.push(option);
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    write_field(out, name, &others.join(&b", "[..]))
}

fn note_length(seen: &mut Seen, value: &[u8]) -> Result<(), ResponseError> {
    let digits = trim(value);
    let length = std::str::from_utf8(digits)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .ok_or(ResponseError::ContentLength)?;
    if seen
        .length
        .replace(length)
        .is_some_and(|before| before != length)
    {
        return Err(ResponseError::ContentLength);
    }
    Ok(())
}

/// Applications may ask for chunks, but whether there are any, is decided here.
fn check_coding(value: &[u8]) -> Result<(), ResponseError> {
    if trim(value).eq_ignore_ascii_case(b"chunked") {
        return Ok(());
    }
    Err(ResponseError::TransferEncoding)
}

/// Decides how the client finds the end of the body (RFC 9112, 6.3), and writes the field that says so.
fn write_framing(
    out: &mut Vec<u8>,
    seen: &Seen,
    reply: Reply,
    status: u16,
    length: Option<u64>,
) -> Result<BodyEncoder, ResponseError> {
    if matches!(status, 101 | 204) {
        return Ok(BodyEncoder::none());
    }
    if status == 304 || reply.head_only {
        // What GET would have said: the application's word, or the body that it gave for nothing.
        let given = length.filter(|length| *length > 0 && status != 304);
        if let Some(length) = seen.length.or(given) {
            write_length(out, length);
        }
        return Ok(BodyEncoder::none());
    }
    match (seen.length, length) {
        (Some(declared), Some(actual)) if declared < actual => Err(ResponseError::TooLong),
        (Some(declared), Some(actual)) if declared > actual => Err(ResponseError::TooShort {
            missing: declared - actual,
        }),
        (Some(length), _) | (None, Some(length)) => {
            write_length(out, length);
            Ok(BodyEncoder::length(length))
        }
        (None, None) if reply.version != Version::Http11 => Ok(BodyEncoder::until_close()),
        (None, None) => {
            out.extend_from_slice(b"transfer-encoding: chunked\r\n");
            Ok(BodyEncoder::chunked())
        }
    }
}

fn write_length(out: &mut Vec<u8>, length: u64) {
    out.extend_from_slice(b"content-length: ");
    out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Says what is not the version's default.
fn write_connection(out: &mut Vec<u8>, version: Version, keep_alive: bool) {
    match (version, keep_alive) {
        (Version::Http11, true) | (Version::Http2, _) => {}
        (Version::Http10, true) => out.extend_from_slice(b"connection: keep-alive\r\n"),
        (_, false) => out.extend_from_slice(b"connection: close\r\n"),
    }
}

#[cfg(test)]
mod tests;
