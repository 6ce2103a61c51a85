//! A line as one JSON object.

use std::borrow::Cow;
use std::time::SystemTime;

use serde::Serialize;

use super::{Answered, clock};
use crate::json;

/// The members, in the order in which they are written. What the client did not send is left out.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    client: Option<String>,
    method: &'a str,
    path: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    query: Cow<'a, str>,
    protocol: String,
    status: u16,
    bytes: u64,
    duration_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    referer: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

pub(super) fn write(line: &mut String, request: Answered<'_>) {
    let head = request.head;
    let field = |name: &[u8]| head.get(name).map(String::from_utf8_lossy);
    let written = json::write(&Line {
        time: clock::rfc3339(SystemTime::now()),
        client: request.peer.map(|peer| peer.ip().to_string()),
        method: head.method(),
        path: String::from_utf8_lossy(head.raw_path()),
        query: String::from_utf8_lossy(head.query()),
        protocol: format!("HTTP/{}", head.version().as_str()),
        status: request.status,
        bytes: request.sent,
        duration_ms: (request.took.as_secs_f64() * 1e6).round() / 1e3,
        referer: field(b"referer"),
        user_agent: field(b"user-agent"),
        request_id: request.request_id,
    });
    // These members all have a form in JSON.
    if let Ok(written) = written {
        line.push_str(&String::from_utf8_lossy(&written));
    }
}
