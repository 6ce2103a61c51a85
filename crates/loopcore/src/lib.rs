//! The parts of the event loop that know neither Python nor Tokio, in a crate of their own so that `cargo test` and the
//! loom proof need no interpreter to link with.

mod inbox;
mod landing;
mod timers;

pub use inbox::Inbox;
pub use landing::Landing;
pub use timers::{Nanos, Timers};
