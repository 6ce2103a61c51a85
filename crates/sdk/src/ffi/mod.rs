//! The border to `data_bridge`, from the module's side: the SDK's only unsafe code.
//!
//! Invariants: a [`Call`] is used on the loop's thread alone and not beyond its task, whose future owns it; nothing unwinds out of
//! an `extern "C"` function; what is passed to the host is valid for the call, what comes from it until the task's end.
#![allow(unsafe_code)]

mod bytes;
mod call;
mod export;
mod python;

pub(crate) use call::{Call, Chunk};
pub use data_bridge_abi as abi;
pub use export::export;
pub use python::{Definition, exec, init};

/// The bytes that `slice` shows.
///
/// # Safety
/// They are valid for `'a`.
unsafe fn bytes_of<'a>(slice: abi::Slice) -> &'a [u8] {
    if slice.len == 0 {
        return &[];
    }
    // SAFETY: not empty, so it points to `len` bytes, valid for as long as the caller says.
    unsafe { std::slice::from_raw_parts(slice.data, slice.len) }
}
