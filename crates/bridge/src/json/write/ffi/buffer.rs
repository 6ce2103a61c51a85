//! Where a document is written to: memory that only grows. Knows no JSON.
//!
//! A document begins in a scratch buffer that is kept, so that a short one costs no allocation beside its result.
//! Where it outgrows that, it moves into the object that it will be: a Python `bytes`, or a vector for the response.
//!
//! Invariants: `start <= at <= end`; `end` lies [`SLACK`] before the end of the memory of `backing`; what lies before `at`
//! was written.

use std::ffi::c_int;
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use api::exchange::Chunk;
use bytes::Bytes;
use pyo3::exceptions::PyMemoryError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Bytes that may be written behind every reservation without asking: commas, brackets, and whole vectors of which only a
/// part counts.
pub const SLACK: usize = 128;

/// Bytes of the scratch buffer.
const SCRATCH: usize = 64 * 1024;

/// Up to this length a finished document is copied out of the scratch buffer for the response.
const COPIED: usize = SCRATCH;

/// The longest document whose length the next one's memory is guessed by.
const LONGEST_GUESS: usize = 16 * 1024 * 1024;

/// The scratch buffer that no document is being written to: memory of [`SCRATCH`] bytes, or null. Taken and given back by
/// attached threads; those of a build with a GIL never meet here, which saves them the exchange's lock.
static SPARE: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());

/// Length of the last document that outgrew the scratch buffer. The next one is given that much at once: a size that comes
/// again is one that the allocator keeps at hand, while growing by doubling and shrinking at the end has it ask the kernel
/// for fresh pages each time (measured: more than a third of the time for a megabyte).
static LAST: AtomicUsize = AtomicUsize::new(0);

fn take_spare() -> *mut u8 {
    if cfg!(Py_GIL_DISABLED) {
        return SPARE.swap(ptr::null_mut(), Ordering::AcqRel);
    }
    let spare = SPARE.load(Ordering::Relaxed);
    SPARE.store(ptr::null_mut(), Ordering::Relaxed);
    spare
}

/// The interpreter has no memory left, or the document has more bytes than it can name.
#[derive(Debug)]
pub struct NoRoom;

impl From<NoRoom> for PyErr {
    fn from(_: NoRoom) -> Self {
        PyMemoryError::new_err("no memory for a JSON document")
    }
}

/// What becomes of a document that outgrows the scratch buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Into {
    /// A Python `bytes`.
    Python,
    /// A response's body.
    Response,
}

enum Backing {
    Vector(Vec<u8>),
    /// An owned `bytes` that nobody else has seen.
    Bytes(*mut ffi::PyObject),
}

/// A document in the making.
pub struct Buffer {
    start: *mut u8,
    at: *mut u8,
    end: *mut u8,
    /// Once `at` has passed this, the writer has something to do: see [`Buffer::is_past_mark`].
    mark: *mut u8,
    marked: usize,
    backing: Backing,
    into: Into,
}

/// A finished document.
pub enum Document {
    /// It lies in the scratch buffer.
    Short(Buffer),
    /// It outgrew that.
    Long(Bytes),
}

impl Document {
    /// It as a response's body: copied if short, else shared.
    pub fn chunk(&self) -> Chunk<'_> {
        match self {
            Self::Short(buffer) => Chunk::from(buffer.as_slice()),
            Self::Long(bytes) => Chunk::from(bytes),
        }
    }

    /// Its text.
    #[cfg(feature = "testing")]
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Self::Short(buffer) => buffer.as_slice(),
            Self::Long(bytes) => bytes,
        }
    }
}

unsafe extern "C" {
    /// Not among `pyo3_ffi`'s definitions; part of every `CPython` from 3.11 to 3.15.
    fn _PyBytes_Resize(bytes: *mut *mut ffi::PyObject, size: ffi::Py_ssize_t) -> c_int;
}

impl Buffer {
    /// An empty buffer.
    #[inline]
    pub fn new(into: Into) -> Self {
        let spare = take_spare();
        let vector = if spare.is_null() {
            Vec::with_capacity(SCRATCH)
        } else {
            // SAFETY: `keep` took it out of a vector of this capacity.
            unsafe { Vec::from_raw_parts(spare, 0, SCRATCH) }
        };
        let mut buffer = Self {
            start: ptr::null_mut(),
            at: ptr::null_mut(),
            end: ptr::null_mut(),
            mark: ptr::null_mut(),
            marked: usize::MAX,
            backing: Backing::Vector(vector),
            into,
        };
        buffer.settle(0);
        buffer
    }

