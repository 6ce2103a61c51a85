//! Panics on demand, for the tests of the borders that contain them. Does nothing in normal builds.

use crate::http1::head::Head;

/// Panics if the request asks for it by an `x-fault` header with this value.
#[cfg(feature = "fault-injection")]
pub(crate) fn at(point: &str, head: &Head) {
    let asked = head.get(b"x-fault") == Some(point.as_bytes());
    assert!(!asked, "a fault was asked for at {point}");
}

#[cfg(not(feature = "fault-injection"))]
pub(crate) const fn at(_: &str, _: &Head) {}
