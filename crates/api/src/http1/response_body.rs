//! Frames the body of a response: counted, in chunks, or until the connection closes. Knows no head; copies nothing
//! unless asked.

use super::token::{is_field_value, is_token};
use super::trailer::is_forbidden;
use crate::error::ResponseError;

/// Frames one body. Small and `Copy`, so that it fits in a `Cell`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyEncoder(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// HEAD, 101, 204, 304: whatever comes is dropped.
    None,
    /// So many bytes are to come.
    Length(u64),
    Chunked,
    UntilClose,
}

impl BodyEncoder {
    pub(super) const fn none() -> Self {
        Self(Kind::None)
    }

    pub(super) const fn length(length: u64) -> Self {
        Self(Kind::Length(length))
    }

    pub(super) const fn chunked() -> Self {
        Self(Kind::Chunked)
    }

    pub(super) const fn until_close() -> Self {
        Self(Kind::UntilClose)
    }

    /// Whether only the end of the connection ends the body.
    pub fn ends_with_connection(self) -> bool {
        self.0 == Kind::UntilClose
    }

    /// Whether what comes is dropped, because the response has no body.
    pub fn drops_body(self) -> bool {
        self.0 == Kind::None
    }

    /// Appends a part of the body. What exceeds the length is not written, and an error.
    pub fn encode(&mut self, out: &mut Vec<u8>, data: &[u8]) -> Result<(), ResponseError> {
        let admitted = self.begin_part(out, data.len());
        out.extend_from_slice(&data[..admitted]);
        self.end_part(out, data.len(), admitted)
    }

    /// For a part of `length` bytes that the caller appends itself: writes what stands before it, and says how many
    /// of its bytes go out. [`BodyEncoder::end_part`] must follow them.
    pub fn begin_part(&mut self, out: &mut Vec<u8>, length: usize) -> usize {
        match &mut self.0 {
            Kind::None => 0,
            Kind::Length(left) => {
                let admitted = usize::try_from(*left).map_or(length, |left| left.min(length));
                *left -= admitted as u64;
                admitted
            }
            Kind::Chunked => {
                if length > 0 {
                    write_size(out, length);
                }
                length
            }
            Kind::UntilClose => length,
        }
    }

    /// Writes what stands behind a part of which `admitted` bytes out of `length` were appended.
    pub fn end_part(
        self,
        out: &mut Vec<u8>,
        length: usize,
        admitted: usize,
    ) -> Result<(), ResponseError> {
        match self.0 {
            Kind::Chunked if length > 0 => out.extend_from_slice(b"\r\n"),
            Kind::Length(_) if admitted < length => return Err(ResponseError::TooLong),
            _ => {}
        }
        Ok(())
    }

    /// Appends the end of the body. Trailers go out with chunks only; elsewhere they are checked and dropped.
    /// After an error the connection must be closed without the end.
    pub fn finish<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        self,
        out: &mut Vec<u8>,
        trailers: impl IntoIterator<Item = (N, V)>,
    ) -> Result<(), ResponseError> {
        let start = out.len();
        let result = self.finish_apart(out, trailers);
        if result.is_err() || self.0 != Kind::Chunked {
            out.truncate(start);
        }
        result
    }

    /// [`BodyEncoder::finish`] where the end and its trailers travel apart from the body: they stand in `out` behind a line
    /// that ends chunks. After an error `out` is of no use.
    pub(crate) fn finish_apart<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        self,
        out: &mut Vec<u8>,
        trailers: impl IntoIterator<Item = (N, V)>,
    ) -> Result<(), ResponseError> {
        if let Kind::Length(missing @ 1..) = self.0 {
            return Err(ResponseError::TooShort { missing });
        }
        write_end(out, trailers)
    }
}

