//! Only the hosts that are ours. What is no plain name, and what may have to be redirected, is the app's to refuse.

use std::iter;

use super::{Answer, Layer, Met, Request};

/// The hosts of an app.
pub struct Hosts {
    /// Names in lower case; `*.example.org` is `.example.org` here, and stands for all that end so.
    exact: Vec<String>,
    endings: Vec<String>,
    /// A name that is ours but for `www.` is sent there.
    redirects: bool,
}

impl Hosts {
    /// Hosts by their names in lower case, `*.example.org` for all below one.
    pub fn new(patterns: impl IntoIterator<Item = String>, redirects: bool) -> Self {
        let (endings, exact): (Vec<_>, Vec<_>) = patterns
            .into_iter()
            .partition(|pattern| pattern.starts_with('*'));
        let endings = endings.into_iter().map(|pattern| pattern[1..].to_owned());
        Self {
            exact,
            endings: endings.collect(),
            redirects,
        }
    }
}

impl Layer for Hosts {
    fn meet<'a>(&'a self, request: &'a dyn Request) -> Met<'a> {
        let Some((name, _)) = request.field(b"host").and_then(plain) else {
            return Met::Leaves;
        };
        let name = name.to_ascii_lowercase();
        if self.exact.contains(&name) || self.endings.iter().any(|ending| name.ends_with(ending)) {
            Met::Passes
        } else if self.redirects && self.exact.contains(&format!("www.{name}")) {
            Met::Leaves
        } else {
            let text = &b"Invalid host header"[..];
            Met::Answers(Box::new(Answer::text(400, iter::empty(), text)))
        }
    }
}

/// A host's name, if it is one of letters, digits, hyphens and dots, and its port, if it names one.
pub(super) fn plain(field: &[u8]) -> Option<(&str, Option<u16>)> {
    let text = std::str::from_utf8(field).ok()?;
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(digits(port)?)),
        None => (text, None),
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    (!name.is_empty() && name.bytes().all(is_plain)).then_some((name, port))
}

/// A port of plain digits.
fn digits(port: &str) -> Option<u16> {
    let is_plain = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
    if is_plain { port.parse().ok() } else { None }
}
