//! Clocks and small system calls. Knows nothing of the loop.

use std::os::fd::RawFd;

/// `CLOCK_MONOTONIC` in nanoseconds: the clock of `time.monotonic()`.
pub fn monotonic_ns() -> i64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is writable and lives across the call; this clock exists on every supported system.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// How many [`coarse_ticks`] are about 50 µs (30 µs on a fast machine).
pub const COARSE_SLICE: u64 = if cfg!(target_arch = "x86_64") {
    100_000
} else {
    50_000
};

/// A counter that is cheaper to read than the clock and good for nothing but "has a moment passed?".
#[inline]
pub fn coarse_ticks() -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 processor has the time-stamp counter.
    unsafe {
        core::arch::x86_64::_rdtsc()
    }
    #[cfg(not(target_arch = "x86_64"))]
    monotonic_ns().unsigned_abs()
}

/// Reads what is there into `buffer`; 0 at the end, on an error, or when nothing is there.
pub fn read_available(fd: RawFd, buffer: &mut [u8]) -> usize {
    // SAFETY: `buffer` is writable for its length.
    let count = unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) };
    usize::try_from(count).unwrap_or(0)
}

/// Writes `bytes` and does not care whether they fit: for wake-up descriptors.
pub fn write_some(fd: RawFd, bytes: &[u8]) {
    // SAFETY: `bytes` is readable for its length.
    unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
}

/// Puts an inert descriptor in the place of `fd`: its owner may still close the number, but reaches nobody with it.
pub fn neutralise(fd: RawFd) {
    // SAFETY: the path is a C string; `dup3` replaces `fd` atomically, so that the number always belongs to its owner.
    unsafe {
        let inert = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC);
        if inert >= 0 {
            libc::dup3(inert, fd, libc::O_CLOEXEC);
            libc::close(inert);
        }
    }
}
