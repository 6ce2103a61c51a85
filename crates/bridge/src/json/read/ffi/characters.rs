//! Strings of exact width from UTF-8, checked on the way. Knows no quotation marks and no escapes.
//!
//! One look at all bytes says how many characters there are and how wide the widest is; the second pass writes them where
//! they stay. Invariant of that pass: a character is written only behind a first byte, and there is room for as many
//! characters as there are first bytes.

use pyloop::gil;
use pyo3::ffi;
use pyo3::prelude::*;

use super::super::error::{Fault, Problem};
use super::objects::{Object, owned};
use super::run::LONGEST_RUN;

/// What the second pass has to know.
struct Shape {
    characters: usize,
    /// The largest byte: it tells the width of the widest character.
    largest: u8,
}

/// A string of bytes that are all below 128.
#[inline(always)]
pub fn ascii<'py>(py: Python<'py>, bytes: &[u8]) -> Result<Object<'py>, Fault> {
    // SAFETY: attached; the string has room for `bytes.len()` characters of one byte and is nobody else's yet. The
    // interpreter keeps one object for each single character.
    unsafe {
        if let [byte] = bytes {
            return owned(py, ffi::PyUnicode_FromOrdinal((*byte).into()));
        }
        let string = owned(py, ffi::PyUnicode_New(bytes.len().cast_signed(), 127))?;
        let place = string
            .as_ptr()
            .cast::<ffi::PyASCIIObject>()
            .add(1)
            .cast::<u8>();
        if bytes.len() > LONGEST_RUN {
            copy_in_parts(py, bytes, place);
        } else {
            place.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        }
        Ok(string)
    }
}

/// # Safety
/// `place` has room for all of `bytes`.
#[cold]
unsafe fn copy_in_parts(py: Python<'_>, bytes: &[u8], mut place: *mut u8) {
    for part in bytes.chunks(LONGEST_RUN) {
        // SAFETY: as the caller says.
        unsafe {
            place.copy_from_nonoverlapping(part.as_ptr(), part.len());
            place = place.add(part.len());
        }
        gil::offer(py);
    }
}

/// A string of UTF-8 that was not checked yet. A fault's offset is in `bytes`.
pub fn utf8<'py>(py: Python<'py>, bytes: &[u8]) -> Result<Object<'py>, Fault> {
    let shape = shape(py, bytes);
    match shape.largest {
        ..0x80 => ascii(py, bytes),
        0x80..0xc4 => string::<u8>(py, bytes, shape.characters, 0xff),
        0xc4..0xf0 => string::<u16>(py, bytes, shape.characters, 0xffff),
        _ => string::<u32>(py, bytes, shape.characters, 0x10_ffff),
    }
}

fn shape(py: Python<'_>, bytes: &[u8]) -> Shape {
    let mut shape = Shape {
        characters: 0,
        largest: 0,
    };
    for (index, part) in bytes.chunks(LONGEST_RUN).enumerate() {
        if index > 0 {
            gil::offer(py);
        }
        #[cfg(target_arch = "x86_64")]
        if part.len() >= 64 && is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has it.
            unsafe { count_256(part, &mut shape) };
            continue;
        }
        count(part, &mut shape);
    }
    shape
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn count_256(bytes: &[u8], shape: &mut Shape) {
    count(bytes, shape);
}

/// The compiler makes vectors of this: a block's counts fit into a byte.
#[inline(always)]
fn count(bytes: &[u8], shape: &mut Shape) {
    for block in bytes.chunks(128) {
        let (mut first, mut largest) = (0_u8, 0_u8);
        for byte in block {
            first += u8::from(byte.cast_signed() >= -64);
            largest = largest.max(*byte);
        }
        shape.characters += usize::from(first);
        shape.largest = shape.largest.max(largest);
    }
}

/// What a string's characters are kept in.
trait Unit: Copy {
    fn of(code: u32) -> Self;
}

impl Unit for u8 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the widest character was looked at"
    )]
    fn of(code: u32) -> Self {
        code as u8
    }
}

impl Unit for u16 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the widest character was looked at"
    )]
    fn of(code: u32) -> Self {
        code as u16
    }
}

impl Unit for u32 {
    fn of(code: u32) -> Self {
        code
    }
}

