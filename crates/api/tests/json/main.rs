//! JSON for native handlers: typed, lazy, and its limits; `serde_json` is the oracle.

#![allow(clippy::unwrap_used)]

mod documents;
mod policies;
mod random;
