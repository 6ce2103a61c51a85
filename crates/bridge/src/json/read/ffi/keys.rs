//! Keys that were seen before, and which of them followed which. Knows nothing of the grammar around.
//!
//! Most documents repeat few keys in the same order: the next one is guessed from what stood there last time, and compared
//! with the text, closing quotation mark included, before anything is scanned or hashed.
//!
//! Invariant: the table is touched only while attached (the module asks for the GIL), between two calls into the
//! interpreter, never across one: no reference into it is held when other code can run.

use std::cell::UnsafeCell;
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;

use super::super::error::Fault;
use super::objects::Object;

/// The longest key in bytes that is kept.
pub const LONGEST: usize = 31;
const SIZE: u16 = 1024;
const PLACES: u16 = 4096;

/// A key of the table, or what stands for one.
#[derive(Clone, Copy)]
pub struct Known(u16);

/// What the outermost object stands under.
pub const ROOT: Known = Known(SIZE);
/// What the first key of an object follows.
pub const NOTHING: Known = Known(SIZE + 1);
/// A key that is not in the table.
pub const UNKNOWN: Known = Known(SIZE + 2);

/// A place in a document's shape: in an object that stands under one key, behind another.
#[derive(Clone, Copy)]
pub struct Place(u16);

impl Place {
    /// The place behind `previous` in an object under `parent`. Few share a number, and a wrong guess costs one comparison.
    #[inline(always)]
    pub fn behind(previous: Known, parent: Known) -> Self {
        Self(parent.0.wrapping_mul(1237).wrapping_add(previous.0) % PLACES)
    }
}

/// The bytes of a key and the quotation mark behind it, then zeros.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Words {
    low: u128,
    high: u128,
}

#[derive(Clone, Copy)]
struct Entry {
    /// Owned; null in an entry that was never used.
    key: *mut ffi::PyObject,
    /// With the quotation mark.
    length: usize,
    words: Words,
}

struct Table {
    entries: [Entry; SIZE as usize],
    /// The entry of the key that came last at each place.
    latest: [u16; PLACES as usize],
}

struct Shared(UnsafeCell<Table>);

// SAFETY: see the invariant: the GIL orders all access.
unsafe impl Sync for Shared {}

static TABLE: Shared = Shared(UnsafeCell::new(Table {
    entries: [Entry {
        key: ptr::null_mut(),
        length: 0,
        words: Words { low: 0, high: 0 },
    }; SIZE as usize],
    latest: [0; PLACES as usize],
}));

/// The lowest bytes of a word, by their number.
static MASKS: [u128; 17] = {
    let mut masks = [u128::MAX; 17];
    let mut count = 0;
    while count < 16 {
        masks[count] = (1 << (8 * count)) - 1;
        count += 1;
    }
    masks
};

/// The key that was guessed, if it stands at `start` (behind the opening quotation mark), and its length with the closing one.
#[inline(always)]
pub fn guessed<'py>(
    py: Python<'py>,
    place: Place,
    text: &[u8],
    start: usize,
) -> Option<(usize, Object<'py>, Known)> {
    // SAFETY: attached; nothing runs while `table` lives.
    let table = unsafe { &*TABLE.0.get() };
    let index = table.latest[usize::from(place.0)];
    let entry = &table.entries[usize::from(index % SIZE)];
    let low = word(text, start)?;
    let length = entry.length;
    if (low ^ entry.words.low) & MASKS[length.min(16)] != 0 {
        return None;
    }
    if length > 16
        && (word(text, start + 16)? ^ entry.words.high) & MASKS[(length - 16).min(16)] != 0
    {
        return None;
    }
    if entry.key.is_null() {
        return None;
    }
    // SAFETY: attached; the table owns a reference to the key.
    let key = unsafe { Bound::from_borrowed_ptr(py, entry.key) };
    Some((length, key, Known(index)))
}

/// The key of these bytes, from the table or made and put there; it is guessed `at` this place next time.
#[inline]
pub fn found<'py>(
    py: Python<'py>,
    at: Place,
    bytes: &[u8],
    make: impl FnOnce(Python<'py>) -> Result<Object<'py>, Fault>,
) -> Result<(Object<'py>, Known), Fault> {
    let words = Words::of(bytes);
    let index = words.place();
    let place = usize::from(index);
    // SAFETY: attached; a copy of the entry.
    let entry = unsafe { (*TABLE.0.get()).entries[place] };
    let key = if !entry.key.is_null() && entry.words == words {
        // SAFETY: attached; the table owns a reference to the key.
        unsafe { Bound::from_borrowed_ptr(py, entry.key) }
    } else {
        let key = make(py)?;
        // SAFETY: attached; the hash of a string is kept in it, for every dictionary to come.
        if unsafe { ffi::PyObject_Hash(key.as_ptr()) } == -1 {
            return Err(Fault::python(py));
        }
        let entry = Entry {
            key: key.clone().into_ptr(),
            length: bytes.len() + 1,
            words,
        };
        // SAFETY: attached; the entry is replaced first, then the old key is released, which runs nothing: it is a string.
        unsafe {
            let old = ptr::replace(&raw mut (*TABLE.0.get()).entries[place], entry);
            ffi::Py_XDECREF(old.key);
        }
        key
    };
    // SAFETY: attached; a store of a number.
    unsafe { (*TABLE.0.get()).latest[usize::from(at.0)] = index };
    Ok((key, Known(index)))
}

impl Words {
    fn of(bytes: &[u8]) -> Self {
        let mut padded = [0; LONGEST + 1];
        padded[..bytes.len()].copy_from_slice(bytes);
        padded[bytes.len()] = b'"';
        Self {
            low: word(&padded, 0).unwrap_or(0),
            high: word(&padded, 16).unwrap_or(0),
        }
    }

    /// Where in the table the key belongs: two multiplications that mix all of its bits.
    #[expect(clippy::cast_possible_truncation, reason = "bits are picked")]
    fn place(self) -> u16 {
        const ODD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
        let mixed = (self.low ^ self.high.rotate_left(67)).wrapping_mul(ODD);
        let mixed = (mixed >> 64) as u64 ^ mixed as u64;
        ((mixed.wrapping_mul(ODD as u64) >> 48) as u16) % SIZE
    }
}

#[inline(always)]
fn word(bytes: &[u8], at: usize) -> Option<u128> {
    let bytes = bytes.get(at..at + 16)?;
    Some(u128::from_le_bytes(bytes.try_into().ok()?))
}
