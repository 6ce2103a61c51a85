//! Header names as Python bytes in lower case; the common ones are made once for the process.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;

const COMMON: [&str; 60] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "access-control-request-headers",
    "access-control-request-method",
    "authorization",
    "cache-control",
    "connection",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "dnt",
    "etag",
    "expect",
    "forwarded",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "last-modified",
    "link",
    "max-forwards",
    "origin",
    "pragma",
    "priority",
    "proxy-authorization",
    "range",
    "referer",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "sec-websocket-key",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
    "x-api-key",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
];

/// Longer names than this are not common ones.
const LONGEST: usize = 32;

/// `name` in lower case.
pub fn lower<'py>(py: Python<'py>, name: &[u8]) -> Bound<'py, PyBytes> {
    let mut buffer = [0_u8; LONGEST];
    let Some(lowered) = buffer.get_mut(..name.len()) else {
        return PyBytes::new(py, &name.to_ascii_lowercase());
    };
    lowered.copy_from_slice(name);
    lowered.make_ascii_lowercase();
    match common(py).get(&*lowered) {
        Some(known) => known.bind(py).clone(),
        None => PyBytes::new(py, lowered),
    }
}

fn common(py: Python<'_>) -> &HashMap<&'static [u8], Py<PyBytes>> {
    static NAMES: PyOnceLock<HashMap<&'static [u8], Py<PyBytes>>> = PyOnceLock::new();
    NAMES.get_or_init(py, || {
        COMMON
            .iter()
            .map(|name| (name.as_bytes(), PyBytes::new(py, name.as_bytes()).unbind()))
            .collect()
    })
}
