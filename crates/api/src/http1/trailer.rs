//! The fields behind the last chunk of a body (RFC 9112, 7.1.2). Knows which may not come that late.

use super::fields::{Fields, Span};
use super::lines::Lines;
use super::section::{Bounds, Section};
use crate::error::Refusal;
use crate::limits::Limits;
use bytes::BytesMut;

/// Fields that frame, route, authorise or describe a message are of no use behind it, or an attack (RFC 9110, 6.5.1).
const FORBIDDEN: [&[u8]; 27] = [
    b"transfer-encoding",
    b"content-length",
    b"host",
    b"trailer",
    b"te",
    b"connection",
    b"keep-alive",
    b"upgrade",
    b"proxy-connection",
    b"cache-control",
    b"expect",
    b"max-forwards",
    b"pragma",
    b"range",
    b"authorization",
    b"proxy-authorization",
    b"www-authenticate",
    b"proxy-authenticate",
    b"cookie",
    b"set-cookie",
    b"content-encoding",
    b"content-type",
    b"content-range",
    b"forwarded",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-proto",
];

/// Whether a field with this name must stand in the header.
pub(super) fn is_forbidden(name: &[u8]) -> bool {
    FORBIDDEN
        .iter()
        .any(|forbidden| name.eq_ignore_ascii_case(forbidden))
}

/// How far a trailer section has come.
#[derive(Debug, Clone)]
pub(super) struct TrailerParser {
    lines: Lines,
    section: Section,
    bounds: Bounds,
}

impl TrailerParser {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            lines: Lines::default(),
            section: Section::default(),
            bounds: Bounds::of_trailer(limits),
        }
    }

    /// Takes the section off the front of `buffer` once it is whole; forbidden fields are left out.
    pub(super) fn parse(&mut self, buffer: &mut BytesMut) -> Result<Option<Fields>, Refusal> {
        match self
            .section
            .find_end(&mut self.lines, buffer, self.bounds)?
        {
            Some(length) => read(buffer.split_to(length), self.section.count).map(Some),
            None => Ok(None),
        }
    }
}

fn read(section: BytesMut, count: usize) -> Result<Fields, Refusal> {
    const MALFORMED: Refusal = Refusal::bad_request("malformed trailer");
    let mut fields = Fields::with_capacity(count);
    if count == 0 {
        return Ok(fields);
    }
    let mut space = vec![httparse::EMPTY_HEADER; count];
    match httparse::parse_headers(&section, &mut space) {
        Ok(httparse::Status::Complete((length, headers))) if length == section.len() => {
            for header in headers
                .iter()
                .filter(|header| !is_forbidden(header.name.as_bytes()))
            {
                let name = Span::of(&section, header.name.as_bytes())?;
                fields.push(name, Span::of(&section, header.value)?);
            }
        }
        _ => return Err(MALFORMED),
    }
    fields.set_block(section.freeze());
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::TrailerParser;
    use crate::limits::Limits;
    use bytes::BytesMut;

    fn parse(bytes: &str) -> Result<Option<Vec<(String, String)>>, u16> {
        let limits = Limits {
            field: 20,
            fields: 3,
            trailer: 40,
            ..Limits::default()
        };
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let own = |(name, value): (&[u8], &[u8])| (text(name), text(value));
        TrailerParser::new(&limits)
            .parse(&mut BytesMut::from(bytes))
            .map(|fields| fields.map(|fields| fields.iter().map(own).collect()))
            .map_err(|refusal| refusal.status)
    }

    #[test]
    fn fields_come_out_but_for_those_that_belong_in_the_header() {
        let fields = parse("X-Sum:  1 \r\nHost: a\r\nX-Sum: 2\r\n\r\n")
            .unwrap()
            .unwrap();
        let own = |value: &str| ("X-Sum".to_owned(), value.to_owned());
        assert_eq!(fields, [own("1"), own("2")]);
        assert_eq!(parse("\r\n"), Ok(Some(Vec::new())));
        assert_eq!(parse("CONTENT-LENGTH: 3\r\n\r\n"), Ok(Some(Vec::new())));
        assert_eq!(parse("X-Sum: 1\r\n"), Ok(None));
    }

    #[test]
    fn what_is_no_field_is_refused() {
        for bytes in [
            "a\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "a: b\n\r\n",
            "\n",
            "a: b\r\n c\r\n\r\n",
            "a : b\r\n\r\n",
            "a: \0\r\n\r\n",
        ] {
            assert_eq!(parse(bytes), Err(400), "{bytes:?}");
        }
    }

    #[test]
    fn bounds_hold() {
        assert!(parse("a: 34567890123456789\r\n\r\n").is_ok());
        assert!(parse("a: 3456789012345678901\r\n\r\n").is_err());
        assert!(parse("a:\r\na:\r\na:\r\n\r\n").is_ok());
        assert_eq!(parse("a:\r\na:\r\na:\r\na:\r\n\r\n"), Err(431));
        assert_eq!(
            parse("a: 34567890123456\r\na: 34567890123456\r\na: 3456\r\n"),
            Err(431)
        );
    }
}
