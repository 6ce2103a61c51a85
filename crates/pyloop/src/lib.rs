//! The asyncio event loop of `data_bridge`: the map of its rooms. Knows no HTTP.

mod children;
mod clock;
pub mod core;
pub mod counts;
mod debug;
pub mod event_loop;
mod ffi;
mod fork;
pub mod gil;
mod handle;
mod handle_lock;
pub mod host;
mod owed;
mod park;
pub mod poller;
mod readers;
mod ready;
mod runtime;
mod server;
mod signals;
mod sock;
mod tasks;
mod tick;
mod transport;
mod work_queue;

pub use event_loop::EventLoop;
pub use transport::{DatagramTransport, StreamRead, StreamReads, StreamTransport};
pub use work_queue::WorkQueue;

use pyo3::prelude::*;

/// Prepares the native types; call once from the extension module's initialiser, before the loop class is used.
pub fn init(py: Python<'_>) -> PyResult<()> {
    ffi::handle::init(py)?;
    ffi::methods::install(py)?;
    fork::install(py)
}
