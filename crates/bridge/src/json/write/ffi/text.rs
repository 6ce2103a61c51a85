//! The UTF-8 of a Python string, without a copy. Knows no JSON.

use std::ptr;
use std::sync::LazyLock;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// The bits of a string's state that say: compact and ASCII. The same since `CPython` 3.11 on builds with a GIL.
const COMPACT_ASCII: u32 = 0b110_0000;

/// Bits of which a string's state has all if its text lies behind its head as ASCII. Looked at on a real string first: an
/// interpreter that orders them in another way is asked by function calls alone.
pub fn ascii_bits(py: Python<'_>) -> u32 {
    static BITS: LazyLock<(u32, u32)> = LazyLock::new(|| {
        let state = |text: &str| {
            Python::attach(|py| {
                let text = PyString::new(py, text);
                // SAFETY: a string begins with this head in every version.
                unsafe { (*text.as_ptr().cast::<ffi::PyASCIIObject>()).state }
            })
        };
        (state("an ASCII text"), state("a text that is n\u{f6}t"))
    });
    let _ = py;
    let (ascii, other) = *BITS;
    if ascii & COMPACT_ASCII == COMPACT_ASCII && other & COMPACT_ASCII != COMPACT_ASCII {
        COMPACT_ASCII
    } else {
        u32::MAX
    }
}

/// Start and length of the text of a compact ASCII string; `None` for any other.
///
/// # Safety
/// `object` is a `str` or of a subclass, and lives as long as the text is used; `bits` come from [`ascii_bits`].
#[inline]
pub unsafe fn ascii(object: *mut ffi::PyObject, bits: u32) -> Option<(*const u8, usize)> {
    // SAFETY: the caller says so; the text of such a string lies behind its head.
    unsafe {
        let head = object.cast::<ffi::PyASCIIObject>();
        ((*head).state & bits == bits).then(|| {
            (
                head.add(1).cast_const().cast(),
                (*head).length.unsigned_abs(),
            )
        })
    }
}

/// Start and length of the text of any string as UTF-8, which the string keeps. `None`: a Python error is set, because it
/// holds a surrogate or there is no memory.
///
/// # Safety
/// As for [`ascii`].
#[inline(never)]
pub unsafe fn utf8(object: *mut ffi::PyObject) -> Option<(*const u8, usize)> {
    let mut length = 0;
    // SAFETY: attached, and the caller has a string.
    let start = unsafe { ffi::PyUnicode_AsUTF8AndSize(object, ptr::from_mut(&mut length)) };
    (!start.is_null()).then(|| (start.cast(), length.unsigned_abs()))
}
