//! Handlers that another module exports through the C ABI (docs/design/0026). Knows no Python: the pointer comes from the bridge.

mod carrier;
mod ffi;
mod layered;
mod on_server;

pub use carrier::Carrier;
pub use ffi::{Foreign, ForeignError, Task};
pub use on_server::{Matched, Terms, answer};
