//! What a module shares: how often it was made, whether it lives, who counts in it.

use data_bridge_sdk::{State, handler};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

static MADE: AtomicU32 = AtomicU32::new(0);
static GONE: AtomicU32 = AtomicU32::new(0);

#[derive(Default)]
pub struct Shared(AtomicU32);

impl Drop for Shared {
    fn drop(&mut self) {
        GONE.fetch_add(1, Ordering::SeqCst);
        eprintln!("the shared state of {} is gone", std::process::id());
    }
}

pub fn made() -> Result<Arc<Shared>, Infallible> {
    MADE.fetch_add(1, Ordering::SeqCst);
    Ok(Arc::default())
}

#[handler]
pub async fn count(State(shared): State<Arc<Shared>>) -> String {
    shared.0.fetch_add(1, Ordering::SeqCst).to_string()
}

/// Which process answers.
#[handler]
pub async fn process(State(_shared): State<Arc<Shared>>) -> String {
    std::process::id().to_string()
}

/// How many were made, and how many of them are gone.
#[handler]
pub async fn lives() -> String {
    format!(
        "{} {}",
        MADE.load(Ordering::SeqCst),
        GONE.load(Ordering::SeqCst)
    )
}
