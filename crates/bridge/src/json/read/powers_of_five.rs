//! The first 128 bits of the powers of five that floats need, computed by the compiler. Knows nothing of floats.
//!
//! Cut off for positive exponents. For negative ones the quotient is cut off too, and rounded up where it is short (down to
//! -27), as the proof that `float.rs` rests on has it.

/// The smallest exponent in the table.
pub const SMALLEST: i64 = -342;
const NEGATIVE: usize = 342;
const POSITIVE: usize = 309;
const ROUNDED_UP: usize = 27;

/// The power with exponent `SMALLEST + index`, shifted so that its highest bit is set.
pub static POWERS: [u128; NEGATIVE + POSITIVE] = powers();

/// Long enough for 5^308, and for 128 bits of 2^1023 / 5^342.
const LIMBS: usize = 16;
type Long = [u64; LIMBS];

const fn powers() -> [u128; NEGATIVE + POSITIVE] {
    let mut table = [0; NEGATIVE + POSITIVE];
    let mut power: Long = [0; LIMBS];
    power[0] = 1;
    let mut index = 0;
    while index < POSITIVE {
        table[NEGATIVE + index] = top(&power);
        power = times_five(power);
        index += 1;
    }
    let mut quotient: Long = [0; LIMBS];
    quotient[LIMBS - 1] = 1 << 63;
    index = 1;
    while index <= NEGATIVE {
        quotient = by_five(quotient);
        table[NEGATIVE - index] = top(&quotient) + if index <= ROUNDED_UP { 1 } else { 0 };
        index += 1;
    }
    table
}

const fn times_five(mut number: Long) -> Long {
    let mut carry = 0;
    let mut limb = 0;
    while limb < LIMBS {
        let product = number[limb] as u128 * 5 + carry;
        number[limb] = low(product);
        carry = product >> 64;
        limb += 1;
    }
    number
}

const fn by_five(mut number: Long) -> Long {
    let mut remainder = 0;
    let mut limb = LIMBS;
    while limb > 0 {
        limb -= 1;
        let dividend = remainder << 64 | number[limb] as u128;
        number[limb] = low(dividend / 5);
        remainder = dividend % 5;
    }
    number
}

/// The 128 bits from the highest that is set.
const fn top(number: &Long) -> u128 {
    let mut limb = LIMBS - 1;
    while number[limb] == 0 {
        limb -= 1;
    }
    let first = (at(number, limb, 0) << 64) | at(number, limb, 1);
    let shift = number[limb].leading_zeros();
    if shift == 0 {
        return first;
    }
    first << shift | at(number, limb, 2) >> (64 - shift)
}

/// The limb that lies `below` the given one.
const fn at(number: &Long, limb: usize, below: usize) -> u128 {
    if below <= limb {
        number[limb - below] as u128
    } else {
        0
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the lower half is what is wanted"
)]
const fn low(value: u128) -> u64 {
    value as u64
}
