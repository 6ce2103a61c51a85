//! Takes lines ended by CRLF from bytes that arrive in pieces. Knows nothing of what the lines say.

use crate::error::Refusal;
use memchr::memchr;

/// How far a section of lines has been looked at; no byte is looked at twice, however the section is cut.
#[derive(Debug, Default, Clone)]
pub(super) struct Lines {
    /// No line end before here.
    scanned: usize,
    /// Where the current line begins.
    start: usize,
}

impl Lines {
    /// The length of the next whole line without its CRLF, `None` until it is there. A line that is longer than
    /// `limit`, or must become so, is `too_long`. `buffer` begins where the section begins, and only ever grows.
    pub(super) fn next(
        &mut self,
        buffer: &[u8],
        limit: usize,
        too_long: Refusal,
    ) -> Result<Option<usize>, Refusal> {
        let rest = buffer.get(self.scanned..).unwrap_or_default();
        let found = memchr(b'\n', rest);
        let end = self.scanned + found.unwrap_or(rest.len());
        // What stands before the LF, or came last, may be the CR.
        let length = (end - self.start).saturating_sub(1);
        if length > limit {
            return Err(too_long);
        }
        if found.is_none() {
            self.scanned = end;
            return Ok(None);
        }
        if end == self.start || buffer[end - 1] != b'\r' {
            return Err(Refusal::bad_request("line ended by a bare LF"));
        }
        self.scanned = end + 1;
        self.start = end + 1;
        Ok(Some(length))
    }

    /// Length of all whole lines so far, with their CRLF.
    pub(super) fn consumed(&self) -> usize {
        self.start
    }

    /// Whether any byte has been looked at.
    pub(super) fn is_begun(&self) -> bool {
        self.scanned > 0
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;
    use crate::error::Refusal;

    const TOO_LONG: Refusal = Refusal::new(431, "too long");

    #[test]
    fn lines_come_whole_however_they_are_cut() {
        let bytes = b"one\r\n\r\nthree\r\n";
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for end in 0..=bytes.len() {
            while let Some(length) = lines.next(&bytes[..end], 5, TOO_LONG).unwrap() {
                found.push(length);
            }
        }
        assert_eq!(found, [3, 0, 5]);
        assert_eq!(lines.consumed(), bytes.len());
    }

    #[test]
    fn a_line_feed_alone_ends_nothing() {
        for bytes in [&b"a\n"[..], b"\n"] {
            assert!(Lines::default().next(bytes, 9, TOO_LONG).is_err());
        }
        let mut lines = Lines::default();
        assert_eq!(lines.next(b"a\r\n\n", 9, TOO_LONG), Ok(Some(1)));
        assert!(lines.next(b"a\r\n\n", 9, TOO_LONG).is_err());
    }

    #[test]
    fn a_line_is_too_long_as_soon_as_it_must_be() {
        for (bytes, fits) in [
            ("123\r\n", true),
            ("123\r", true),
            ("1234\r\n", false),
            ("12345", false),
            ("12345\n", false),
        ] {
            let whole = Lines::default().next(bytes.as_bytes(), 3, TOO_LONG);
            assert_eq!(whole.is_ok(), fits, "{bytes:?}");
            let mut lines = Lines::default();
            let cut = (0..=bytes.len())
                .find_map(|end| lines.next(&bytes.as_bytes()[..end], 3, TOO_LONG).err());
            assert_eq!(cut, whole.err(), "{bytes:?}");
        }
    }
}
