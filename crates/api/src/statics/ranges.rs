//! Which bytes of a file a request asks for (RFC 9110, 14). Knows no file.

use std::ops::Range;

/// More parts than this are no use to anybody: the whole file answers them.
const MOST: usize = 32;

/// What a `Range` field comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Everything: it is no field of ours, or asks for what it need not get.
    Whole,
    /// These parts, none empty and none overlapping.
    Parts(Vec<Range<u64>>),
    /// Nothing that there is.
    Nothing,
}

/// Reads the field for a file of `size` bytes.
pub(super) fn read(field: &[u8], size: u64) -> Asked {
    let specs = std::str::from_utf8(field).ok().and_then(|text| {
        let (unit, specs) = text.split_once('=')?;
        unit.trim().eq_ignore_ascii_case("bytes").then_some(specs)
    });
    let Some(specs) = specs else {
        return Asked::Whole;
    };
    let mut parts = Vec::new();
    for (number, spec) in specs.split(',').enumerate() {
        match part(spec.trim(), size) {
            Some(range) if number < MOST => parts.extend((!range.is_empty()).then_some(range)),
            _ => return Asked::Whole,
        }
    }
    if parts.is_empty() {
        return Asked::Nothing;
    }
    Asked::Parts(joined(parts))
}

/// One part; an empty one where it begins behind the end, `None` where it is malformed.
fn part(spec: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = spec.split_once('-')?;
    if first.is_empty() {
        return Some(size.saturating_sub(number(last)?)..size);
    }
    let first = number(first)?;
    let end = match last {
        "" => size,
        last => number(last)
            .filter(|last| *last >= first)?
            .saturating_add(1),
    };
    Some(first..end.min(size))
}

/// Digits; what is too large for a number lies behind every end.
fn number(digits: &str) -> Option<u64> {
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// In the file's order where parts overlap, else in the client's.
fn joined(parts: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut sorted = parts.clone();
    sorted.sort_unstable_by_key(|part| part.start);
    let mut whole: Vec<Range<u64>> = Vec::new();
    for part in sorted {
        match whole.last_mut() {
            Some(last) if part.start < last.end => last.end = last.end.max(part.end),
            _ => whole.push(part),
        }
    }
    if whole.len() == parts.len() {
        parts
    } else {
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, read};

    #[test]
    fn parts_of_ten_bytes() {
        let cases: [(&str, &[(u64, u64)]); 8] = [
            ("bytes=0-0", &[(0, 1)]),
            ("bytes=2-5", &[(2, 6)]),
            ("bytes=7-", &[(7, 10)]),
            ("bytes=-3", &[(7, 10)]),
            ("Bytes=-30", &[(0, 10)]),
            ("bytes=8-99999999999999999999", &[(8, 10)]),
            ("bytes=5-6, 0-1", &[(5, 7), (0, 2)]),
            ("bytes=5-6,0-5, 20-", &[(0, 7)]),
        ];
        for (field, expected) in cases {
            let expected = expected.iter().map(|(start, end)| *start..*end);
            let expected = Asked::Parts(expected.collect());
            assert_eq!(read(field.as_bytes(), 10), expected, "{field}");
        }
        for field in ["bytes=10-", "bytes=-0", "bytes=11-12,20-"] {
            assert_eq!(read(field.as_bytes(), 10), Asked::Nothing, "{field}");
        }
        let many = format!("bytes=0-0{}", ",2-2".repeat(40));
        for field in [
            "items=0-1",
            "bytes",
            "bytes=",
            "bytes=a-b",
            "bytes=5-4",
            "bytes=+1-2",
            &many,
        ] {
            assert_eq!(read(field.as_bytes(), 10), Asked::Whole, "{field}");
        }
    }
}
