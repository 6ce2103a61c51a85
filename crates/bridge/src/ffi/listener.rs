//! Listening sockets that Python opened, as Rust's own.

use std::io;
use std::net::TcpListener;
use std::os::fd::{BorrowedFd, RawFd};

/// A duplicate of the listening socket `fd`, which stays its owner's.
pub fn listener(fd: RawFd) -> io::Result<TcpListener> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(9)); // EBADF
    }
    // SAFETY: not -1; the borrow ends with this call, during which the Python socket that owns `fd` is alive: the caller
    // holds it. A descriptor that is closed nevertheless is an error of `dup`, not a fault.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    Ok(TcpListener::from(borrowed.try_clone_to_owned()?))
}
