//! A route's path, parsed once: `/items/{id:int}/{rest:path}`. Knows the notation; knows neither the tree nor the request.
//!
//! The notation is Starlette's: `{name}` takes one or more characters other than `/`, `{name:int}`, `{name:float}` and
//! `{name:uuid}` what their names say (unsigned), `{name:path}` anything, `/` and nothing included. A parameter may stand
//! beside text in its segment (`/report.{ext}`).

use std::fmt;

use super::capture::{self, Captures};

/// What a parameter of a path accepts, decided while the path is matched: a refusal is "no match", not a 422.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParamKind {
    /// One or more characters other than `/`.
    Str,
    /// ASCII digits.
    Int,
    /// ASCII digits, with a fraction or without.
    Float,
    /// 32 hexadecimal digits, with the usual hyphens or without.
    Uuid,
    /// Everything up to what follows in the pattern; may be empty and may contain `/`.
    Path,
}

impl ParamKind {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "str" => Self::Str,
            "int" => Self::Int,
            "float" => Self::Float,
            "uuid" => Self::Uuid,
            "path" => Self::Path,
            _ => return None,
        })
    }

    /// The name by which a pattern asks for this kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Int => "int",
            Self::Float => "float",
            Self::Uuid => "uuid",
            Self::Path => "path",
        }
    }
}

/// A stretch of a pattern: text to be found as it stands, or a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Piece {
    /// Text that must stand in the path (decoded, case-sensitive).
    Literal(Box<str>),
    /// A parameter; its name is kept beside the pieces, so that equal shapes compare equal.
    Param(ParamKind),
}

/// Why a path is not a pattern. Its text is shown to the author of the route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A path is matched against the request's, which always starts with `/`.
    #[error("a path must start with '/'")]
    NoLeadingSlash,
    /// A brace without its partner, or an empty pair.
    #[error("unbalanced or empty braces at character {0}")]
    Braces(usize),
    /// A parameter's name that could not be an argument of a function.
    #[error("{0:?} is no parameter name: letters, digits and '_' only, and no leading digit")]
    Name(String),
    /// A converter nobody knows.
    #[error("unknown path converter {0:?}: there are str, int, float, uuid and path")]
    Converter(String),
    /// The same name twice: one value would hide the other.
    #[error("parameter {0:?} appears twice")]
    Duplicate(String),
}

/// A checked path pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutePattern {
    text: Box<str>,
    pieces: Box<[Piece]>,
    names: Box<[Box<str>]>,
}

impl RoutePattern {
    /// Parses `text`.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if !text.starts_with('/') {
            return Err(PatternError::NoLeadingSlash);
        }
        let mut pieces = Vec::new();
        let mut names: Vec<Box<str>> = Vec::new();
        let mut at = 0;
        while let Some(open) = text[at..].find(['{', '}']).map(|found| at + found) {
            let close = text[open..].find('}').map(|found| open + found);
            let (Some(close), true) = (close, text[open..].starts_with('{')) else {
                return Err(PatternError::Braces(open));
            };
            if open > at {
                pieces.push(Piece::Literal(text[at..open].into()));
            }
            let (name, kind) = parse_param(&text[open + 1..close], open)?;
            if names.iter().any(|known| **known == *name) {
                return Err(PatternError::Duplicate(name.to_owned()));
            }
            pieces.push(Piece::Param(kind));
            names.push(name.into());
            at = close + 1;
        }
        if at < text.len() {
            pieces.push(Piece::Literal(text[at..].into()));
        }
        Ok(Self {
            text: text.into(),
            pieces: pieces.into(),
            names: names.into(),
        })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The parameters, in the order of [`Captures`].
    pub fn params(&self) -> impl Iterator<Item = (&str, ParamKind)> {
        let kinds = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Param(kind) => Some(*kind),
            Piece::Literal(_) => None,
        });
        self.names.iter().map(|name| &**name).zip(kinds)
    }

    /// What the parameters take from `path` (percent-decoded), or `None` if it does not match.
    pub fn captures(&self, path: &str) -> Option<Captures> {
        capture::match_whole(&self.pieces, path)
    }

    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }
}

impl fmt::Display for RoutePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn parse_param(inner: &str, open: usize) -> Result<(&str, ParamKind), PatternError> {
    let (name, converter) = inner.split_once(':').unwrap_or((inner, "str"));
    if inner.is_empty() || inner.contains('{') {
        return Err(PatternError::Braces(open));
    }
    let leads = |c: char| c.is_ascii_alphabetic() || c == '_';
    if !name.starts_with(leads) || !name.chars().all(|c| leads(c) || c.is_ascii_digit()) {
        return Err(PatternError::Name(name.to_owned()));
    }
    let kind =
        ParamKind::parse(converter).ok_or_else(|| PatternError::Converter(converter.to_owned()))?;
    Ok((name, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> RoutePattern {
        RoutePattern::parse(text).unwrap()
    }

    #[test]
    fn keeps_names_and_kinds_in_order() {
        let pattern = parsed("/a/{x}/b{y:int}.{z:path}");
        let params: Vec<_> = pattern.params().collect();
        assert_eq!(
            params,
            [
                ("x", ParamKind::Str),
                ("y", ParamKind::Int),
                ("z", ParamKind::Path)
            ]
        );
        assert_eq!(pattern.to_string(), "/a/{x}/b{y:int}.{z:path}");
    }

    #[test]
    fn refuses_what_is_no_pattern() {
        let refusal = |text| RoutePattern::parse(text).unwrap_err();
        assert_eq!(refusal("items"), PatternError::NoLeadingSlash);
        assert_eq!(refusal(""), PatternError::NoLeadingSlash);
        assert_eq!(refusal("/{x"), PatternError::Braces(1));
        assert_eq!(refusal("/x}"), PatternError::Braces(2));
        assert_eq!(refusal("/{}"), PatternError::Braces(1));
        assert_eq!(refusal("/{a{b}}"), PatternError::Braces(1));
        assert_eq!(refusal("/{1x}"), PatternError::Name("1x".into()));
        assert_eq!(refusal("/{x:bool}"), PatternError::Converter("bool".into()));
        assert_eq!(refusal("/{x}/{x}"), PatternError::Duplicate("x".into()));
    }
}
