//! Bodies, whole and as streams, in both directions.

use data_bridge_sdk::{Body, Bytes, Json, JsonSchema, RequestBody, handler};
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

/// A body that crosses the border without a copy.
#[handler]
pub async fn large() -> Vec<u8> {
    vec![b'x'; 1_000_000]
}
