//! What a line looks like: the usual text, JSON, or atoms as gunicorn names them. Knows no value.

use http::StatusCode;
use thiserror::Error;

use super::atom::Atom;
use super::{Answered, json, text};

/// The look of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// `127.0.0.1:50000 - "GET /path?query HTTP/1.1" 200 OK`.
    Usual,
    /// One JSON object.
    Json,
    /// Text with `%(atoms)s`.
    Template(Template),
}

/// A text with places for values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Atom(Atom),
}

/// Why a format cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FormatError {
    /// An atom that there is not.
    #[error("there is no atom %({0})s; there are {known}, and %({{name}}i)s for a request's header", known = Atom::names())]
    Unknown(String),
    /// A percent sign that begins nothing.
    #[error("at offset {0}: an atom is written %(name)s, and a percent sign %%")]
    Syntax(usize),
}

impl Format {
    /// Reads `default`, `json`, or a template.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        match text {
            "default" => Ok(Self::Usual),
            "json" => Ok(Self::Json),
            _ => Template::parse(text).map(Self::Template),
        }
    }

    pub(super) fn is_timed(&self) -> bool {
        match self {
            Self::Usual => false,
            Self::Json => true,
            Self::Template(template) => template
                .0
                .iter()
                .any(|part| matches!(part, Part::Atom(atom) if atom.is_timed())),
        }
    }

    /// Appends the line.
    pub(super) fn write(&self, line: &mut String, request: Answered<'_>) {
        match self {
            Self::Usual => usual(line, request),
            Self::Json => json::write(line, request),
            Self::Template(Template(parts)) => {
                for part in parts {
                    match part {
                        Part::Text(text) => line.push_str(text),
                        Part::Atom(atom) => atom.write(line, request),
                    }
                }
            }
        }
    }
}

impl Template {
    fn parse(text: &str) -> Result<Self, FormatError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            let offset = text.len() - rest.len() + at;
            let (before, atom) = (&rest[..at], &rest[at + 1..]);
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            rest = if let Some(after) = atom.strip_prefix('%') {
                parts.push(Part::Text("%".to_owned()));
                after
            } else {
                let named = atom
                    .strip_prefix('(')
                    .and_then(|named| named.split_once(")s"));
                let (name, after) = named.ok_or(FormatError::Syntax(offset))?;
                let atom =
                    Atom::parse(name).ok_or_else(|| FormatError::Unknown(name.to_owned()))?;
                parts.push(Part::Atom(atom));
                after
            };
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }
}

fn usual(line: &mut String, request: Answered<'_>) {
    match request.peer {
        Some(peer) => text::address(line, peer),
        None => line.push('-'),
    }
    line.push_str(" - \"");
    Atom::RequestLine.write(line, request);
    line.push_str("\" ");
    text::number(line, request.status);
    if let Some(reason) = StatusCode::from_u16(request.status)
        .ok()
        .and_then(|code| code.canonical_reason())
    {
        line.push(' ');
        line.push_str(reason);
    }
}
