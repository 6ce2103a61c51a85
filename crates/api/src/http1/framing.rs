//! How a request's body ends, and what else the framing fields of its head say (RFC 9112, 6 and 9.3).
//! Knows one field at a time; the head puts them together.

use super::fields::Span;
use super::token::list;
use crate::error::Refusal;

/// Where a request's body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None,
    /// After so many bytes.
    Length(u64),
    /// After the last chunk.
    Chunked,
    /// With the last frame of its stream (HTTP/2).
    Stream,
}

/// What the fields say that concern the message and the connection rather than the application.
#[derive(Debug, Default)]
pub(super) struct Control {
    length: Option<u64>,
    chunked: bool,
    pub(super) host: Option<Span>,
    pub(super) expects_continue: bool,
    pub(super) connection: ConnectionOptions,
}

/// The options of the `Connection` fields that mean something to us.
#[derive(Debug, Default)]
pub(super) struct ConnectionOptions {
    pub(super) close: bool,
    pub(super) keep_alive: bool,
    pub(super) upgrade: bool,
}

impl Control {
    /// Takes note of a field. `value` without the white space around it, `span` where it stands.
    pub(super) fn note(&mut self, name: &[u8], value: &[u8], span: Span) -> Result<(), Refusal> {
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.note_host(span),
            6 if name.eq_ignore_ascii_case(b"expect") => {
                self.expects_continue |= value.eq_ignore_ascii_case(b"100-continue");
                Ok(())
            }
            10 if name.eq_ignore_ascii_case(b"connection") => {
                self.connection.note(value);
                Ok(())
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => self.note_length(value),
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => self.note_coding(value),
            _ => Ok(()),
        }
    }

    fn note_host(&mut self, span: Span) -> Result<(), Refusal> {
        if self.host.replace(span).is_some() {
            return Err(Refusal::bad_request("more than one Host"));
        }
        Ok(())
    }

    /// Even equal duplicates are refused: a proxy that drops one of them may have read the other.
    fn note_length(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.length.is_some() {
            return Err(Refusal::bad_request("more than one Content-Length"));
        }
        self.length = Some(parse_length(value)?);
        Ok(())
    }

    fn note_coding(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.chunked {
            return Err(Refusal::bad_request("more than one Transfer-Encoding"));
        }
        if !value.eq_ignore_ascii_case(b"chunked") {
            return Err(refuse_coding(value));
        }
        self.chunked = true;
        Ok(())
    }

    /// Puts the fields together. `old` says HTTP/1.0, which has no transfer codings.
    pub(super) fn framing(&self, old: bool) -> Result<Framing, Refusal> {
        match (self.chunked, self.length) {
            (true, Some(_)) => Err(Refusal::bad_request(
                "both Transfer-Encoding and Content-Length",
            )),
            (true, None) if old => Err(Refusal::bad_request("Transfer-Encoding on HTTP/1.0")),
            (true, None) => Ok(Framing::Chunked),
            (false, Some(length)) => Ok(Framing::Length(length)),
            (false, None) => Ok(Framing::None),
        }
    }
}

impl ConnectionOptions {
    fn note(&mut self, value: &[u8]) {
        for option in list(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            self.upgrade |= option.eq_ignore_ascii_case(b"upgrade");
        }
    }
}

/// `1*DIGIT`, and nothing else: no sign, no list, no white space.
fn parse_length(value: &[u8]) -> Result<u64, Refusal> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::bad_request("Content-Length is not a number"));
    }
    value
        .iter()
        .try_fold(0u64, |length, digit| {
            length.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        })
        .filter(|length| i64::try_from(*length).is_ok())
        .ok_or(Refusal::new(413, "Content-Length too large"))
}

/// RFC 9112, 6.3: where the last coding is not `chunked`, the end cannot be found: 400. Other codings before it: 501.
fn refuse_coding(value: &[u8]) -> Refusal {
    let is_chunked = |coding: &&[u8]| coding.eq_ignore_ascii_case(b"chunked");
    let chunked = list(value).filter(is_chunked).count();
    if chunked == 1
        && list(value).count() > 1
        && list(value).last().is_some_and(|last| is_chunked(&last))
    {
        return Refusal::new(501, "unknown transfer coding before chunked");
    }
    Refusal::bad_request("Transfer-Encoding is not chunked")
}

#[cfg(test)]
mod tests {
    use super::{Control, Framing, parse_length};
    use crate::error::Refusal;
    use crate::http1::fields::Span;

    fn framing(fields: &[(&str, &str)], old: bool) -> Result<Framing, u16> {
        let mut control = Control::default();
        for (name, value) in fields {
            control
                .note(name.as_bytes(), value.as_bytes(), Span::default())
                .map_err(|refusal| refusal.status)?;
        }
        control.framing(old).map_err(|refusal| refusal.status)
    }

    #[test]
    fn a_length_is_digits_and_nothing_else() {
        assert_eq!(parse_length(b"05"), Ok(5));
        assert_eq!(
            parse_length(b"9223372036854775807"),
            Ok(i64::MAX.unsigned_abs())
        );
        for text in [
            "", "+5", "-5", "0x5", "5a", "5.0", "5e0", "5,", ",5", "3, 3", " 5", "\u{665}",
        ] {
            assert_eq!(
                parse_length(text.as_bytes()).map_err(|r| r.status),
                Err(400),
                "{text}"
            );
        }
        for text in [
            "9223372036854775808",
            "18446744073709551621",
            "99999999999999999999999999999",
        ] {
            assert_eq!(
                parse_length(text.as_bytes()).map_err(|r| r.status),
                Err(413),
                "{text}"
            );
        }
    }

    #[test]
    fn framing_is_said_once() {
        assert_eq!(framing(&[], false), Ok(Framing::None));
        assert_eq!(
            framing(&[("content-length", "0")], true),
            Ok(Framing::Length(0))
        );
        assert_eq!(
            framing(&[("Transfer-Encoding", "Chunked")], false),
            Ok(Framing::Chunked)
        );
        let length = ("content-length", "3");
        let chunked = ("transfer-encoding", "chunked");
        assert_eq!(framing(&[length, length], false), Err(400));
        assert_eq!(framing(&[chunked, chunked], false), Err(400));
        assert_eq!(framing(&[length, chunked], false), Err(400));
        assert_eq!(framing(&[chunked, length], false), Err(400));
        assert_eq!(framing(&[chunked], true), Err(400));
    }

    #[test]
    fn only_chunked_is_understood() {
        let coding = |value| framing(&[("transfer-encoding", value)], false);
        for value in [
            "",
            "identity",
            "chunked, chunked",
            "xchunked",
            "chunkedx",
            "chunked;q=1",
            ",chunked",
            "gzip",
            "chunked, gzip",
        ] {
            assert_eq!(coding(value), Err(400), "{value}");
        }
        assert_eq!(coding("gzip, chunked"), Err(501));
    }

    #[test]
    fn connection_options_are_a_list_in_any_case() -> Result<(), Refusal> {
        let mut control = Control::default();
        control.note(b"Connection", b"Upgrade, HTTP2-Settings", Span::default())?;
        control.note(b"connection", b"foo,\tCLOSE", Span::default())?;
        let options = control.connection;
        assert!(options.close && options.upgrade && !options.keep_alive);
        Ok(())
    }
}
