//! Numbers: Python's integers read from their digits, and both kinds written. Knows no options.

use pyo3::ffi;
#[cfg(not(Py_3_12))]
use pyo3::ffi::PyVarObject;

/// Bytes that a number of 64 bits, an integer or a float, may write, of which not all count.
pub const ROOM: usize = 40;

/// An integer of up to 64 bits.
pub enum Integer {
    Positive(u64),
    /// Without its sign.
    Negative(u64),
}

impl Integer {
    /// Whether a JavaScript number holds it exactly.
    #[inline]
    pub fn is_53_bits(&self) -> bool {
        let (Self::Positive(value) | Self::Negative(value)) = *self;
        value < 1 << 53
    }
}

const DIGIT_BITS: u32 = 30;

/// The layout of `int`, which is the same in a minor version's every release: a count of digits with a sign, then the
/// digits of 30 bits, the lowest first.
#[repr(C)]
struct Long {
    #[cfg(Py_3_12)]
    base: ffi::PyObject,
    /// Sign in the two lowest bits (0 positive, 1 zero, 2 negative), number of digits above the third.
    #[cfg(Py_3_12)]
    tag: usize,
    /// `ob_size` is the number of digits, negative for a negative number.
    #[cfg(not(Py_3_12))]
    base: PyVarObject,
    digits: [u32; 3],
}

/// The value of an `int`; `None` where it has more than 64 bits.
///
/// # Safety
/// `object` is an `int` or of a subclass, and lives.
#[inline]
pub unsafe fn integer(object: *mut ffi::PyObject) -> Option<Integer> {
    let long = object.cast::<Long>();
    // SAFETY: the caller says so; only as many digits are read as there are. The smallest `int` has memory for one digit.
    unsafe {
        let (count, negative) = shape(long);
        let digits = (&raw const (*long).digits).cast::<u32>();
        let value = match count {
            0 => 0,
            1 => u64::from(*digits),
            2 => u64::from(*digits) | u64::from(*digits.add(1)) << DIGIT_BITS,
            3 if *digits.add(2) < 16 => {
                u64::from(*digits)
                    | u64::from(*digits.add(1)) << DIGIT_BITS
                    | u64::from(*digits.add(2)) << (2 * DIGIT_BITS)
            }
            _ => return None,
        };
        Some(if negative {
            Integer::Negative(value)
        } else {
            Integer::Positive(value)
        })
    }
}

/// Number of digits, and whether the number is negative.
#[cfg(Py_3_12)]
#[inline]
unsafe fn shape(long: *const Long) -> (usize, bool) {
    // SAFETY: the caller has an `int`.
    let tag = unsafe { (*long).tag };
    (tag >> 3, tag & 2 != 0)
}

/// Number of digits, and whether the number is negative.
#[cfg(not(Py_3_12))]
#[inline]
unsafe fn shape(long: *const Long) -> (usize, bool) {
    // SAFETY: the caller has an `int`.
    let size = unsafe { (*long).base.ob_size };
    (size.unsigned_abs(), size < 0)
}

/// Writes an integer; gives its end.
///
/// # Safety
/// [`ROOM`] bytes can be written at `target`.
#[inline]
pub unsafe fn write_integer(target: *mut u8, integer: &Integer) -> *mut u8 {
    // SAFETY: a sign and at most twenty digits.
    unsafe {
        match *integer {
            Integer::Positive(value) => write_digits(target, value),
            Integer::Negative(value) => {
                *target = b'-';
                write_digits(target.add(1), value)
            }
        }
    }
}

const EIGHT: u64 = 100_000_000;

/// The numbers below a hundred, two digits each.
static PAIRS: [[u8; 2]; 100] = pairs();

const fn pairs() -> [[u8; 2]; 100] {
    let mut table = [[0; 2]; 100];
    let mut value = 0_u8;
    while value < 100 {
        table[value as usize] = [b'0' + value / 10, b'0' + value % 10];
        value += 1;
    }
    table
}

/// Writes a number in decimal; gives its end.
///
/// # Safety
/// 24 bytes can be written at `target`.
#[inline]
pub unsafe fn write_digits(target: *mut u8, value: u64) -> *mut u8 {
    // SAFETY: eight bytes are stored for the leading digits and for each further eight digits, at most three times.
    unsafe {
        if value < 10_000 {
            return write_four(target, value);
        }
        if value < EIGHT {
            return write_leading(target, value);
        }
        let high = value / EIGHT;
        let target = if high < 10_000 {
            write_four(target, high)
        } else if high < EIGHT {
            write_leading(target, high)
        } else {
            write_eight(write_leading(target, high / EIGHT), high % EIGHT)
        };
        write_eight(target, value % EIGHT)
    }
}