    /// Bytes written so far.
    #[inline]
    pub fn len(&self) -> usize {
        // SAFETY: both point into the same memory, `start` first.
        unsafe { self.at.offset_from_unsigned(self.start) }
    }

    /// What was written so far.
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: what lies before `at` was written.
        unsafe { std::slice::from_raw_parts(self.start, self.len()) }
    }

    /// Forgets what was written behind `length`.
    pub fn truncate(&mut self, length: usize) {
        if length < self.len() {
            // SAFETY: `length` bytes were written.
            self.at = unsafe { self.start.add(length) };
        }
    }

    /// Makes room for `count` bytes and [`SLACK`] more.
    #[inline]
    pub fn reserve(&mut self, count: usize) -> Result<(), NoRoom> {
        if self.end as usize - self.at as usize >= count {
            return Ok(());
        }
        self.grow(count)
    }

    /// Where the next byte goes.
    #[inline]
    pub(super) fn at(&self) -> *mut u8 {
        self.at
    }

    /// What was written ends here now.
    ///
    /// # Safety
    /// `at` came from [`Buffer::at`] by writing forward within what was reserved.
    #[inline]
    pub(super) unsafe fn set_at(&mut self, at: *mut u8) {
        debug_assert!(at <= self.end.wrapping_add(SLACK));
        self.at = at;
    }

    /// Writes one byte into the slack of the last reservation.
    ///
    /// # Safety
    /// Fewer than [`SLACK`] bytes were pushed since the last call of [`Buffer::reserve`].
    #[inline]
    pub(super) unsafe fn push(&mut self, byte: u8) {
        // SAFETY: the caller says so.
        unsafe {
            *self.at = byte;
            self.at = self.at.add(1);
        }
    }

    /// Appends bytes as they are.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), NoRoom> {
        self.reserve(bytes.len())?;
        // SAFETY: there is room, and the document's memory is nobody else's.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), self.at, bytes.len());
            self.at = self.at.add(bytes.len());
        }
        Ok(())
    }

    /// Appends a few bytes that are known beforehand.
    #[inline]
    pub fn literal<const N: usize>(&mut self, bytes: [u8; N]) -> Result<(), NoRoom> {
        self.reserve(N)?;
        // SAFETY: there is room.
        unsafe {
            self.at.cast::<[u8; N]>().write_unaligned(bytes);
            self.at = self.at.add(N);
        }
        Ok(())
    }

    /// From `length` bytes on, [`Buffer::is_past_mark`] says yes.
    pub fn set_mark(&mut self, length: usize) {
        self.marked = length;
        self.mark = self.start.wrapping_add(length);
    }

    /// Whether the document has reached its mark.
    #[inline]
    pub fn is_past_mark(&self) -> bool {
        self.at >= self.mark
    }

    /// Sets the pointers for a memory that holds `length` bytes of the document.
    #[inline]
    fn settle(&mut self, length: usize) {
        let (start, capacity) = match &mut self.backing {
            Backing::Vector(vector) => (vector.as_mut_ptr(), vector.capacity()),
            // SAFETY: a `bytes` that only we know; its memory may be written to until it is shown to somebody.
            Backing::Bytes(bytes) => unsafe {
                let start = ffi::PyBytes_AS_STRING(*bytes).cast::<u8>().cast_mut();
                (start, ffi::Py_SIZE(*bytes).unsigned_abs())
            },
        };
        self.start = start;
        self.at = start.wrapping_add(length);
        self.end = start.wrapping_add(capacity - SLACK);
        self.mark = start.wrapping_add(self.marked.min(isize::MAX.unsigned_abs()));
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, count: usize) -> Result<(), NoRoom> {
        let length = self.len();
        let least = length.checked_add(count).ok_or(NoRoom)?;
        let capacity = least
            .max(length.saturating_mul(2))
            .max(self.guess())
            .checked_add(SLACK)
            .filter(|capacity| *capacity < isize::MAX.unsigned_abs() / 2)
            .ok_or(NoRoom)?;
        match (&mut self.backing, self.into) {
            (Backing::Vector(vector), Into::Response) => {
                // SAFETY: `length` bytes of the vector were written.
                unsafe { vector.set_len(length) };
                vector
                    .try_reserve_exact(capacity - length)
                    .map_err(|_| NoRoom)?;
            }
            (Backing::Vector(_), Into::Python) => self.move_into_bytes(capacity)?,
            (Backing::Bytes(bytes), _) => resize(bytes, capacity)?,
        }
        self.settle(length);
        Ok(())
    }

    /// What a document that leaves the scratch buffer may become.
    fn guess(&self) -> usize {
        match &self.backing {
            Backing::Vector(vector) if vector.capacity() == SCRATCH => {
                LAST.load(Ordering::Relaxed) / 16 * 17
            }
            _ => 0,
        }
    }

    fn move_into_bytes(&mut self, capacity: usize) -> Result<(), NoRoom> {
        let size = capacity.cast_signed();
        // SAFETY: attached; a null text means uninitialised bytes; the copy stays within both memories.
        let bytes = unsafe {
            let bytes = ffi::PyBytes_FromStringAndSize(ptr::null(), size);
            if bytes.is_null() {
                ffi::PyErr_Clear();
                return Err(NoRoom);
            }
            let target = ffi::PyBytes_AS_STRING(bytes).cast::<u8>().cast_mut();
            ptr::copy_nonoverlapping(self.start, target, self.len());
            bytes
        };
        let scratch = std::mem::replace(&mut self.backing, Backing::Bytes(bytes));
        keep(scratch);
        Ok(())
    }

    /// The document as a Python `bytes`.
    #[inline]
    pub fn take_bytes<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let length = self.len();
        // SAFETY: attached; `length` bytes were written; a resized object is ours alone, and its reference moves into the
        // `Bound`.
        unsafe {
            let object = match &mut self.backing {
                Backing::Vector(_) => {
                    ffi::PyBytes_FromStringAndSize(self.start.cast(), length.cast_signed())
                }
                Backing::Bytes(bytes) => {
                    LAST.store(length.min(LONGEST_GUESS), Ordering::Relaxed);
                    fit(bytes, length)?;
                    std::mem::replace(bytes, ptr::null_mut())
                }
            };
            Ok(Bound::from_owned_ptr_or_err(py, object)?.cast_into_unchecked())
        }
    }

    /// The document for a response: shared where it is long.
    pub fn finish(mut self) -> Document {
        let length = self.len();
        match &mut self.backing {
            Backing::Vector(vector) if length > COPIED => {
                LAST.store(length.min(LONGEST_GUESS), Ordering::Relaxed);
                // SAFETY: `length` bytes of the vector were written.
                unsafe { vector.set_len(length) };
                Document::Long(Bytes::from(std::mem::take(vector)))
            }
            _ => Document::Short(self),
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        keep(std::mem::replace(
            &mut self.backing,
            Backing::Vector(Vec::new()),
        ));
    }
}

