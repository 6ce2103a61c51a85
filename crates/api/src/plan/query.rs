//! The query of a URI as pairs. Reads it as Python's `parse_qsl(keep_blank_values=True)` does; knows no parameter.

use std::borrow::Cow;

/// Name and value of each pair, as received, in their order.
pub(super) fn pairs(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    query
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match memchr::memchr(b'=', pair) {
            Some(equals) => (&pair[..equals], &pair[equals + 1..]),
            None => (pair, &pair[..0]),
        })
}

/// The text of a name or value; `None` if it has bytes on whose meaning one may differ (not ASCII, or not UTF-8 once
/// decoded).
pub fn decode(raw: &[u8]) -> Option<Cow<'_, str>> {
    if !raw.is_ascii() {
        return None;
    }
    if memchr::memchr2(b'%', b'+', raw).is_none() {
        return std::str::from_utf8(raw).ok().map(Cow::Borrowed);
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        let encoded = if byte == b'%' {
            raw.get(at + 1..at + 3).and_then(hex_pair)
        } else {
            None
        };
        decoded.push(encoded.unwrap_or(if byte == b'+' { b' ' } else { byte }));
        at += if encoded.is_some() { 3 } else { 1 };
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn hex_pair(pair: &[u8]) -> Option<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    Some(digit(pair[0])? << 4 | digit(pair[1])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_parse_qsl_does() {
        let all: Vec<_> = pairs(b"a=1&&b&=2&c=3=4&d=").collect();
        let expected: [(&[u8], &[u8]); 5] = [
            (b"a", b"1"),
            (b"b", b""),
            (b"", b"2"),
            (b"c", b"3=4"),
            (b"d", b""),
        ];
        assert_eq!(all, expected);
        assert_eq!(pairs(b"").count(), 0);
    }

    #[test]
    fn decodes_only_what_is_beyond_doubt() {
        assert_eq!(decode(b"a+b%20c%2B").as_deref(), Some("a b c+"));
        assert_eq!(decode(b"%zz%4").as_deref(), Some("%zz%4"));
        assert_eq!(decode(b"%C3%A4").as_deref(), Some("ä"));
        assert_eq!(decode(b"%FF"), None);
        assert_eq!(decode("ä".as_bytes()), None);
    }
}