fn string<'py, U: Unit>(
    py: Python<'py>,
    bytes: &[u8],
    characters: usize,
    widest: u32,
) -> Result<Object<'py>, Fault> {
    // SAFETY: attached; the string has room for `characters` units and is nobody else's yet; if it is refused it is dropped
    // with part of them unwritten, which nobody reads.
    unsafe {
        let string = owned(py, ffi::PyUnicode_New(characters.cast_signed(), widest))?;
        let mut place = Place {
            next: ffi::PyUnicode_DATA(string.as_ptr()).cast::<U>(),
            room: characters,
        };
        let mut at = 0;
        while at < bytes.len() {
            if at > 0 {
                gil::offer(py);
            }
            let end = (at + LONGEST_RUN).min(bytes.len());
            at = decode(bytes, at, end, &mut place).map_err(|at| Fault::new(at, Problem::Utf8))?;
        }
        Ok(string)
    }
}

/// Where the next character goes.
struct Place<U> {
    next: *mut U,
    /// How many more fit.
    room: usize,
}

impl<U: Unit> Place<U> {
    /// # Safety
    /// There is room.
    #[inline(always)]
    unsafe fn put(&mut self, code: u32) {
        debug_assert!(self.room > 0);
        // SAFETY: the caller says so.
        unsafe {
            self.next.write(U::of(code));
            self.next = self.next.add(1);
        }
        self.room -= 1;
    }
}

/// Writes the characters from `at` on, at least up to `end`; gives the offset behind the last, or that of the first bad byte.
///
/// # Safety
/// There is room for as many characters as there are first bytes from `at` on.
#[inline]
unsafe fn decode<U: Unit>(
    bytes: &[u8],
    at: usize,
    end: usize,
    place: &mut Place<U>,
) -> Result<usize, usize> {
    #[cfg(target_arch = "x86_64")]
    if size_of::<U>() == 2 && is_x86_feature_detected!("ssse3") {
        // SAFETY: the processor has it; the rest as the caller says.
        return unsafe { x86::decode(bytes, at, end, place) };
    }
    // SAFETY: as the caller says.
    unsafe { decode_with(bytes, at, end, place, |_, _, _| 0) }
}

/// `triples` writes characters of three bytes each and gives the number of bytes it took.
///
/// # Safety
/// As for `decode`.
#[inline(always)]
unsafe fn decode_with<U: Unit>(
    bytes: &[u8],
    mut at: usize,
    end: usize,
    place: &mut Place<U>,
    triples: impl Fn(&[u8], usize, &mut Place<U>) -> usize,
) -> Result<usize, usize> {
    while at < end {
        // SAFETY: each byte below 128 is a first byte; so is the one that `character` begins with.
        unsafe {
            let first = bytes[at];
            if first < 0x80 {
                while let Some(eight) = bytes
                    .get(at..at + 8)
                    .and_then(|bytes| <[u8; 8]>::try_from(bytes).ok())
                {
                    if u64::from_le_bytes(eight) & 0x8080_8080_8080_8080 != 0 {
                        break;
                    }
                    for byte in eight {
                        place.put(byte.into());
                    }
                    at += 8;
                }
                while let Some(byte) = bytes.get(at).filter(|byte| **byte < 0x80) {
                    place.put((*byte).into());
                    at += 1;
                }
                continue;
            }
            if first & 0xf0 == 0xe0 {
                let taken = triples(bytes, at, place);
                if taken > 0 {
                    at += taken;
                    continue;
                }
            }
            let (code, length) = character(bytes, at).ok_or(at)?;
            place.put(code);
            at += length;
        }
    }
    Ok(at)
}

