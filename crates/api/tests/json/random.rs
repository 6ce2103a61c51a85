//! Random documents, whole and damaged: what `serde_json` reads is what we read. `PROPTEST_CASES` says how many.

use api::json::{self, Step};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Number, Value};

fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        "[ -~]{0,40}",
        "[\"\\\\\n\u{0}-\u{1f}\u{1f600}a]{0,9}"
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|float| Number::from_f64(float).map_or(Value::Null, Value::Number)),
        text.clone().prop_map(Value::String),
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::vec((text.clone(), inner), 0..8)
                .prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

/// One byte changed, or all behind a place cut off.
fn damage(text: &mut Vec<u8>, place: Index, byte: Option<u8>) {
    let at = place.index(text.len());
    match byte {
        Some(byte) => text[at] = byte,
        None => text.truncate(at),
    }
}

proptest! {
    #[test]
    fn whole_documents(value in any_value(), pretty: bool) {
        let text = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.unwrap();
        let oracle: Value = serde_json::from_slice(&text).unwrap();
        prop_assert_eq!(json::parse::<Value>(&text).unwrap(), oracle.clone());
        let written = json::write(&value).unwrap();
        prop_assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), oracle);
        if let Value::Object(members) = &value {
            for (key, part) in members {
                let found = json::get(&text, &[Step::Key(key)]).unwrap().unwrap();
                prop_assert_eq!(json::parse::<Value>(found.as_bytes()).unwrap(), json::parse::<Value>(&serde_json::to_vec(part).unwrap()).unwrap());
            }
        }
    }

    #[test]
    fn damaged_documents(value in any_value(), places in prop::collection::vec((any::<Index>(), any::<Option<u8>>()), 1..4)) {
        let mut text = serde_json::to_vec(&value).unwrap();
        for (place, byte) in places {
            if !text.is_empty() {
                damage(&mut text, place, byte);
            }
        }
        let ours = json::parse::<Value>(&text).ok();
        prop_assert_eq!(ours, serde_json::from_slice::<Value>(&text).ok());
    }

    #[test]
    fn any_bytes(text in prop::collection::vec(prop::sample::select(&br#"[]{}:,"\ue0149.-+tfn aNI"#[..]), 0..24)) {
        let ours = json::parse::<Value>(&text).ok();
        prop_assert_eq!(ours, serde_json::from_slice::<Value>(&text).ok());
    }
}
