//! Whether a client has a file already, or has another one than it thinks (RFC 9110, 13). Knows no file but by its marks.

use crate::http1::head::Head;
use std::time::{Duration, SystemTime};

/// What tells one state of a file from another.
pub(super) struct Marks {
    /// A strong entity tag, with its quotes.
    pub(super) tag: String,
    pub(super) modified: SystemTime,
}

/// What the conditions of a request come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Send,
    NotModified,
    Failed,
}

impl Marks {
    /// Weighs all conditions but `If-Range`, in the RFC's order.
    pub(super) fn judge(&self, head: &Head) -> Verdict {
        let field = |name: &[u8]| head.get(name);
        if field(b"if-match").is_some() {
            if !self.is_among(head, b"if-match", true) {
                return Verdict::Failed;
            }
        } else if let Some(since) = field(b"if-unmodified-since").and_then(date)
            && self.seconds() > since
        {
            return Verdict::Failed;
        }
        if field(b"if-none-match").is_some() {
            if self.is_among(head, b"if-none-match", false) {
                return Verdict::NotModified;
            }
        } else if let Some(since) = field(b"if-modified-since").and_then(date)
            && self.seconds() <= since
        {
            return Verdict::NotModified;
        }
        Verdict::Send
    }

    /// Whether a part is of use to the client: it has the rest of the same file.
    pub(super) fn allow_range(&self, head: &Head) -> bool {
        let Some(field) = head.get(b"if-range") else {
            return true;
        };
        field == self.tag.as_bytes() || date(field) == Some(self.seconds())
    }

    /// Whether a list of tags holds this one, or is `*`.
    fn is_among(&self, head: &Head, name: &[u8], strongly: bool) -> bool {
        let fields = head
            .headers()
            .filter(|(given, _)| given.eq_ignore_ascii_case(name));
        fields
            .flat_map(|(_, value)| value.split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .any(|tag| {
                let weak = tag.strip_prefix(b"W/").filter(|_| !strongly);
                tag == b"*" || weak.unwrap_or(tag) == self.tag.as_bytes()
            })
    }

    /// As dates in fields have it: whole seconds.
    fn seconds(&self) -> u64 {
        seconds(self.modified)
    }
}

fn date(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?;
    httpdate::parse_http_date(text).ok().map(seconds)
}

fn seconds(moment: SystemTime) -> u64 {
    let since = moment.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or(Duration::ZERO).as_secs()
}

#[cfg(test)]
mod tests {
    use super::{Marks, Verdict};
    use crate::http1::head::{Head, HeadParser};
    use crate::limits::Limits;
    use bytes::BytesMut;
    use std::time::{Duration, SystemTime};

    const THEN: &str = "Sat, 21 Nov 2026 19:26:10 GMT";
    const BEFORE: &str = "Sat, 21 Nov 2026 19:26:09 GMT";

    fn head(fields: &str) -> Head {
        let text = format!("GET / HTTP/1.1\r\nhost: a\r\n{fields}\r\n");
        let mut buffer = BytesMut::from(text.as_str());
        let parsed = HeadParser::default().parse(&mut buffer, &Limits::default());
        parsed.unwrap().unwrap()
    }

    fn marks() -> Marks {
        Marks {
            tag: "\"a\"".to_owned(),
            modified: SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_289_170_700),
        }
    }

    #[test]
    fn conditions_in_their_order() {
        let cases = [
            (String::new(), Verdict::Send),
            ("if-match: \"b\", \"a\"\r\n".into(), Verdict::Send),
            ("if-match: *\r\n".into(), Verdict::Send),
            ("if-match: W/\"a\"\r\n".into(), Verdict::Failed),
            (format!("if-unmodified-since: {THEN}\r\n"), Verdict::Send),
            (
                format!("if-unmodified-since: {BEFORE}\r\n"),
                Verdict::Failed,
            ),
            (
                format!("if-match: \"a\"\r\nif-unmodified-since: {BEFORE}\r\n"),
                Verdict::Send,
            ),
            ("if-none-match: W/\"a\"\r\n".into(), Verdict::NotModified),
            (
                "if-none-match: \"b\"\r\nif-none-match: \"a\"\r\n".into(),
                Verdict::NotModified,
            ),
            ("if-none-match: *\r\n".into(), Verdict::NotModified),
            (
                format!("if-modified-since: {THEN}\r\n"),
                Verdict::NotModified,
            ),
            (format!("if-modified-since: {BEFORE}\r\n"), Verdict::Send),
            ("if-modified-since: yesterday\r\n".into(), Verdict::Send),
            (
                format!("if-none-match: \"b\"\r\nif-modified-since: {THEN}\r\n"),
                Verdict::Send,
            ),
        ];
        for (fields, expected) in cases {
            assert_eq!(marks().judge(&head(&fields)), expected, "{fields}");
        }
    }

    #[test]
    fn a_part_is_for_who_has_the_rest() {
        for (field, expected) in [
            ("\"a\"", true),
            ("W/\"a\"", false),
            (THEN, true),
            (BEFORE, false),
        ] {
            let head = head(&format!("if-range: {field}\r\n"));
            assert_eq!(marks().allow_range(&head), expected, "{field}");
        }
    }
}
