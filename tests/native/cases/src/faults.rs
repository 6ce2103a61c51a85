//! What handlers should not do.

use data_bridge_sdk::{HeaderMap, HeaderValue, State, StatusCode, handler};
use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many futures that never end have begun, and how many of them were dropped.
static BEGUN: AtomicU32 = AtomicU32::new(0);
static DROPPED: AtomicU32 = AtomicU32::new(0);

struct Noting;

impl Noting {
    fn new() -> Self {
        BEGUN.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Noting {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::SeqCst);
    }
}

#[handler]
pub async fn endless() -> String {
    let (begun, dropped) = (BEGUN.load(Ordering::SeqCst), DROPPED.load(Ordering::SeqCst));
    format!("{begun} {dropped}")
}

#[handler]
pub async fn never() -> String {
    let _noting = Noting::new();
    pending().await
}

/// The same, on the module's own runtime.
#[handler(tokio)]
pub async fn never_there() -> String {
    let _noting = Noting::new();
    pending().await
}

#[handler]
pub async fn panics() -> String {
    panic!("at once")
}

#[handler]
pub async fn panics_later() -> String {
    let mut waited = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
    panic!("later")
}

#[handler(tokio)]
pub async fn panics_there() -> String {
    tokio::task::yield_now().await;
    panic!("on another thread")
}

/// A response that cannot be sent.
#[handler]
pub async fn odd() -> (StatusCode, (HeaderMap, &'static str)) {
    let mut headers = HeaderMap::new();
    headers.insert("content-length", HeaderValue::from_static("many"));
    (StatusCode::OK, (headers, "odd"))
}

/// Takes what the module does not make.
#[handler]
pub async fn wrong_state(State(text): State<String>) -> String {
    text
}
