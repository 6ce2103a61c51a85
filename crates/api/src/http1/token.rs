//! Which bytes may stand where: tokens, field values, hosts. Knows no grammar beyond single bytes.

const fn table(extra: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < extra.len() {
        table[extra[at] as usize] = true;
        at += 1;
    }
    table
}

/// `tchar` of RFC 9110, 5.6.2.
static TOKEN: [bool; 256] = table(b"!#$%&'*+-.^_`|~");

/// `unreserved`, `sub-delims` and `%` of RFC 3986, 3.2.2.
static REG_NAME: [bool; 256] = table(b"-._~!$&'()*+,;=%");

/// Whether the byte may stand in a token.
pub(crate) fn is_token_byte(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

/// Whether these bytes are a token: a method or a field name.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| is_token_byte(*byte))
}

/// Whether these bytes may be a field's value: no control character but the tab.
pub(super) fn is_field_value(bytes: &[u8]) -> bool {
    // Counted rather than searched, so that the compiler makes it a vector loop.
    bytes
        .iter()
        .filter(|byte| byte.is_ascii_control() && **byte != b'\t')
        .count()
        == 0
}

/// Whether these bytes may be a registered name of a host; an empty one may.
pub(super) fn is_reg_name(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| REG_NAME[usize::from(*byte)])
}

/// The members of a comma-separated list, without the white space around them; empty ones are left out.
pub(crate) fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|byte| *byte == b',')
        .map(trim)
        .filter(|member| !member.is_empty())
}

/// Without the optional white space (spaces and tabs) at both ends.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = bytes
        .iter()
        .position(|byte| !is_space(byte))
        .unwrap_or(bytes.len());
    let end = bytes
        .iter()
        .rposition(|byte| !is_space(byte))
        .map_or(start, |last| last + 1);
    &bytes[start..end]
}

#[cfg(test)]
mod tests {
    use super::{is_field_value, is_token, list, trim};

    #[test]
    fn tokens_are_what_the_rfc_lists() {
        for byte in 0..=255u8 {
            let listed = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            assert_eq!(is_token(&[byte]), listed, "{byte}");
        }
        assert!(!is_token(b""));
    }

    #[test]
    fn values_hold_no_control_character_but_the_tab() {
        for byte in 0..=255u8 {
            let refused = (byte.is_ascii_control()) && byte != b'\t';
            assert_eq!(is_field_value(&[b'a', byte, b'b']), !refused, "{byte}");
        }
        assert!(is_field_value(b""));
    }

    #[test]
    fn lists_lose_white_space_and_empty_members() {
        assert_eq!(list(b" a ,,\tb, ").collect::<Vec<_>>(), [b"a", b"b"]);
        assert_eq!(trim(b"\t "), b"");
    }
}
