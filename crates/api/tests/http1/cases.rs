//! The wire cases of `tests/conformance/http1/cases.json`, as far as they concern the codec: all of them.

use crate::peer::{End, Transcript, converse};
use serde_json::Value;
use std::path::Path;

fn load() -> Vec<Value> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance/http1/cases.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The file writes bytes as Latin-1.
fn latin1(text: &Value) -> Vec<u8> {
    text.as_str()
        .unwrap()
        .chars()
        .map(|char| u8::try_from(u32::from(char)).unwrap())
        .collect()
}

/// What the case promises about a request that is accepted; `Err` says what is wrong.
fn check(checks: &Value, transcript: &Transcript) -> Result<(), String> {
    let (requests, answers) = (&transcript.requests, transcript.answers());
    let first = &requests[0];
    let mut wrong = Vec::new();
    let mut expect = |what: &str, holds: bool| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    for (name, value) in checks.as_object().into_iter().flatten() {
        let count = || usize::try_from(value.as_u64().unwrap()).unwrap();
        let holds = match name.as_str() {
            "n" => answers == count(),
            "n_min" => answers >= count(),
            "n_2xx" => requests.len() == count(),
            "close" => transcript.end != End::Waiting,
            "method" => first.method.as_bytes() == latin1(value),
            "body" => first.body == latin1(&value["latin1"]),
            "header" => {
                let values: Vec<_> = first
                    .headers
                    .iter()
                    .filter(|(name, _)| name.eq_ignore_ascii_case(&latin1(&value[0])))
                    .map(|(_, value)| value.clone())
                    .collect();
                values == [latin1(&value[1])]
            }
            "order" => {
                let paths: Vec<_> = requests
                    .iter()
                    .map(|request| request.path.clone())
                    .collect();
                let order: Vec<_> = value.as_array().unwrap().iter().map(latin1).collect();
                paths == order
            }
            "h2ok" => true,
            other => panic!("the case asks for {other:?}, which this test does not know"),
        };
        expect(name, holds);
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!("{wrong:?} in {transcript:?}"))
    }
}

/// Stricter than the probe: where the RFC leaves a choice between refusing and one way of accepting, we refuse.
fn judge(case: &Value, transcript: &Transcript) -> Result<(), String> {
    let smuggled = |path: &[u8]| path == b"/smuggled" || path == b"/evil";
    if transcript
        .requests
        .iter()
        .any(|request| smuggled(&request.path))
    {
        return Err("a hidden request came through".to_owned());
    }
    let refused = matches!(transcript.end, End::Refused(400..=499 | 501 | 505))
        && transcript.requests.is_empty();
    let waits = transcript.end == End::Waiting && transcript.requests.is_empty();
    let fine = match case["expect"].as_str().unwrap() {
        "reject" => refused,
        "no200" => refused || waits,
        "wait" => waits,
        "either" if refused => true,
        "either" | "accept" if !transcript.requests.is_empty() => {
            return check(&case["checks"], transcript);
        }
        _ => false,
    };
    if fine {
        Ok(())
    } else {
        Err(format!("{transcript:?}"))
    }
}

fn pieces(case: &Value) -> Vec<Vec<u8>> {
    match case["seg"].as_array() {
        Some(pieces) => pieces.iter().map(latin1).collect(),
        None => vec![latin1(&case["raw"])],
    }
}

fn failures(cut: impl Fn(Vec<Vec<u8>>) -> Vec<Vec<u8>>) -> Vec<String> {
    let cases = load();
    assert!(cases.len() >= 163, "the file has lost cases");
    cases
        .iter()
        .filter_map(|case| {
            let pieces = cut(pieces(case));
            let transcript = converse(pieces.iter().map(|piece| &piece[..]));
            let error = judge(case, &transcript).err()?;
            Some(format!(
                "{} ({}, {}): {error}",
                case["id"], case["level"], case["why"]
            ))
        })
        .collect()
}

#[test]
fn every_case_is_judged_as_it_must_be() {
    let failures = failures(|pieces| pieces);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_case_is_judged_the_same_byte_by_byte() {
    let failures = failures(|pieces| pieces.concat().into_iter().map(|byte| vec![byte]).collect());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