/// The character at a byte above 127, and its length in bytes; `None` if there is none (The Unicode Standard, table 3-7).
#[inline(always)]
fn character(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    let rest = |index: usize| {
        let byte = *bytes.get(at + index)?;
        (byte & 0xc0 == 0x80).then_some(u32::from(byte & 0x3f))
    };
    let first = u32::from(bytes[at]);
    match first {
        0xc2..=0xdf => Some(((first & 0x1f) << 6 | rest(1)?, 2)),
        0xe0..=0xef => {
            let code = (first & 0xf) << 12 | rest(1)? << 6 | rest(2)?;
            (code >= 0x800 && !(0xd800..0xe000).contains(&code)).then_some((code, 3))
        }
        0xf0..=0xf4 => {
            let code = (first & 7) << 18 | rest(1)? << 12 | rest(2)? << 6 | rest(3)?;
            (0x1_0000..0x11_0000).contains(&code).then_some((code, 4))
        }
        _ => None,
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(
    clippy::cast_ptr_alignment,
    reason = "the loads and stores are those that need none"
)]
mod x86 {
    use std::arch::x86_64::{
        __m128i, _mm_and_si128, _mm_cmpeq_epi8, _mm_cmpeq_epi16, _mm_loadu_si128,
        _mm_maddubs_epi16, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8, _mm_set1_epi16,
        _mm_setr_epi8, _mm_setzero_si128, _mm_shuffle_epi8, _mm_slli_epi16, _mm_storeu_si128,
    };

    use super::{Place, Unit, decode_with};

    /// Characters of three bytes in one vector.
    const TRIPLES: usize = 5;

    /// # Safety
    /// As for `decode`; units have two bytes.
    #[target_feature(enable = "ssse3")]
    pub unsafe fn decode<U: Unit>(
        bytes: &[u8],
        at: usize,
        end: usize,
        place: &mut Place<U>,
    ) -> Result<usize, usize> {
        // SAFETY: as the caller says; `triples` runs where the processor is known to have SSSE3.
        unsafe {
            decode_with(bytes, at, end, place, |bytes, at, place| {
                triples(bytes, at, place)
            })
        }
    }

    /// Writes characters of three bytes while there are five of them in a row; gives the number of bytes.
    ///
    /// # Safety
    /// As for `decode`; the processor has SSSE3.
    #[inline(always)]
    unsafe fn triples<U: Unit>(bytes: &[u8], start: usize, place: &mut Place<U>) -> usize {
        let mut at = start;
        // 16 bytes are read, and eight units written, of which five count.
        while at + 16 <= bytes.len() && place.room >= 8 {
            // SAFETY: as just compared.
            unsafe {
                let found = _mm_loadu_si128(bytes.as_ptr().add(at).cast::<__m128i>());
                let Some(units) = five(found) else { break };
                _mm_storeu_si128(place.next.cast::<__m128i>(), units);
                place.next = place.next.add(TRIPLES);
            }
            place.room -= TRIPLES;
            at += 3 * TRIPLES;
        }
        at - start
    }

    /// The characters in 15 bytes, if they are five valid ones of three bytes each.
    ///
    /// # Safety
    /// The processor has SSSE3.
    #[inline(always)]
    unsafe fn five(bytes: __m128i) -> Option<__m128i> {
        // SAFETY: as the caller says.
        unsafe {
            let marks = _mm_setr_epi8(
                -16, -64, -64, -16, -64, -64, -16, -64, -64, -16, -64, -64, -16, -64, -64, 0,
            );
            let wanted = _mm_setr_epi8(
                -32, -128, -128, -32, -128, -128, -32, -128, -128, -32, -128, -128, -32, -128,
                -128, 0,
            );
            if _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_and_si128(bytes, marks), wanted)) != 0xffff {
                return None;
            }
            let last_two = _mm_setr_epi8(2, 1, 5, 4, 8, 7, 11, 10, 14, 13, -1, -1, -1, -1, -1, -1);
            let first = _mm_setr_epi8(-1, 0, -1, 3, -1, 6, -1, 9, -1, 12, -1, -1, -1, -1, -1, -1);
            let lower = _mm_maddubs_epi16(
                _mm_and_si128(_mm_shuffle_epi8(bytes, last_two), _mm_set1_epi8(0x3f)),
                _mm_set1_epi16(0x4001),
            );
            let upper = _mm_slli_epi16::<4>(_mm_shuffle_epi8(bytes, first));
            let units = _mm_or_si128(lower, upper);
            // Below U+0800 is too long a form, from U+D800 to U+DFFF a surrogate.
            let head = _mm_and_si128(units, _mm_set1_epi16(0xf800_u16.cast_signed()));
            let bad = _mm_or_si128(
                _mm_cmpeq_epi16(head, _mm_setzero_si128()),
                _mm_cmpeq_epi16(head, _mm_set1_epi16(0xd800_u16.cast_signed())),
            );
            if _mm_movemask_epi8(bad) & 0x3ff != 0 {
                return None;
            }
            Some(units)
        }
    }
}
