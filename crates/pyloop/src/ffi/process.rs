//! System calls on child processes. Knows nothing of the loop.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// A descriptor of a process, readable once it has ended.
pub struct PidFd(OwnedFd);

impl PidFd {
    /// Of a child, which nobody has waited for yet: otherwise the number may mean another process.
    pub fn open(pid: i32) -> io::Result<Self> {
        // SAFETY: no pointers are passed.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        match RawFd::try_from(fd) {
            // SAFETY: a descriptor that was just made has no other owner.
            Ok(fd) if fd >= 0 => Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) })),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

impl AsRawFd for PidFd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Takes the exit status of a child, in `subprocess`'s convention: the exit code, or the negative number of the signal.
/// `None`: it runs still.
pub fn wait(pid: i32) -> io::Result<Option<i32>> {
    let mut status = 0;
    // SAFETY: `status` is writable.
    match unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) } {
        0 => Ok(None),
        found if found < 0 => Err(io::Error::last_os_error()),
        _ if libc::WIFSIGNALED(status) => Ok(Some(-libc::WTERMSIG(status))),
        _ => Ok(Some(libc::WEXITSTATUS(status))),
    }
}
