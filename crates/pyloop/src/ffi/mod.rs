//! The only unsafe code of the loop, one purpose a file. Invariants:
//!
//! * Everything that a loop owns is touched by whoever holds the GIL, and by nobody else ([`cell::GilCell`]).
//! * Detached code touches file descriptors, atomics and its own thread-locals only.
//! * Raw Python callbacks (`handle`, `methods`) never unwind into the interpreter and never drop a `Py<T>`:
//!   they release references with the interpreter's own calls.
#![allow(unsafe_code)]

pub mod buffer;
pub mod cell;
pub mod context;
pub mod create;
pub mod epoll;
pub mod handle;
mod handle_memory;
pub mod handle_type;
pub mod lending;
pub mod methods;
pub mod process;
pub mod python;
pub mod semaphore;
pub mod socket;
pub mod sys;
