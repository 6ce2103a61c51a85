//! The line before a chunk: its size and its extensions (RFC 9112, 7.1.1). Knows one whole line at a time.

use super::target::hex;
use super::token::{is_field_value, is_token_byte};
use crate::error::Refusal;

/// The size of the chunk, and how many bytes of extensions the line has. `line` without its CRLF.
pub(super) fn parse_size_line(line: &[u8]) -> Result<(u64, usize), Refusal> {
    let digits = line.iter().take_while(|byte| hex(**byte).is_some()).count();
    let (size, extensions) = line.split_at(digits);
    if digits == 0 {
        return Err(Refusal::bad_request("invalid chunk size"));
    }
    check_extensions(extensions)?;
    let size = size
        .iter()
        .try_fold(0u64, |size, digit| {
            size.checked_mul(16)?.checked_add(u64::from(hex(*digit)?))
        })
        .filter(|size| i64::try_from(*size).is_ok())
        .ok_or(Refusal::new(413, "chunk too large"))?;
    Ok((size, extensions.len()))
}

/// `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`
fn check_extensions(mut rest: &[u8]) -> Result<(), Refusal> {
    const INVALID: Refusal = Refusal::bad_request("invalid chunk extension");
    while !rest.is_empty() {
        rest = skip_space(rest).strip_prefix(b";").ok_or(INVALID)?;
        rest = skip_token(skip_space(rest)).ok_or(INVALID)?;
        if let Some(value) = skip_space(rest).strip_prefix(b"=") {
            let value = skip_space(value);
            rest = skip_quoted(value)
                .or_else(|| skip_token(value))
                .ok_or(INVALID)?;
        }
    }
    Ok(())
}

fn skip_space(bytes: &[u8]) -> &[u8] {
    let spaces = bytes
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    &bytes[spaces..]
}

fn skip_token(bytes: &[u8]) -> Option<&[u8]> {
    let length = bytes
        .iter()
        .take_while(|byte| is_token_byte(**byte))
        .count();
    (length > 0).then(|| &bytes[length..])
}

fn skip_quoted(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.strip_prefix(b"\"")?;
    loop {
        let (byte, after) = rest.split_first()?;
        rest = match byte {
            b'"' => return Some(after),
            b'\\' => {
                after
                    .split_first()
                    .filter(|(byte, _)| is_field_value(&[**byte]))?
                    .1
            }
            byte if is_field_value(&[*byte]) => after,
            _ => return None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::parse_size_line;

    #[test]
    fn sizes_are_hexadecimal_digits_and_nothing_else() {
        for (line, size) in [
            ("0", 0),
            ("5", 5),
            ("000", 0),
            ("005", 5),
            ("aF", 0xaf),
            ("7fffffffffffffff", i64::MAX.unsigned_abs()),
        ] {
            assert_eq!(parse_size_line(line.as_bytes()), Ok((size, 0)), "{line}");
        }
        for line in [
            "",
            "g",
            "+5",
            "-5",
            " 5",
            "0x5",
            "5.0",
            "5 ",
            "5\t",
            "5_0",
            "5\r",
            "5\rX",
            "5h",
            "INVALID!!!",
        ] {
            assert_eq!(
                parse_size_line(line.as_bytes()).map_err(|r| r.status),
                Err(400),
                "{line:?}"
            );
        }
        for line in [
            "8000000000000000",
            "ffffffffffffffff",
            "10000000000000005",
            &"f".repeat(999),
        ] {
            assert_eq!(
                parse_size_line(line.as_bytes()).map_err(|r| r.status),
                Err(413),
                "{line}"
            );
        }
    }

    #[test]
    fn extensions_follow_their_grammar() {
        for line in [
            "5;a",
            "5;a=b",
            "5;a=b;c=\"d\"",
            "5 ; a = b",
            "5;a=\"x;y\\\"z\"",
            "5;a=\"\"",
            "5\t;a",
        ] {
            assert_eq!(
                parse_size_line(line.as_bytes()),
                Ok((5, line.len() - 1)),
                "{line}"
            );
        }
        for line in [
            "5;",
            "5;;a",
            "5;a=",
            "5;=b",
            "5;a b",
            "5;a=\"b",
            "5;a=\"b\"c",
            "5;a ",
            "5;a=\"\r\"",
            "5;a=\"\\",
            "5,a",
            "5;a\0",
        ] {
            assert_eq!(
                parse_size_line(line.as_bytes()).map_err(|r| r.status),
                Err(400),
                "{line:?}"
            );
        }
    }
}
