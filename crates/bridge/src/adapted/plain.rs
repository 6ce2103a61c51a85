//! Results of built-in types as JSON, byte for byte as `FastAPI` writes them; for all others, "don't know".
//!
//! `FastAPI` gives such a result to `json.dumps(…, ensure_ascii=False, allow_nan=False, separators=(",", ":"))`, after it
//! has dropped keys that begin with `_sa`.

use std::io::Write;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

/// Nested deeper than this, a value is left to `FastAPI`: it may contain itself.
const MAX_DEPTH: usize = 64;

/// `value` as JSON; `None` where `FastAPI` has to write it (or to raise).
pub fn encode(value: &Bound<'_, PyAny>) -> Option<Vec<u8>> {
    let mut json = Vec::with_capacity(128);
    push(value, &mut json, 0).map(|()| json)
}

fn push(value: &Bound<'_, PyAny>, json: &mut Vec<u8>, depth: usize) -> Option<()> {
    if let Ok(text) = value.cast_exact::<PyString>() {
        push_text(text.to_str().ok()?, json);
    } else if let Ok(dict) = value.cast_exact::<PyDict>() {
        push_dict(dict, json, depth + 1)?;
    } else if let Ok(list) = value.cast_exact::<PyList>() {
        push_items(list.iter(), json, depth + 1)?;
    } else if let Ok(number) = value.cast_exact::<PyInt>() {
        let number: i64 = number.extract().ok()?;
        write!(json, "{number}").ok()?;
    } else if value.is_none() {
        json.extend_from_slice(b"null");
    } else if let Ok(truth) = value.cast_exact::<PyBool>() {
        json.extend_from_slice(if truth.is_true() { b"true" } else { b"false" });
    } else if let Ok(number) = value.cast_exact::<PyFloat>() {
        let finite = number.value().is_finite().then(|| number.repr())?;
        json.extend_from_slice(finite.ok()?.to_str().ok()?.as_bytes());
    } else if let Ok(tuple) = value.cast_exact::<PyTuple>() {
        push_items(tuple.iter(), json, depth + 1)?;
    } else {
        return None;
    }
    Some(())
}

fn push_dict(dict: &Bound<'_, PyDict>, json: &mut Vec<u8>, depth: usize) -> Option<()> {
    if depth > MAX_DEPTH {
        return None;
    }
    json.push(b'{');
    for (index, (key, value)) in dict.iter().enumerate() {
        let key = key.cast_exact::<PyString>().ok()?.to_str().ok()?;
        if key.starts_with("_sa") {
            return None;
        }
        if index > 0 {
            json.push(b',');
        }
        push_text(key, json);
        json.push(b':');
        push(&value, json, depth)?;
    }
    json.push(b'}');
    Some(())
}

fn push_items<'py>(
    items: impl Iterator<Item = Bound<'py, PyAny>>,
    json: &mut Vec<u8>,
    depth: usize,
) -> Option<()> {
    if depth > MAX_DEPTH {
        return None;
    }
    json.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            json.push(b',');
        }
        push(&item, json, depth)?;
    }
    json.push(b']');
    Some(())
}

fn push_text(text: &str, json: &mut Vec<u8>) {
    json.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| is_escaped(*byte)) {
        json.extend_from_slice(&rest[..at]);
        push_escaped(rest[at], json);
        rest = &rest[at + 1..];
    }
    json.extend_from_slice(rest);
    json.push(b'"');
}

fn is_escaped(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

fn push_escaped(byte: u8, json: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            json.extend_from_slice(b"\\u00");
            json.push(HEX[usize::from(byte >> 4)]);
            json.push(HEX[usize::from(byte & 15)]);
            return;
        }
    };
    json.extend_from_slice(&[b'\\', short]);
}