/// Writes a number below 10^4: most of those that documents have.
#[inline]
unsafe fn write_four(target: *mut u8, value: u64) -> *mut u8 {
    let pair = |value: u64| PAIRS[(value % 100) as usize];
    let (high, low) = (pair(value / 100), pair(value));
    // SAFETY: the caller has room for 24 bytes.
    unsafe {
        if value < 10 {
            *target = low[1];
            return target.add(1);
        }
        if value < 100 {
            target.cast::<[u8; 2]>().write_unaligned(low);
            return target.add(2);
        }
        if value < 1000 {
            *target = high[1];
            target.add(1).cast::<[u8; 2]>().write_unaligned(low);
            return target.add(3);
        }
        target.cast::<[[u8; 2]; 2]>().write_unaligned([high, low]);
        target.add(4)
    }
}

/// A number below 10^8 as eight digits, the first in the lowest byte.
#[inline]
const fn eight_digits(value: u64) -> u64 {
    // Each step halves the parts that lie side by side in one word; the factors are rounded reciprocals, exact in range.
    let fours = (value / 10_000) | ((value % 10_000) << 32);
    let high = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = high | ((fours - high * 100) << 16);
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((twos - tens * 10) << 8)
}

const ZEROS: u64 = 0x3030_3030_3030_3030;

/// Writes exactly eight digits.
#[inline]
unsafe fn write_eight(target: *mut u8, value: u64) -> *mut u8 {
    let text = (eight_digits(value) | ZEROS).to_le_bytes();
    // SAFETY: the caller has room for eight bytes.
    unsafe {
        target.cast::<[u8; 8]>().write_unaligned(text);
        target.add(8)
    }
}

/// Writes a number below 10^8 without leading zeros. Stores eight bytes.
#[inline]
unsafe fn write_leading(target: *mut u8, value: u64) -> *mut u8 {
    let digits = eight_digits(value);
    // The last digit counts even if it is a zero.
    let zeros = (digits | 1 << 56).trailing_zeros() / 8;
    let text = ((digits | ZEROS) >> (8 * zeros)).to_le_bytes();
    // SAFETY: the caller has room for eight bytes.
    unsafe {
        target.cast::<[u8; 8]>().write_unaligned(text);
        target.add(8 - zeros as usize)
    }
}

// `write_float` lets the crate write into our memory: its buffer has to be nothing but bytes.
const _: () = assert!(align_of::<zmij::Buffer>() == 1 && size_of::<zmij::Buffer>() <= ROOM);

/// Writes a finite float in its shortest form that reads back as the same; gives its end.
///
/// # Safety
/// [`ROOM`] bytes can be written at `target`.
#[inline]
pub unsafe fn write_float<F: zmij::Float>(target: *mut u8, value: F) -> *mut u8 {
    // SAFETY: a `zmij::Buffer` is bytes without meaning, and there is room for one. Where it wrote the text at another
    // place than its start, the text is moved.
    unsafe {
        let text = (*target.cast::<zmij::Buffer>()).format_finite(value);
        let (start, length) = (text.as_ptr(), text.len());
        if start != target.cast_const() {
            std::ptr::copy(start, target, length);
        }
        target.add(length)
    }
}

/// What a float that JSON has no form for is called.
pub fn name_of(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// A finite float as `repr()` has it where that has an exponent: `1e-05`, `1e+16`.
pub fn exponential(value: f64) -> String {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    if let Some((digits, exponent)) = text.split_once('e') {
        let (sign, exponent) = match exponent.strip_prefix('-') {
            Some(exponent) => ('-', exponent),
            None => ('+', exponent.trim_start_matches('+')),
        };
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    // Between 1e-5 and 1e-4 `repr` has an exponent already, the crate not yet.
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => ("-", text),
        None => ("", text),
    };
    match text.strip_prefix("0.0000") {
        Some(digits) if digits.len() > 1 => format!("{sign}{}.{}e-05", &digits[..1], &digits[1..]),
        Some(digits) => format!("{sign}{digits}e-05"),
        None => format!("{sign}{text}"),
    }
}
