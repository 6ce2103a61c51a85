//! A counting semaphore between threads. Knows nothing of what is counted.
//!
//! No lock is ever held: a process that forks while others wait or post has a sound one.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;

/// How many may pass.
pub struct Semaphore(Box<UnsafeCell<MaybeUninit<libc::sem_t>>>);

// SAFETY: sem_post() and sem_wait() are made for several threads at once.
unsafe impl Send for Semaphore {}
// SAFETY: as above.
unsafe impl Sync for Semaphore {}

impl Default for Semaphore {
    fn default() -> Self {
        let semaphore = Self(Box::new(UnsafeCell::new(MaybeUninit::uninit())));
        // SAFETY: the memory is ours and stays where it is; 0 is a valid count, so this cannot fail.
        unsafe { libc::sem_init(semaphore.raw(), 0, 0) };
        semaphore
    }
}

impl Semaphore {
    fn raw(&self) -> *mut libc::sem_t {
        self.0.get().cast()
    }

    /// Lets one more pass.
    pub fn post(&self) {
        // SAFETY: initialised by `default`. It fails only above two thousand million.
        unsafe { libc::sem_post(self.raw()) };
    }

    /// Passes if that is possible at once.
    pub fn try_wait(&self) -> bool {
        loop {
            // SAFETY: initialised by `default`.
            if unsafe { libc::sem_trywait(self.raw()) } == 0 {
                return true;
            }
            if !was_interrupted() {
                return false;
            }
        }
    }

    /// Waits until it may pass; signals do not end that.
    pub fn wait(&self) {
        // SAFETY: initialised by `default`. Nothing but a signal makes it fail.
        while unsafe { libc::sem_wait(self.raw()) } != 0 && was_interrupted() {}
    }
}

fn was_interrupted() -> bool {
    std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted
}

impl Drop for Semaphore {
    fn drop(&mut self) {
        // SAFETY: initialised by `default`; nobody waits, since whoever waits borrows it.
        unsafe { libc::sem_destroy(self.raw()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_pass_as_were_let() {
        let semaphore = Semaphore::default();
        assert!(!semaphore.try_wait());
        semaphore.post();
        semaphore.post();
        semaphore.wait();
        assert!(semaphore.try_wait());
        assert!(!semaphore.try_wait());
    }

    #[test]
    fn a_post_wakes_who_waits() {
        let semaphore = Semaphore::default();
        std::thread::scope(|scope| {
            scope.spawn(|| semaphore.wait());
            semaphore.post();
        });
    }
}
