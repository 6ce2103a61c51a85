//! The only unsafe code of the server: one descriptor's registration with the runtime, and memory that processes share.
//! Knows nothing of what they are for.
#![allow(unsafe_code)]

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::io;
use std::ops::Deref;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::atomic::AtomicU64;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// `fd` as something whose readiness the runtime reports.
pub(crate) fn readable(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` gives the same open descriptor until it is dropped, and the `AsyncFd` owns it from here on.
    unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }.map_err(io::Error::from)
}

/// Words of a file in memory that several processes may have mapped.
pub(crate) struct Words {
    start: NonNull<AtomicU64>,
    count: usize,
}

// SAFETY: the words are atomic, and the mapping is this value's own until it is dropped.
unsafe impl Send for Words {}
// SAFETY: as above.
unsafe impl Sync for Words {}

impl Words {
    /// Maps `count` words of `file` from the byte `offset` on, a multiple of the page. The file must have them, and must be
    /// sealed against shrinking: else touching what it has lost would end the process.
    pub(crate) fn map(file: BorrowedFd<'_>, offset: u64, count: usize) -> io::Result<Self> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        let length = count * size_of::<AtomicU64>();
        // SAFETY: at a place of the kernel's choosing, so that nothing of ours is mapped over.
        let start = unsafe {
            mmap(
                ptr::null_mut(),
                length,
                access,
                MapFlags::SHARED,
                file,
                offset,
            )
        }?;
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, count })
    }
}

impl Deref for Words {
    type Target = [AtomicU64];

    fn deref(&self) -> &[AtomicU64] {
        // SAFETY: mapped for reading and writing until `self` is dropped, aligned to a page; any bits are an `AtomicU64`.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.count) }
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and nobody can borrow from it any more. An error would leave it in place.
        let _ = unsafe {
            munmap(
                self.start.as_ptr().cast(),
                self.count * size_of::<AtomicU64>(),
            )
        };
    }
}
