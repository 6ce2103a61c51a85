//! Numbers: the grammar, and integers. What a float is, `float.rs` knows.

use super::Reader;
use super::error::{Fault, Problem};
use super::{ffi, float};

/// As many digits fit into 64 bits whatever they are.
const SAFE_DIGITS: usize = 19;

/// The digits of a number as far as they were read: up to 19 of them are exact.
struct Digits {
    value: u64,
    /// How many, leading zeros not counted.
    count: usize,
}

impl Digits {
    /// Reads digits; gives the offset behind them.
    #[inline(always)]
    fn read(&mut self, text: &[u8], mut at: usize) -> usize {
        while let Some(eight) = text.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()) {
            let Some(value) = eight_digits(u64::from_le_bytes(eight)) else {
                break;
            };
            self.value = self.value.wrapping_mul(100_000_000).wrapping_add(value);
            at += 8;
        }
        self.read_each(text, at)
    }

    #[inline(always)]
    fn read_each(&mut self, text: &[u8], mut at: usize) -> usize {
        while let Some(digit) = digit(text, at) {
            self.value = self.value.wrapping_mul(10).wrapping_add(digit);
            at += 1;
        }
        at
    }
}

#[inline(always)]
fn digit(text: &[u8], at: usize) -> Option<u64> {
    let digit = text.get(at)?.wrapping_sub(b'0');
    (digit < 10).then_some(u64::from(digit))
}

/// The value of eight bytes, if all of them are digits: pairs, then fours, then eight of them are added up side by side.
#[inline(always)]
fn eight_digits(bytes: u64) -> Option<u64> {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    // A digit's upper half is 3, also after 6 is added to its lower half.
    if (bytes & HIGH) | ((bytes.wrapping_add(0x0606_0606_0606_0606) & HIGH) >> 4)
        != 0x3333_3333_3333_3333
    {
        return None;
    }
    let digits = bytes - ZEROS;
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff)
}

impl Reader<'_, '_> {
    /// The number at a digit or a minus sign, pushed on the value stack.
    #[inline(always)]
    pub fn number(&mut self) -> Result<(), Fault> {
        let (text, begin) = (self.text, self.at);
        let negative = text[begin] == b'-';
        let start = begin + usize::from(negative);
        let Some(first) = digit(text, start) else {
            return self.no_digit(begin);
        };
        let mut digits = Digits {
            value: first,
            count: 0,
        };
        let mut end = start + 1;
        if first != 0 {
            end = digits.read_each(text, end);
        }
        digits.count = if first == 0 { 0 } else { end - start };
        if matches!(text.get(end), Some(b'.' | b'e' | b'E')) {
            return self.float(begin, end, negative, digits);
        }
        self.integer(begin, end, negative, &digits)
    }

    #[inline(always)]
    fn integer(
        &mut self,
        begin: usize,
        end: usize,
        negative: bool,
        digits: &Digits,
    ) -> Result<(), Fault> {
        let object = match i64::try_from(digits.value) {
            Ok(value) if digits.count <= SAFE_DIGITS => {
                ffi::integer(self.py, if negative { -value } else { value })?
            }
            _ => ffi::big_integer(self.py, &self.text[begin..end])
                .map_err(|fault| fault.found_at(begin))?,
        };
        self.at = end;
        self.values.push(object);
        Ok(())
    }

    /// A number with a fraction or an exponent, from the first byte behind its integer part.
    #[inline(always)]
    fn float(
        &mut self,
        begin: usize,
        integer_end: usize,
        negative: bool,
        mut digits: Digits,
    ) -> Result<(), Fault> {
        let text = self.text;
        let mut end = integer_end;
        let mut exponent = 0;
        if text[end] == b'.' && digit(text, end + 1).is_some() {
            end = digits.read(text, end + 1);
            let fraction = end - integer_end - 1;
            exponent = -i64::try_from(fraction).unwrap_or(i64::MAX);
            digits.count += fraction;
        }
        if matches!(text.get(end), Some(b'e' | b'E')) {
            let (written, behind) = exponent_at(text, end);
            exponent = exponent.saturating_add(written);
            end = behind;
        }
        if end == integer_end {
            // A point or an `e` without a digit does not belong to the number.
            return self.integer(begin, end, negative, &digits);
        }
        let value = if digits.count <= SAFE_DIGITS {
            float::compose(digits.value, exponent)
        } else {
            None
        };
        let value = match value {
            Some(value) if negative => -value,
            Some(value) => value,
            None => float::reference(&text[begin..end]),
        };
        if value.is_infinite() && !self.options.allow_nan {
            return Err(Fault::new(begin, Problem::OutOfRange));
        }
        self.at = end;
        self.values.push(ffi::float(self.py, value)?);
        Ok(())
    }

    /// A minus sign without a digit.
    #[inline(always)]
    fn no_digit(&mut self, begin: usize) -> Result<(), Fault> {
        if !self.options.allow_nan || !self.text[begin..].starts_with(b"-Infinity") {
            return Err(Fault::new(begin, Problem::Value));
        }
        self.at = begin + 9;
        self.values.push(ffi::float(self.py, f64::NEG_INFINITY)?);
        Ok(())
    }
}

/// The exponent at an `e`, and the offset behind it; zero and the same offset if there are no digits.
#[inline]
fn exponent_at(text: &[u8], at: usize) -> (i64, usize) {
    let sign = text.get(at + 1);
    let start = at + 1 + usize::from(matches!(sign, Some(b'+' | b'-')));
    let mut end = start;
    let mut value = 0_i64;
    while let Some(digit) = digit(text, end) {
        // Far beyond every float, and far from overflow.
        if value < 1_000_000 {
            value = value * 10 + i64::try_from(digit).unwrap_or(0);
        }
        end += 1;
    }
    if end == start {
        return (0, at);
    }
    (if sign == Some(&b'-') { -value } else { value }, end)
}