/// Keeps a scratch buffer for the next document.
#[inline]
fn keep(backing: Backing) {
    match backing {
        Backing::Vector(vector) if vector.capacity() == SCRATCH => {
            let memory = ManuallyDrop::new(vector).as_mut_ptr();
            let other = take_spare();
            SPARE.store(memory, Ordering::Release);
            if !other.is_null() {
                // SAFETY: taken from the place that `Buffer::new` takes it from.
                drop(unsafe { Vec::from_raw_parts(other, 0, SCRATCH) });
            }
        }
        Backing::Vector(_) => {}
        // SAFETY: an owned reference, or null.
        Backing::Bytes(bytes) => unsafe { ffi::Py_XDECREF(bytes) },
    }
}

/// Ends an unshared `bytes` at `length`. Little waste stays where it is, see [`LAST`].
///
/// # Safety
/// `length` bytes of it were written, and it has at least one more.
unsafe fn fit(bytes: &mut *mut ffi::PyObject, length: usize) -> Result<(), NoRoom> {
    // SAFETY: the caller says so; nobody has seen the object, and its memory ends with a zero wherever its size says.
    unsafe {
        let capacity = ffi::Py_SIZE(*bytes).unsigned_abs();
        if capacity - length > capacity / 8 {
            return resize(bytes, length);
        }
        (*bytes.cast::<ffi::PyVarObject>()).ob_size = length.cast_signed();
        *ffi::PyBytes_AS_STRING(*bytes).cast_mut().add(length) = 0;
    }
    Ok(())
}

/// Gives an unshared `bytes` another size; afterwards `bytes` may point elsewhere, and is null on an error.
fn resize(bytes: &mut *mut ffi::PyObject, size: usize) -> Result<(), NoRoom> {
    // SAFETY: an owned reference that nobody else has; the interpreter replaces it.
    if unsafe { _PyBytes_Resize(bytes, size.cast_signed()) } != 0 {
        // SAFETY: attached; the error is said again by whoever gets `NoRoom`.
        unsafe { ffi::PyErr_Clear() };
        return Err(NoRoom);
    }
    Ok(())
}
