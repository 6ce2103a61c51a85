//! Values to and from documents, and parts of documents.

use std::borrow::Cow;
use std::collections::BTreeMap;

use api::json::{self, JsonError, Step};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    name: String,
    price: f64,
    tags: Vec<String>,
    note: Option<String>,
}

fn order() -> Order {
    Order {
        id: u64::MAX,
        name: "naïve \"quoted\"\n\u{1f600}".to_owned(),
        price: 0.1,
        tags: vec!["a".to_owned(), String::new()],
        note: None,
    }
}

#[test]
fn a_value_comes_back() {
    let text = json::write(&order()).unwrap();
    assert_eq!(json::parse::<Order>(&text), Ok(order()));
    let oracle: Order = serde_json::from_slice(&text).unwrap();
    assert_eq!(oracle, order());
}

#[test]
fn text_without_escapes_is_borrowed() {
    let names: Vec<&str> = json::parse(br#"["one", "two"]"#).unwrap();
    assert_eq!(names, ["one", "two"]);
}

#[test]
fn a_float_that_is_no_number_is_null() {
    assert_eq!(
        json::write(&[f64::NAN, f64::INFINITY]).unwrap(),
        "[null,null]"
    );
}

#[test]
fn a_key_that_is_no_string_cannot_be_written() {
    let by_pair = BTreeMap::from([((1, 2), 3)]);
    let error = json::write(&by_pair).unwrap_err();
    assert!(matches!(error, JsonError::Unwritable(_)), "{error:?}");
}

const DOCUMENT: &[u8] = br#" {"a": [1, {"b\u0063": "x\"y"}], "twice": 1, "twice": [2], "": null} "#;

#[test]
fn parts_are_found_by_their_path() {
    for (path, wanted) in [
        (&[][..], std::str::from_utf8(DOCUMENT).unwrap().trim()),
        (&[Step::Key("a"), Step::Index(0)], "1"),
        (
            &[Step::Key("a"), Step::Index(1), Step::Key("bc")],
            r#""x\"y""#,
        ),
        (&[Step::Key("twice"), Step::Index(0)], "2"),
        (&[Step::Key("")], "null"),
    ] {
        assert_eq!(json::get(DOCUMENT, path), Ok(Some(Cow::Borrowed(wanted))));
    }
}

#[test]
fn parts_that_are_not_there_are_none() {
    for path in [
        &[Step::Key("b")][..],
        &[Step::Key("a"), Step::Index(2)],
        &[Step::Key("a"), Step::Key("0")],
        &[Step::Index(0)],
        &[Step::Key("twice"), Step::Index(0), Step::Index(0)],
    ] {
        assert_eq!(json::get(DOCUMENT, path), Ok(None), "{path:?}");
    }
}

#[test]
fn a_fault_behind_the_part_is_found() {
    for text in [&br#"{"a": 1, "b": }"#[..], br#"{"a": 1} x"#, br#"{"a": 1"#] {
        let found = json::get(text, &[Step::Key("a")]);
        assert!(matches!(found, Err(JsonError::Invalid { .. })), "{found:?}");
    }
}
