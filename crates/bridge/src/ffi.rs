//! The bridge's only unsafe code: values that belong to one thread inside Python objects that all threads see.
//!
//! Invariant: what is inside a [`ThreadBound`] is reached and dropped on the thread that made it, never elsewhere.
#![allow(unsafe_code)]

mod call;
mod capsule;

pub use call::{Context, call};
pub use capsule::handler;

use std::cell::Cell;
use std::collections::HashMap;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use api::exchange::Chunk;
use bytes::Bytes;
use pyloop::gil::Kept;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// A descriptor of our own for what `descriptor` stands for.
pub fn duplicate(descriptor: RawFd) -> io::Result<OwnedFd> {
    if descriptor < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: it is borrowed for this one call; where it is not open, the system says so.
    unsafe { BorrowedFd::borrow_raw(descriptor) }.try_clone_to_owned()
}

/// A number that no other thread of this process has or will have.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct ThreadKey(u64);

impl ThreadKey {
    fn current() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        thread_local! { static KEY: Cell<u64> = const { Cell::new(0) }; }
        KEY.with(|key| {
            if key.get() == 0 {
                key.set(NEXT.fetch_add(1, Ordering::Relaxed));
            }
            Self(key.get())
        })
    }
}

/// A value of one thread (`Rc` inside) that a Python object may hold, although Python objects are seen and freed by all threads.
///
/// Freed on a foreign thread, the value waits in a list for its own thread, which empties it in [`drop_strays`].
pub struct ThreadBound<T: 'static> {
    owner: ThreadKey,
    value: ManuallyDrop<T>,
}

// SAFETY: `value` is reached only through `get`, which compares the thread, and dropped only on `owner` (see `Drop`).
unsafe impl<T> Send for ThreadBound<T> {}
// SAFETY: as above; `&ThreadBound` gives `&T` on the owner's thread alone.
unsafe impl<T> Sync for ThreadBound<T> {}

impl<T: 'static> ThreadBound<T> {
    /// Binds `value` to the thread that calls.
    pub fn new(value: T) -> Self {
        Self {
            owner: ThreadKey::current(),
            value: ManuallyDrop::new(value),
        }
    }

    /// The value, on its own thread; `None` on any other.
    pub fn get(&self) -> Option<&T> {
        (self.owner == ThreadKey::current()).then_some(&*self.value)
    }
}

impl<T: 'static> Drop for ThreadBound<T> {
    fn drop(&mut self) {
        // SAFETY: `value` is taken once, here, and `self` is gone afterwards.
        let value = unsafe { ManuallyDrop::take(&mut self.value) };
        if self.owner == ThreadKey::current() {
            drop(value);
        } else {
            strays()
                .entry(self.owner)
                .or_default()
                .push(Stray::new(value));
            STRAYS.fetch_add(1, Ordering::Release);
        }
    }
}

trait Anything {}
impl<T> Anything for T {}

/// A value on its way home: nothing but its own thread drops it.
struct Stray {
    _value: Box<dyn Anything>,
}

// SAFETY: a `Stray` is moved through the list and dropped by `drop_strays` on the owner's thread; nobody looks inside.
unsafe impl Send for Stray {}

impl Stray {
    fn new<T: 'static>(value: T) -> Self {
        Self {
            _value: Box::new(value),
        }
    }
}

static STRAYS: AtomicUsize = AtomicUsize::new(0);

fn strays() -> MutexGuard<'static, HashMap<ThreadKey, Vec<Stray>>> {
    static LIST: LazyLock<Mutex<HashMap<ThreadKey, Vec<Stray>>>> = LazyLock::new(Mutex::default);
    LIST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Drops the values of this thread that foreign threads freed. Called once per turn; one atomic load when there are none.
pub fn drop_strays() {
    if STRAYS.load(Ordering::Acquire) == 0 {
        return;
    }
    let mine = strays().remove(&ThreadKey::current()).unwrap_or_default();
    STRAYS.fetch_sub(mine.len(), Ordering::AcqRel);
    drop(mine);
}

/// The memory of a Python `bytes` as the owner behind a `Bytes`.
struct PythonMemory {
    start: NonNull<u8>,
    length: usize,
    _kept: Kept<PyBytes>,
}

// SAFETY: a `bytes` object never changes, `_kept` keeps it alive, and `Kept` may be dropped on any thread, attached or not.
unsafe impl Send for PythonMemory {}

impl AsRef<[u8]> for PythonMemory {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: `start` and `length` were taken from the `bytes` object that `_kept` keeps alive and that nobody can change.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

/// From this length on, bytes are sent from Python's memory; below, a copy is cheaper than a reference.
pub const SHARED_FROM: usize = 16 * 1024;

/// A part of a response: borrowed, to be copied, where it is short, else shared.
pub fn chunk<'a>(bytes: &'a Bound<'_, PyBytes>) -> Chunk<'a> {
    let slice = bytes.as_bytes();
    if slice.len() < SHARED_FROM {
        Chunk::Borrowed(slice)
    } else {
        Chunk::Owned(share_bytes(bytes))
    }
}

/// A part of a response that outlives the call: copied where it is short, else shared.
pub fn owned_chunk(bytes: &Bound<'_, PyBytes>) -> Bytes {
    match chunk(bytes) {
        Chunk::Borrowed(slice) => Bytes::copy_from_slice(slice),
        Chunk::Owned(shared) => shared,
    }
}

/// A Python `bytes` as `Bytes`, without a copy. The object lives until the last clone is gone.
fn share_bytes(bytes: &Bound<'_, PyBytes>) -> Bytes {
    let slice = bytes.as_bytes();
    let memory = PythonMemory {
        start: NonNull::from(slice).cast(),
        length: slice.len(),
        _kept: Kept::new(bytes.clone().unbind()),
    };
    Bytes::from_owner(memory)
}
