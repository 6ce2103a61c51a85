//! Bodies, whole and as streams, in both directions.

use data_bridge_sdk::{
    Body, Bytes, HeaderMap, HeaderValue, Json, JsonSchema, RequestBody, handler,
};
use futures_core::Stream;
use serde::{Deserialize, Serialize};
use std::pin::Pin;
use std::task::{Context, Poll};

#[derive(Deserialize, Serialize, JsonSchema)]
pub struct Amount {
    amount: i64,
}

#[handler]
pub async fn doubled(Json(given): Json<Amount>) -> Json<Amount> {
    Json(Amount {
        amount: given.amount * 2,
    })
}

#[handler]
pub async fn length(body: Bytes) -> String {
    body.len().to_string()
}

/// Sends on what it receives, as it comes.
#[handler]
pub async fn echoed(body: RequestBody) -> Body {
    Body::stream(body)
}

/// So many lines, then perhaps a fault.
struct Lines {
    next: u32,
    /// Every other time it lets itself be woken.
    waits: bool,
    fails: bool,
}

impl Stream for Lines {
    type Item = Result<String, std::fmt::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.next == 3 {
            return Poll::Ready(self.fails.then_some(Err(std::fmt::Error)));
        }
        self.waits = !self.waits;
        if self.waits {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.next += 1;
        Poll::Ready(Some(Ok(format!("line {}\n", self.next))))
    }
}

#[handler]
pub async fn numbers() -> Body {
    Body::stream(Lines {
        next: 0,
        waits: false,
        fails: false,
    })
}

#[handler]
pub async fn broken_off() -> Body {
    Body::stream(Lines {
        next: 0,
        waits: false,
        fails: true,
    })
}

/// Large parts, each of which is worth a thread to whoever compresses them, and a small one.
struct Heavy(u32);

impl Stream for Heavy {
    type Item = Result<Vec<u8>, std::fmt::Error>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0 += 1;
        let part = self.0;
        let numbers = (0..40_000_u32).map(|number| number.wrapping_mul(number ^ part));
        Poll::Ready(match part {
            1..=3 => Some(Ok(numbers.flat_map(u32::to_le_bytes).collect())),
            4 => Some(Ok(b"the end".to_vec())),
            _ => None,
        })
    }
}

#[handler]
pub async fn heavy() -> Body {
    Body::stream(Heavy(0))
}

/// What nobody compresses, since each event must be read at once.
#[handler]
pub async fn events() -> (HeaderMap, Body) {
    let lines = Lines {
        next: 0,
        waits: false,
        fails: false,
    };
    let mut headers = HeaderMap::new();
    headers.insert(
        "content-type",
        HeaderValue::from_static("text/event-stream"),
    );
    (headers, Body::stream(lines))
}

/// A body that crosses the border without a copy.
#[handler]
pub async fn large() -> Vec<u8> {
    vec![b'x'; 1_000_000]
}
