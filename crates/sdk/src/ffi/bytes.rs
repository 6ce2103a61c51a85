//! Owned bytes across the border, both ways, without a copy.

use super::abi::{Owned, Slice};
use super::bytes_of;
use bytes::Bytes;
use std::ffi::c_void;

/// Shorter bodies are shown to the host, which copies them: cheaper than to hand them over.
const BY_REFERENCE: usize = 16 * 1024;

/// Bytes of the host, given back when they are dropped.
struct Foreign(Owned);

// SAFETY: the contract lets any thread read the bytes and call `release`.
unsafe impl Send for Foreign {}
// SAFETY: as above; through `&Foreign` they are only read.
unsafe impl Sync for Foreign {}

impl AsRef<[u8]> for Foreign {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: valid until `release`, which is called when this is dropped.
        unsafe { bytes_of(self.0.bytes) }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        if let Some(release) = self.0.release {
            // SAFETY: called once, as `Foreign` is dropped once.
            unsafe { release(self.0.owner) }
        }
    }
}

/// Takes what the host gave.
///
/// # Safety
/// `owned` is the host's answer, and belongs to the caller.
pub(super) unsafe fn take(owned: Owned) -> Bytes {
    if owned.release.is_some() {
        return Bytes::from_owner(Foreign(owned));
    }
    // SAFETY: borrowed bytes are valid until the next call to the host.
    Bytes::copy_from_slice(unsafe { bytes_of(owned.bytes) })
}

unsafe extern "C" fn release(owner: *mut c_void) {
    // SAFETY: `owner` came from `Box::into_raw` in `give`, and is released once.
    drop(unsafe { Box::from_raw(owner.cast::<Bytes>()) });
}

/// Gives bytes away.
pub(super) fn give(bytes: Bytes) -> Owned {
    Owned {
        bytes: Slice::of(&bytes),
        owner: Box::into_raw(Box::new(bytes)).cast(),
        release: Some(release),
    }
}

/// Calls `send` with a body, shown or given away. The host is done with a shown one when `send` returns.
pub(super) fn pass<R>(body: Bytes, send: impl FnOnce(Owned) -> R) -> R {
    if body.len() < BY_REFERENCE {
        send(Owned::borrowed(&body))
    } else {
        send(give(body))
    }
}
