//! The C ABI from our side: what a foreign handler exports, and what it may call.
//!
//! Invariants: a [`Task`] and its carrier stay on one thread; the carrier stays where it is until the foreign side has dropped the
//! task; nothing unwinds out of an `extern "C"` function; whatever comes from the other side is looked at within its stated size.
#![allow(unsafe_code)]

mod handler;
mod host;
mod task;

pub use handler::{Foreign, ForeignError};
pub use task::Task;

use bytes::Bytes;
use data_bridge_abi::{Owned, Slice};

/// The bytes that `slice` shows.
///
/// # Safety
/// They are valid for `'a`.
unsafe fn bytes_of<'a>(slice: Slice) -> &'a [u8] {
    if slice.len == 0 {
        return &[];
    }
    // SAFETY: not empty, so it points to `len` bytes, valid for as long as the caller says.
    unsafe { std::slice::from_raw_parts(slice.data, slice.len) }
}

/// Bytes of the other side, given back when they are dropped.
struct Given(Owned);

// SAFETY: the contract lets any thread read the bytes and call `release`.
unsafe impl Send for Given {}
// SAFETY: as above; through `&Given` they are only read.
unsafe impl Sync for Given {}

impl AsRef<[u8]> for Given {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: valid until `release`, which is called when this is dropped.
        unsafe { bytes_of(self.0.bytes) }
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        if let Some(release) = self.0.release {
            // SAFETY: called once, as `Given` is dropped once.
            unsafe { release(self.0.owner) }
        }
    }
}

/// Gives bytes away.
fn give(bytes: Bytes) -> Owned {
    unsafe extern "C" fn release(owner: *mut std::ffi::c_void) {
        // SAFETY: `owner` came from `Box::into_raw` below, and is released once.
        drop(unsafe { Box::from_raw(owner.cast::<Bytes>()) });
    }
    Owned {
        bytes: Slice::of(&bytes),
        owner: Box::into_raw(Box::new(bytes)).cast(),
        release: Some(release),
    }
}
