//! Linux's epoll, eventfd and timerfd. Knows nothing of sources or of the loop.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

pub use libc::epoll_event;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// An epoll instance.
pub struct Epoll(OwnedFd);

/// What to change in an epoll set.
#[derive(Clone, Copy)]
pub enum Change {
    /// `EPOLL_CTL_ADD`
    Add,
    /// `EPOLL_CTL_MOD`
    Modify,
    /// `EPOLL_CTL_DEL`
    Delete,
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

fn owned(result: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: a non-negative result of a call that creates a descriptor is a descriptor nobody else owns.
    check(result).map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
}

impl Epoll {
    /// A new, empty set.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers are passed.
        owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) }).map(Self)
    }

    /// A second descriptor of the same set.
    pub fn duplicate(&self) -> io::Result<OwnedFd> {
        self.0.try_clone()
    }

    /// Adds, changes or removes the registration of `fd`.
    pub fn control(&self, change: Change, fd: RawFd, events: u32, data: u64) -> io::Result<()> {
        let operation = match change {
            Change::Add => libc::EPOLL_CTL_ADD,
            Change::Modify => libc::EPOLL_CTL_MOD,
            Change::Delete => libc::EPOLL_CTL_DEL,
        };
        let mut event = epoll_event { events, u64: data };
        // SAFETY: `event` lives across the call; a bad `fd` is answered with an error.
        check(unsafe { libc::epoll_ctl(self.0.as_raw_fd(), operation, fd, &raw mut event) })
            .map(drop)
    }
}

impl AsRawFd for Epoll {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Nests an epoll set in the one of the current Tokio runtime.
pub fn nest(set: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open and one and the same descriptor for as long as it lives.
    unsafe { AsyncFd::register_with_interest(set, Interest::READABLE) }.map_err(io::Error::from)
}

static WITHOUT_PWAIT2: AtomicBool = AtomicBool::new(false);

/// Waits on the epoll instance `epoll` and fills `events`; `None` waits without limit, the limit is in nanoseconds.
///
/// Takes a bare descriptor, because it is called detached, where the loop's own data is out of reach.
pub fn wait(
    epoll: RawFd,
    events: &mut [epoll_event],
    timeout_ns: Option<i64>,
) -> io::Result<usize> {
    let capacity = libc::c_int::try_from(events.len()).unwrap_or(libc::c_int::MAX);
    if !matches!(timeout_ns, None | Some(0)) && !WITHOUT_PWAIT2.load(Ordering::Relaxed) {
        match wait_precisely(epoll, events, capacity, timeout_ns.unwrap_or(0)) {
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => {
                WITHOUT_PWAIT2.store(true, Ordering::Relaxed);
            }
            result => return result,
        }
    }
    let milliseconds = timeout_ns.map_or(-1, |ns| {
        libc::c_int::try_from(ns.saturating_add(999_999) / 1_000_000).unwrap_or(libc::c_int::MAX)
    });
    // SAFETY: `events` has room for `capacity` entries and lives across the call.
    let count =
        check(unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), capacity, milliseconds) })?;
    Ok(usize::try_from(count).unwrap_or(0))
}

fn wait_precisely(
    epoll: RawFd,
    events: &mut [epoll_event],
    capacity: libc::c_int,
    ns: i64,
) -> io::Result<usize> {
    let limit = libc::timespec {
        tv_sec: ns / 1_000_000_000,
        tv_nsec: ns % 1_000_000_000,
    };
    let no_mask = std::ptr::null::<libc::sigset_t>();
    // SAFETY: `events` has room for `capacity` entries; `limit` lives across the call; a null mask leaves signals alone.
    let count = unsafe {
        libc::syscall(
            libc::SYS_epoll_pwait2,
            epoll,
            events.as_mut_ptr(),
            capacity,
            &raw const limit,
            no_mask,
            0_usize,
        )
    };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// A counter that another thread can raise to make an epoll set readable.
pub struct EventFd(OwnedFd);

impl EventFd {
    /// A new eventfd, non-blocking.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers are passed.
        owned(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) }).map(Self)
    }

    /// Raises the counter. It is registered edge-triggered and never read: it cannot run full in a machine's life.
    pub fn raise(&self) {
        let one = 1_u64;
        // SAFETY: eight bytes of `one` are read. A failure (a full counter) means that it is readable already.
        unsafe { libc::write(self.0.as_raw_fd(), (&raw const one).cast(), 8) };
    }
}

impl AsRawFd for EventFd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// A timer that makes an epoll set readable, with the precision of the kernel's clock.
pub struct TimerFd(OwnedFd);

impl TimerFd {
    /// A new, disarmed timer on `CLOCK_MONOTONIC`.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers are passed.
        owned(unsafe {
            libc::timerfd_create(
                libc::CLOCK_MONOTONIC,
                libc::TFD_CLOEXEC | libc::TFD_NONBLOCK,
            )
        })
        .map(Self)
    }

    /// Fires once at `when_ns` of the monotonic clock; `None` disarms.
    pub fn set(&self, when_ns: Option<i64>) -> io::Result<()> {
        let when_ns = when_ns.map_or(0, |ns| ns.max(1));
        let zero = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let value = libc::timespec {
            tv_sec: when_ns / 1_000_000_000,
            tv_nsec: when_ns % 1_000_000_000,
        };
        let setting = libc::itimerspec {
            it_interval: zero,
            it_value: value,
        };
        // SAFETY: `setting` lives across the call; no old value is asked for.
        check(unsafe {
            libc::timerfd_settime(
                self.0.as_raw_fd(),
                libc::TFD_TIMER_ABSTIME,
                &raw const setting,
                std::ptr::null_mut(),
            )
        })
        .map(drop)
    }
}

impl AsRawFd for TimerFd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
