//! System calls on sockets, by descriptor. Knows nothing of transports or of Python.
//!
//! They take bare descriptors because a descriptor may belong to a Python socket object. A stale one is answered
//! with an error by the kernel; it cannot harm memory.

use std::io::{self, IoSlice};
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr::NonNull;

use socket2::{SockAddr, SockRef};

/// Makes a call again when a signal has interrupted it.
fn count(mut call: impl FnMut() -> libc::ssize_t) -> io::Result<usize> {
    loop {
        match usize::try_from(call()).map_err(|_| io::Error::last_os_error()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Reads once into `buffer`; 0 is the end of the stream.
pub fn receive(fd: RawFd, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: `buffer` is writable for its length.
    count(|| unsafe { libc::recv(fd, buffer.as_mut_ptr().cast(), buffer.len(), 0) })
}

/// Reads once into `buffer` and never waits, whatever mode the socket is in.
pub fn receive_now(fd: RawFd, buffer: &mut [u8]) -> io::Result<usize> {
    let (start, length) = (buffer.as_mut_ptr().cast(), buffer.len());
    // SAFETY: `buffer` is writable for its length.
    count(|| unsafe { libc::recv(fd, start, length, libc::MSG_DONTWAIT) })
}

/// The protocol of a socket, `IPPROTO_TCP` for one.
pub fn protocol(fd: RawFd) -> io::Result<i32> {
    let mut protocol: libc::c_int = 0;
    let mut length = libc::socklen_t::try_from(size_of::<libc::c_int>()).unwrap_or(4);
    // SAFETY: the kernel writes at most `length` bytes into `protocol`.
    check(unsafe {
        libc::getsockopt(
            fd,
            libc::SOL_SOCKET,
            libc::SO_PROTOCOL,
            (&raw mut protocol).cast(),
            &raw mut length,
        )
    })?;
    Ok(protocol)
}

/// Reads once into memory that a Python buffer lends.
///
/// # Safety
/// `buffer` must stay valid and unshared for the call: the export is held and the thread is attached.
pub unsafe fn receive_raw(fd: RawFd, buffer: NonNull<[u8]>, flags: i32) -> io::Result<usize> {
    // SAFETY: the caller's promise.
    count(|| unsafe { libc::recv(fd, buffer.as_ptr().cast(), buffer.len(), flags) })
}

/// Takes one datagram, cut off at the buffer's end, and its sender's address.
pub fn receive_from(fd: RawFd, buffer: &mut [u8]) -> io::Result<(usize, SockAddr)> {
    let mut receive = |storage: *mut libc::sockaddr, length: *mut libc::socklen_t| {
        // SAFETY: `buffer` is writable for its length, and `try_init` lends storage for the address and its length.
        count(|| unsafe {
            let (start, size) = (buffer.as_mut_ptr().cast(), buffer.len());
            libc::recvfrom(fd, start, size, 0, storage, length)
        })
    };
    // SAFETY: on success the kernel has written an address and its length.
    unsafe { SockAddr::try_init(|storage, length| receive(storage.cast(), length)) }
}

/// Sends `data` as one datagram.
pub fn send_to(fd: RawFd, data: &[u8], address: &SockAddr) -> io::Result<usize> {
    let (target, length) = (address.as_ptr().cast(), address.len());
    // SAFETY: `data` is readable for its length, and so is the address.
    count(|| unsafe {
        let (start, size) = (data.as_ptr().cast(), data.len());
        libc::sendto(fd, start, size, libc::MSG_NOSIGNAL, target, length)
    })
}

/// Sends once what the kernel takes of `data`.
pub fn send(fd: RawFd, data: &[u8]) -> io::Result<usize> {
    // SAFETY: `data` is readable for its length.
    count(|| unsafe { libc::send(fd, data.as_ptr().cast(), data.len(), libc::MSG_NOSIGNAL) })
}

/// [`send`] that never waits, whatever mode the socket is in.
pub fn send_now(fd: RawFd, data: &[u8]) -> io::Result<usize> {
    // SAFETY: `data` is readable for the call.
    unsafe { send_raw(fd, NonNull::from(data)) }
}

/// Sends once what the kernel takes of memory that a Python buffer lends, and never waits.
///
/// # Safety
/// `data` must be readable for the call: the export is held and the thread is attached.
pub unsafe fn send_raw(fd: RawFd, data: NonNull<[u8]>) -> io::Result<usize> {
    let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
    // SAFETY: the caller's promise.
    count(|| unsafe { libc::send(fd, data.as_ptr().cast(), data.len(), flags) })
}

/// Sends once what the kernel takes of all `parts` together.
pub fn send_vectored(fd: RawFd, parts: &[IoSlice<'_>]) -> io::Result<usize> {
    // SAFETY: an all-zero header is a valid one: no name, no control data.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = parts.as_ptr().cast_mut().cast();
    message.msg_iovlen = parts.len() as _;
    // SAFETY: `IoSlice` has the layout of `iovec`, and the parts live across the call.
    count(|| unsafe { libc::sendmsg(fd, &raw const message, libc::MSG_NOSIGNAL) })
}

/// Sends a stretch of a file, as far as the kernel takes it; 0 at the file's end.
pub fn send_file(fd: RawFd, file: RawFd, offset: i64, count: usize) -> io::Result<usize> {
    let mut offset = offset;
    // SAFETY: `offset` is writable and lives across the call.
    self::count(|| unsafe { libc::sendfile(fd, file, &raw mut offset, count) })
}

/// Takes the next connection of a listening socket, non-blocking and not inherited by children.
pub fn accept(fd: RawFd) -> io::Result<(OwnedFd, SockAddr)> {
    let accept = |storage: *mut libc::sockaddr, length: *mut libc::socklen_t| {
        // SAFETY: `try_init` lends storage that is large enough for every address and its length.
        let fd = unsafe {
            libc::accept4(
                fd,
                storage,
                length,
                libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC,
            )
        };
        check(fd)?;
        // SAFETY: a descriptor that `accept4` has just made has no other owner.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    };
    // SAFETY: on success the kernel has written an address and its length.
    unsafe { SockAddr::try_init(|storage, length| accept(storage.cast(), length)) }
}

/// Ends the sending half.
pub fn shutdown_write(fd: RawFd) -> io::Result<()> {
    // SAFETY: no pointers are passed.
    check(unsafe { libc::shutdown(fd, libc::SHUT_WR) })
}

/// Sends small writes at once; sockets that are not TCP refuse, which does not matter.
pub fn set_nodelay(fd: RawFd) {
    let _ = with(fd, |socket| socket.set_tcp_nodelay(true));
}

/// Looks at a descriptor by way of `socket2`.
fn with<T>(fd: RawFd, look: impl FnOnce(&SockRef<'_>) -> io::Result<T>) -> io::Result<T> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: not -1; the borrow ends with the call, during which the caller keeps the descriptor open.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    look(&SockRef::from(&fd))
}

/// The socket's own address.
pub fn local_address(fd: RawFd) -> io::Result<SockAddr> {
    with(fd, |socket| socket.local_addr())
}

/// The address of the other end.
pub fn peer_address(fd: RawFd) -> io::Result<SockAddr> {
    with(fd, |socket| socket.peer_addr())
}
