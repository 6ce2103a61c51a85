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

/// Panics if a client asks for the server `fault.test`; for the thread of the handshakes, which no header reaches.
#[cfg(feature = "fault-injection")]
pub(crate) fn named(server: Option<&str>) {
    assert!(
        server != Some("fault.test"),
        "a fault was asked for by name"
    );
}

#[cfg(not(feature = "fault-injection"))]
pub(crate) const fn named(_: Option<&str>) {}

#[cfg(feature = "fault-injection")]
thread_local! {
    static ARMED: std::cell::Cell<Option<&'static str>> = const { std::cell::Cell::new(None) };
}

/// Has this thread panic when it comes to `point` next; for borders that no request reaches.
#[cfg(feature = "fault-injection")]
pub fn arm(point: &'static str) {
    ARMED.set(Some(point));
}

/// Whether it has not come there yet.
#[cfg(feature = "fault-injection")]
pub fn is_armed() -> bool {
    ARMED.get().is_some()
}

/// Panics if [`arm`] asked for it.
#[cfg(feature = "fault-injection")]
pub(crate) fn here(point: &str) {
    if ARMED.get() == Some(point) {
        ARMED.set(None);
        panic!("a fault was asked for at {point}");
    }
}

#[cfg(not(feature = "fault-injection"))]
pub(crate) const fn here(_: &str) {}
