//! Handlers for tests/native: what they may do, and what they should not.

mod bodies;
mod faults;
mod parts;
mod states;
#[cfg(feature = "wrong")]
mod wrong;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Path};
use axum::routing::{get, post, put};
use data_bridge_sdk::{Client, RequestId};
use std::time::Duration;

/// A whole router.
fn site() -> Router {
    Router::new()
        .route("/", get(async || "the root"))
        .route(
            "/hello/{name}",
            get(async |Path(name): Path<String>| format!("hello {name}")),
        )
        .route(
            "/asker",
            get(
                async |client: Extension<Client>, id: Extension<RequestId>| {
                    parts::said(*client, &id)
                },
            ),
        )
        .route("/echo", post(async |body: Bytes| body))
        .route("/streamed", put(async |body: Body| body))
        .route(
            "/slept",
            get(async || {
                tokio::time::sleep(Duration::from_millis(1)).await;
                "slept"
            }),
        )
}

data_bridge_sdk::module! {
    name: native_cases,
    states: [states::made],
    handlers: [
        bodies::doubled, bodies::echoed, bodies::length, bodies::numbers, bodies::broken_off, bodies::large,
        bodies::heavy, bodies::events,
        faults::panics, faults::panics_later, faults::panics_there, faults::never, faults::never_there, faults::odd,
        faults::wrong_state, faults::endless,
        parts::all, parts::pair, parts::named, parts::asker, parts::lenient, parts::target, parts::made_response, parts::nothing,
        states::count, states::lives, states::process,
    ],
    mounts: [site],
}
