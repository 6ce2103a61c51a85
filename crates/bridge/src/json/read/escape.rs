//! Escapes: from a string as it was sent to its UTF-8. Knows no Python.

use pyloop::gil;
use pyo3::Python;

use super::error::{Fault, Problem};
use super::ffi;

/// Writes the string that began at `start` and is plain up to `stop` without its escapes; gives its end.
pub fn unescape(
    py: Python<'_>,
    text: &[u8],
    start: usize,
    stop: usize,
    into: &mut Vec<u8>,
) -> Result<usize, Fault> {
    into.extend_from_slice(&text[start..stop]);
    let mut at = stop;
    loop {
        let next = match text.get(at) {
            Some(b'"') => return Ok(at),
            Some(b'\\') if at + 1 < text.len() => escape(text, at, into),
            Some(byte) if *byte < b' ' => Err(Fault::new(at, Problem::Control)),
            // A plain byte is where a long run was cut, to let other threads in.
            Some(byte) if *byte != b'\\' => Ok(at),
            _ => Err(Fault::new(start - 1, Problem::Unterminated)),
        };
        at = next.map_err(|fault| earlier(text, start, at, fault))?;
        let length = ffi::copy_run(text, at, into);
        at += length;
        if length >= ffi::LONGEST_RUN {
            gil::offer(py);
        }
    }
}

/// The fault, unless the text between these offsets is no UTF-8: then that came first.
#[cold]
pub fn earlier(text: &[u8], start: usize, end: usize, fault: Fault) -> Fault {
    match std::str::from_utf8(&text[start..end]) {
        Err(error) => Fault::new(start + error.valid_up_to(), Problem::Utf8),
        Ok(_) => fault,
    }
}

/// What a backslash and one character mean; zero where they mean nothing, or need more.
static PLAIN: [u8; 256] = {
    let mut plain = [0; 256];
    plain[b'"' as usize] = b'"';
    plain[b'\\' as usize] = b'\\';
    plain[b'/' as usize] = b'/';
    plain[b'b' as usize] = 8;
    plain[b'f' as usize] = 12;
    plain[b'n' as usize] = b'\n';
    plain[b'r' as usize] = b'\r';
    plain[b't' as usize] = b'\t';
    plain
};

/// Writes what the escape at the backslash means; gives the offset behind it.
#[inline]
fn escape(text: &[u8], at: usize, into: &mut Vec<u8>) -> Result<usize, Fault> {
    let plain = PLAIN[usize::from(text[at + 1])];
    if plain == 0 {
        if text[at + 1] == b'u' {
            return unicode(text, at, into);
        }
        return Err(Fault::new(at, Problem::Escape));
    }
    into.push(plain);
    Ok(at + 2)
}

/// `\uXXXX`, or two of them that are one character.
fn unicode(text: &[u8], at: usize, into: &mut Vec<u8>) -> Result<usize, Fault> {
    let first = unit(text, at)?;
    if !(0xd800..0xe000).contains(&first) {
        push(into, first);
        return Ok(at + 6);
    }
    if first < 0xdc00 && text.get(at + 6) == Some(&b'\\') && text.get(at + 7) == Some(&b'u') {
        let second = unit(text, at + 6)?;
        if (0xdc00..0xe000).contains(&second) {
            push(
                into,
                0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00),
            );
            return Ok(at + 12);
        }
    }
    Err(Fault::new(at, Problem::LoneSurrogate))
}

/// The number in `\uXXXX`.
fn unit(text: &[u8], at: usize) -> Result<u32, Fault> {
    let fault = || Fault::new(at + 1, Problem::UnicodeEscape);
    // Something must follow, or the string cannot end: the standard library, too, says it here.
    let digits = text.get(at + 2..at + 7).ok_or_else(fault)?;
    digits[..4].iter().try_fold(0, |sum, digit| {
        let digit = char::from(*digit).to_digit(16).ok_or_else(fault)?;
        Ok(sum << 4 | digit)
    })
}

fn push(into: &mut Vec<u8>, code: u32) {
    if let Some(character) = char::from_u32(code) {
        into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}
