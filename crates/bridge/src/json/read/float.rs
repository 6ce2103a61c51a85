//! The float nearest to digits and a power of ten. Knows no text.
//!
//! Small cases are one exact operation. The others multiply the digits by a 128-bit approximation of the power of ten and
//! round; where the approximation cannot tell (Lemire, "Number Parsing at a Gigabyte per Second", 2021, section 5), the
//! standard library of Rust decides with as many digits as it takes.

use super::powers_of_five::{POWERS, SMALLEST};

/// Powers of ten that are exact as floats.
const EXACT: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];
const MANTISSA_BITS: u32 = 52;
const HIDDEN_BIT: u64 = 1 << MANTISSA_BITS;

/// `digits` times ten to the `exponent`, if it can be told cheaply.
#[inline(always)]
pub fn compose(digits: u64, exponent: i64) -> Option<f64> {
    if digits < 2 * HIDDEN_BIT && (-22..=22).contains(&exponent) {
        #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
        let exact = digits as f64;
        let power = EXACT[usize::try_from(exponent.unsigned_abs()).ok()?];
        return Some(if exponent < 0 {
            exact / power
        } else {
            exact * power
        });
    }
    approximate(digits, exponent)
}

/// What the text of a float says, however long it is.
#[cold]
pub fn reference(text: &[u8]) -> f64 {
    // The grammar was checked, so this cannot fail.
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(f64::NAN)
}

/// The product of 64 digits' bits with the power, rounded; `None` where its error might matter.
#[inline]
fn approximate(digits: u64, exponent: i64) -> Option<f64> {
    if digits == 0 {
        return Some(0.0);
    }
    let power = POWERS.get(usize::try_from(exponent - SMALLEST).ok()?)?;
    let shift = digits.leading_zeros();
    let (high, low) = product(digits << shift, *power);
    // All ones below: the bits that were cut off might carry.
    if low == u64::MAX && !(-27..=55).contains(&exponent) {
        return None;
    }
    let top = (high >> 63) as u32;
    let cut = top + 64 - MANTISSA_BITS - 3;
    let mut mantissa = high >> cut;
    // 217706 / 2^16 is log2(10), near enough for all exponents in the table.
    let binary = ((217_706 * exponent) >> 16) + 63 + i64::from(top) - i64::from(shift) + 1023;
    if binary <= 0 || binary >= 2046 {
        // Subnormal, or near the largest float: rare, and left to the reference.
        return None;
    }
    // Exactly half way between two floats: to the even one. It can only happen where the power of five is short.
    if low <= 1 && (-4..=23).contains(&exponent) && mantissa & 3 == 1 && mantissa << cut == high {
        mantissa &= !1;
    }
    mantissa = (mantissa + (mantissa & 1)) >> 1;
    let mut binary = binary.cast_unsigned();
    if mantissa >= 2 * HIDDEN_BIT {
        mantissa = HIDDEN_BIT;
        binary += 1;
    }
    Some(f64::from_bits(
        mantissa & (HIDDEN_BIT - 1) | binary << MANTISSA_BITS,
    ))
}

/// The upper 128 bits of the 192-bit product; the lowest 64 bits of the power are taken in only where they can matter.
#[inline]
fn product(digits: u64, power: u128) -> (u64, u64) {
    const UNDECIDED: u64 = u64::MAX >> (MANTISSA_BITS + 3);
    let (power_high, power_low) = halves(power);
    let (mut high, mut low) = halves(u128::from(digits) * u128::from(power_high));
    if high & UNDECIDED == UNDECIDED {
        let (carry, _) = halves(u128::from(digits) * u128::from(power_low));
        let (sum, overflow) = low.overflowing_add(carry);
        low = sum;
        high += u64::from(overflow);
    }
    (high, low)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the halves are what is wanted"
)]
fn halves(value: u128) -> (u64, u64) {
    ((value >> 64) as u64, value as u64)
}
