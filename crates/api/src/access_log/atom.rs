//! The values that a line may name, by gunicorn's letters. What a client sent is escaped: it can neither end a line nor a quote.

use std::fmt::Write as _;
use std::time::SystemTime;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{Answered, clock, text};

/// A value of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Atom {
    Address,
    Nothing,
    User,
    Time,
    RequestLine,
    Method,
    Path,
    Query,
    Protocol,
    Status,
    /// `-` for none.
    LengthOrDash,
    Length,
    Referer,
    UserAgent,
    Seconds,
    DecimalSeconds,
    Millis,
    Micros,
    Process,
    RequestId,
    /// A field of the request, by its name in lower case.
    Header(Box<str>),
}

/// Every atom but the fields.
const ATOMS: [(&str, Atom); 20] = [
    ("h", Atom::Address),
    ("l", Atom::Nothing),
    ("u", Atom::User),
    ("t", Atom::Time),
    ("r", Atom::RequestLine),
    ("m", Atom::Method),
    ("U", Atom::Path),
    ("q", Atom::Query),
    ("H", Atom::Protocol),
    ("s", Atom::Status),
    ("b", Atom::LengthOrDash),
    ("B", Atom::Length),
    ("f", Atom::Referer),
    ("a", Atom::UserAgent),
    ("T", Atom::Seconds),
    ("L", Atom::DecimalSeconds),
    ("M", Atom::Millis),
    ("D", Atom::Micros),
    ("p", Atom::Process),
    ("id", Atom::RequestId),
];

impl Atom {
    pub(super) fn parse(name: &str) -> Option<Self> {
        if let Some(field) = name
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix("}i"))
        {
            return Some(Self::Header(field.to_ascii_lowercase().into()));
        }
        let known = ATOMS.into_iter().find(|(letter, _)| *letter == name);
        known.map(|(_, atom)| atom)
    }

    pub(super) fn names() -> String {
        ATOMS.map(|(letter, _)| format!("%({letter})s")).join(", ")
    }

    pub(super) fn is_timed(&self) -> bool {
        matches!(
            self,
            Self::Seconds | Self::DecimalSeconds | Self::Millis | Self::Micros
        )
    }

    /// Appends the value. Writing to a `String` does not fail.
    pub(super) fn write(&self, line: &mut String, request: Answered<'_>) {
        let Answered { head, took, .. } = request;
        match self {
            Self::Address => match request.peer {
                Some(peer) => text::host(line, peer.ip()),
                None => line.push('-'),
            },
            Self::Nothing => line.push('-'),
            Self::User => or_dash(line, user(request).as_deref()),
            Self::Time => {
                let _ = clock::write_common(line, SystemTime::now());
            }
            Self::RequestLine => {
                line.push_str(head.method());
                line.push(' ');
                text::escaped(line, head.target());
                line.push(' ');
                Self::Protocol.write(line, request);
            }
            Self::Method => line.push_str(head.method()),
            Self::Path => text::escaped(line, head.raw_path()),
            Self::Query => text::escaped(line, head.query()),
            Self::Protocol => {
                line.push_str("HTTP/");
                line.push_str(head.version().as_str());
            }
            Self::Status => text::number(line, request.status),
            Self::LengthOrDash if request.sent == 0 => line.push('-'),
            Self::LengthOrDash | Self::Length => text::number(line, request.sent),
            Self::Referer => or_dash(line, head.get(b"referer")),
            Self::UserAgent => or_dash(line, head.get(b"user-agent")),
            Self::Seconds => text::number(line, took.as_secs()),
            Self::DecimalSeconds => {
                let _ = write!(line, "{:.6}", took.as_secs_f64());
            }
            Self::Millis => text::number(line, took.as_millis()),
            Self::Micros => text::number(line, took.as_micros()),
            Self::Process => {
                let _ = write!(line, "<{}>", std::process::id());
            }
            Self::RequestId => or_dash(line, request.request_id.map(str::as_bytes)),
            Self::Header(name) => or_dash(line, head.get(name.as_bytes())),
        }
    }
}

/// Appends a value, a hyphen where there is none.
fn or_dash(line: &mut String, value: Option<&[u8]>) {
    match value {
        Some(value) => text::escaped(line, value),
        None => line.push('-'),
    }
}

/// The user that Basic authentication names (RFC 7617), whether or not the application believes it.
fn user(request: Answered<'_>) -> Option<Vec<u8>> {
    let credentials = request.head.get(b"authorization")?;
    let (scheme, encoded) = credentials.split_at_checked("Basic ".len())?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let mut pair = BASE64_STANDARD.decode(encoded.trim_ascii()).ok()?;
    pair.truncate(pair.iter().position(|byte| *byte == b':')?);
    Some(pair)
}
