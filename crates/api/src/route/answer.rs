//! What is said when no route answers: 404, 405, a redirect to the path with or without its last slash. Data only.

use std::fmt::Write;

use super::router::Outcome;

/// A complete answer that needs no handler. Its text is that of `FastAPI`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// `Allow` or `Location`.
    pub header: Option<(&'static str, String)>,
    /// The media type of the body, if there is one.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: &'static [u8],
}

impl Answer {
    /// The answer to a request that found no route; `None` if it found one. `raw_path` and `query` are as received.
    pub fn to(outcome: &Outcome, raw_path: &[u8], query: &[u8]) -> Option<Self> {
        match outcome {
            Outcome::Found(..) => None,
            Outcome::NotFound => Some(Self::not_found()),
            Outcome::MethodNotAllowed(allow) => Some(Self::detail(
                405,
                Some(("allow", allow.clone())),
                br#"{"detail":"Method Not Allowed"}"#,
            )),
            Outcome::Redirect => Some(Self {
                status: 307,
                header: Some(("location", redirect_target(raw_path, query))),
                content_type: None,
                body: b"",
            }),
        }
    }

    /// Whether every server of these routes would answer so: not a redirect (some name the host), not a choice of methods
    /// (whose order is anybody's).
    pub fn is_plain(&self) -> bool {
        match &self.header {
            None => true,
            Some(("allow", methods)) => !methods.contains(','),
            Some(_) => false,
        }
    }

    /// Names and values of all fields but `Content-Length`.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let header = self
            .header
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        header.chain(
            self.content_type
                .iter()
                .map(|value| ("content-type", *value)),
        )
    }

    /// 404.
    pub fn not_found() -> Self {
        Self::detail(404, None, br#"{"detail":"Not Found"}"#)
    }

    fn detail(status: u16, header: Option<(&'static str, String)>, body: &'static [u8]) -> Self {
        Self {
            status,
            header,
            content_type: Some("application/json"),
            body,
        }
    }
}

/// Where the path lives with one slash more or less: a path without scheme and host, since the `Host` field is the
/// client's word, and one that no client takes for a host of its own (`//elsewhere`).
pub fn redirect_target(raw_path: &[u8], query: &[u8]) -> String {
    let stripped = strip_slashes(raw_path);
    let (path, slash) = if stripped.len() < raw_path.len() {
        (stripped, "")
    } else {
        (raw_path, "/")
    };
    let mut target = String::with_capacity(path.len() + query.len() + 4);
    if path.starts_with(b"//") || path.starts_with(b"/\\") {
        target.push_str("/.");
    }
    push_encoded(&mut target, path);
    target.push_str(slash);
    if !query.is_empty() {
        target.push('?');
        push_encoded(&mut target, query);
    }
    target
}

fn strip_slashes(mut path: &[u8]) -> &[u8] {
    loop {
        path = match path {
            [rest @ .., b'/'] | [rest @ .., b'%', b'2', b'F' | b'f'] => rest,
            stripped => return stripped,
        };
    }
}

/// What a URI may not contain is encoded; what is encoded already stays as it is.
fn push_encoded(target: &mut String, raw: &[u8]) {
    for &byte in raw {
        if byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte) {
            target.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(target, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Captures;

    #[test]
    fn the_target_keeps_the_query_and_stays_on_this_host() {
        assert_eq!(redirect_target(b"/a", b"x=1&y=%20"), "/a/?x=1&y=%20");
        assert_eq!(redirect_target(b"/a//", b""), "/a");
        assert_eq!(redirect_target(b"/a%2F", b""), "/a");
        assert_eq!(redirect_target(b"//evil.example", b""), "/.//evil.example/");
        assert_eq!(
            redirect_target(b"/\\evil.example", b""),
            "/./%5Cevil.example/"
        );
        assert_eq!(redirect_target("/ä b".as_bytes(), b""), "/%C3%A4%20b/");
        assert_eq!(redirect_target(b"/a\r\nx: y", b""), "/a%0D%0Ax:%20y/");
    }

    #[test]
    fn a_found_route_has_no_answer_here() {
        assert_eq!(
            Answer::to(&Outcome::Found(0, Captures::default()), b"/", b""),
            None
        );
        let refused = Answer::to(&Outcome::MethodNotAllowed("GET".into()), b"/", b"").unwrap();
        assert_eq!(
            (refused.status, refused.header),
            (405, Some(("allow", "GET".into())))
        );
        assert_eq!(
            Answer::to(&Outcome::NotFound, b"/", b"").unwrap().status,
            404
        );
    }
}
