//! The only unsafe code of the server: one descriptor's registration with the runtime, and memory that processes share.
//! Knows nothing of what they are for.
#![allow(unsafe_code)]

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::io;
use std::ops::Deref;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::AtomicU64;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// `fd` as something whose readiness the runtime reports.
pub(crate) fn readable(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` gives the same open descriptor until it is dropped, and the `AsyncFd` owns it from here on.
    unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }.map_err(io::Error::from)
}

/// `COUNT` words of a file in memory that several processes may have mapped.
pub(crate) struct Words<const COUNT: usize>(NonNull<[AtomicU64; COUNT]>);

// SAFETY: the words are atomic, and the mapping is this value's own until it is dropped.
unsafe impl<const COUNT: usize> Send for Words<COUNT> {}
// SAFETY: as above.
unsafe impl<const COUNT: usize> Sync for Words<COUNT> {}

impl<const COUNT: usize> Words<COUNT> {
    /// Maps the words of `file` from the byte `offset` on, a multiple of the page. The file must have them, and must be
    /// sealed against shrinking: else touching what it has lost would end the process.
    pub(crate) fn map(file: BorrowedFd<'_>, offset: u64) -> io::Result<Self> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        let length = size_of::<[AtomicU64; COUNT]>();
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
        Ok(Self(start))
    }
}

impl<const COUNT: usize> Deref for Words<COUNT> {
    type Target = [AtomicU64; COUNT];

    fn deref(&self) -> &[AtomicU64; COUNT] {
        // SAFETY: mapped for reading and writing until `self` is dropped, aligned to a page; any bits are an `AtomicU64`.
        unsafe { self.0.as_ref() }
    }
}

impl<const COUNT: usize> Drop for Words<COUNT> {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and nobody can borrow from it any more. An error would leave it in place.
        let _ = unsafe { munmap(self.0.as_ptr().cast(), size_of::<[AtomicU64; COUNT]>()) };
    }
}
