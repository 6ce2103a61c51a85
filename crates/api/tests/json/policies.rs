//! What is refused, and where the error says it is.

use std::collections::BTreeMap;

use api::json::{self, JsonError, MAX_DEPTH};
use serde::Deserialize;
use serde::de::IgnoredAny;

fn refused(text: &[u8]) -> JsonError {
    json::parse::<serde_json::Value>(text).unwrap_err()
}

#[test]
fn what_is_no_json() {
    for text in [
        &b""[..],
        b" ",
        b"nul",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"-",
        b"+1",
        b"01",
        b"1.",
        b".5",
        b"1e",
        b"0x10",
        b"'a'",
        b"\"",
        b"\"\n\"",
        b"\"\\x\"",
        b"\"\\u12\"",
        b"[1,]",
        b"[1 2]",
        b"[",
        b"{\"a\":1,}",
        b"{\"a\"}",
        b"{a:1}",
        b"1 2",
        b"\xef\xbb\xbf1",
        b"[1] // no",
    ] {
        assert!(
            matches!(refused(text), JsonError::Invalid { .. }),
            "{text:?}"
        );
    }
}

#[test]
fn lone_surrogates() {
    for text in [
        br#""\ud800""#.as_slice(),
        br#""\udc00""#,
        br#""\ud800\ud800""#,
        br#""\ud800x""#,
    ] {
        assert!(
            matches!(refused(text), JsonError::Invalid { .. }),
            "{text:?}"
        );
    }
    assert_eq!(
        json::parse::<String>(br#""\ud83d\ude00""#).unwrap(),
        "\u{1f600}"
    );
}

#[test]
fn invalid_utf8_at_every_position() {
    let document = r#"{"schlüssel": ["日本", "\u00e4", 1.5, null]}"#.as_bytes();
    for at in 0..document.len() {
        let mut text = document.to_vec();
        text[at] = 0xff;
        let wanted = std::str::from_utf8(&text).unwrap_err().valid_up_to();
        assert_eq!(refused(&text), JsonError::Utf8(wanted));
    }
}

#[test]
fn every_prefix_is_refused() {
    let document = br#"{"a": ["\u00e4\\", -1.5e3, true, null, {"b": {}}]}"#;
    for end in 0..document.len() {
        refused(&document[..end]);
    }
}

#[test]
fn a_place_is_a_line_and_a_column() {
    let JsonError::Invalid { line, column, .. } = refused(b"[1,\n2,\n !]") else {
        panic!("another error");
    };
    assert_eq!((line, column), (3, 2));
}

#[test]
fn a_value_of_another_type() {
    #[derive(Debug, Deserialize)]
    struct Point {
        #[expect(dead_code, reason = "only its type counts")]
        x: i32,
    }
    for text in [
        &br#"{"x": "1"}"#[..],
        br#"{"x": 2147483648}"#,
        b"{}",
        b"[true]",
        br#"{"x": 1, "x": 2}"#,
    ] {
        let error = json::parse::<Point>(text).unwrap_err();
        assert!(matches!(error, JsonError::Invalid { .. }), "{error:?}");
    }
}

#[test]
fn of_equal_keys_a_map_takes_the_last() {
    let found: BTreeMap<String, i32> = json::parse(br#"{"a": 1, "b": 2, "\u0061": 3}"#).unwrap();
    assert_eq!(found["a"], 3);
}

#[test]
fn large_integers_are_exact_or_refused() {
    assert_eq!(json::parse::<u64>(b"18446744073709551615"), Ok(u64::MAX));
    assert_eq!(json::parse::<i64>(b"-9223372036854775808"), Ok(i64::MIN));
    assert!(json::parse::<u64>(b"18446744073709551616").is_err());
    assert!(json::parse::<f64>(b"1e400").is_err());
}

fn nested(depth: usize) -> Vec<u8> {
    [vec![b'['; depth], vec![b']'; depth]].concat()
}

#[test]
fn the_depth_is_limited() {
    assert!(json::parse::<IgnoredAny>(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(
        json::parse::<IgnoredAny>(&nested(MAX_DEPTH + 1)).unwrap_err(),
        JsonError::TooDeep {
            at: MAX_DEPTH,
            limit: MAX_DEPTH
        },
    );
    assert!(json::parse_within::<IgnoredAny>(&nested(200), 200).is_ok());
    assert!(json::parse_within::<IgnoredAny>(&nested(4), 3).is_err());
    // Brackets in strings are none.
    let text = format!("\"{}\\\"[[[\"", "[".repeat(500));
    assert!(json::parse::<String>(text.as_bytes()).is_ok());
}

#[test]
fn a_depth_bomb_costs_no_stack() {
    assert!(matches!(
        json::get(&vec![b'['; 10_000_000], &[]),
        Err(JsonError::TooDeep { .. })
    ));
}