fn write_end<N: AsRef<[u8]>, V: AsRef<[u8]>>(
    out: &mut Vec<u8>,
    trailers: impl IntoIterator<Item = (N, V)>,
) -> Result<(), ResponseError> {
    out.extend_from_slice(b"0\r\n");
    for (name, value) in trailers {
        let (name, value) = (name.as_ref(), value.as_ref());
        let text = || String::from_utf8_lossy(name).into_owned();
        if !is_token(name) {
            return Err(ResponseError::Name(text()));
        }
        if is_forbidden(name) {
            return Err(ResponseError::Trailer(text()));
        }
        if !is_field_value(value) {
            return Err(ResponseError::Value(text()));
        }
        for part in [name, b": ", value, b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// The size of a chunk in hexadecimal, and its CRLF.
fn write_size(out: &mut Vec<u8>, size: usize) {
    let digits = (usize::BITS - size.leading_zeros()).div_ceil(4).max(1);
    for place in (0..digits).rev() {
        let digit = (size >> (place * 4)) & 0xf;
        out.push(b"0123456789abcdef"[digit]);
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::{BodyEncoder, write_size};
    use crate::error::ResponseError;

    const NO_TRAILERS: [(&str, &str); 0] = [];

    fn text(out: &[u8]) -> &str {
        std::str::from_utf8(out).unwrap()
    }

    #[test]
    fn a_length_is_counted_down() {
        let mut out = Vec::new();
        let mut body = BodyEncoder::length(5);
        body.encode(&mut out, b"abc").unwrap();
        assert_eq!(
            body.finish(&mut out, NO_TRAILERS),
            Err(ResponseError::TooShort { missing: 2 })
        );
        body.encode(&mut out, b"de").unwrap();
        body.finish(&mut out, NO_TRAILERS).unwrap();
        assert_eq!(text(&out), "abcde");
    }

    #[test]
    fn what_exceeds_the_length_stays_here() {
        let mut out = Vec::new();
        let mut body = BodyEncoder::length(3);
        assert_eq!(
            body.encode(&mut out, b"abcHTTP/1.1 200 OK\r\n"),
            Err(ResponseError::TooLong)
        );
        assert_eq!(body.encode(&mut out, b"d"), Err(ResponseError::TooLong));
        assert_eq!(text(&out), "abc");
    }

    #[test]
    fn chunks_have_their_size_and_an_end() {
        let mut out = Vec::new();
        let mut body = BodyEncoder::chunked();
        body.encode(&mut out, b"hello").unwrap();
        body.encode(&mut out, b"").unwrap();
        body.encode(&mut out, &[b'x'; 16]).unwrap();
        body.finish(&mut out, [("x-sum", "1")]).unwrap();
        assert_eq!(
            text(&out),
            "5\r\nhello\r\n10\r\nxxxxxxxxxxxxxxxx\r\n0\r\nx-sum: 1\r\n\r\n"
        );
    }

    #[test]
    fn sizes_are_hexadecimal() {
        for size in [1, 9, 10, 15, 16, 255, 256, 4095, 65_536, usize::MAX] {
            let mut out = Vec::new();
            write_size(&mut out, size);
            assert_eq!(text(&out), format!("{size:x}\r\n"));
        }
    }

    #[test]
    fn bad_trailers_leave_no_trace() {
        let attempts = [
            ("x t", "1", ResponseError::Name("x t".into())),
            ("x-t", "1\r\nx: 2", ResponseError::Value("x-t".into())),
            (
                "Content-Length",
                "1",
                ResponseError::Trailer("Content-Length".into()),
            ),
        ];
        for (name, value, error) in attempts {
            let mut out = Vec::new();
            let result = BodyEncoder::chunked().finish(&mut out, [("a", "b"), (name, value)]);
            assert_eq!((result, text(&out)), (Err(error), ""));
        }
    }

    #[test]
    fn responses_without_body_drop_it() {
        let mut out = Vec::new();
        let mut body = BodyEncoder::none();
        body.encode(&mut out, b"abc").unwrap();
        body.finish(&mut out, [("x-t", "1")]).unwrap();
        assert_eq!(text(&out), "");
    }

    #[test]
    fn until_the_end_of_the_connection_nothing_is_added() {
        let mut out = Vec::new();
        let mut body = BodyEncoder::until_close();
        assert!(body.ends_with_connection());
        body.encode(&mut out, b"abc").unwrap();
        body.finish(&mut out, [("x-t", "1")]).unwrap();
        assert_eq!(text(&out), "abc");
    }
}
