//! The kernel for every processor: eight bytes at a time. Also what the others use for a single character.

/// How each byte is written inside of a string: up to six bytes in writing order, and their number in the highest byte.
static ESCAPES: [u64; 256] = escapes();

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

const fn escapes() -> [u64; 256] {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    loop {
        table[byte as usize] = escape(byte);
        if byte == u8::MAX {
            return table;
        }
        byte += 1;
    }
}

const fn escape(byte: u8) -> u64 {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        8 => b'b',
        9 => b't',
        10 => b'n',
        12 => b'f',
        13 => b'r',
        0..0x20 => 0,
        _ => return u64::from_le_bytes([byte, 0, 0, 0, 0, 0, 0, 1]),
    };
    if short != 0 {
        return u64::from_le_bytes([b'\\', short, 0, 0, 0, 0, 0, 2]);
    }
    let (high, low) = (HEX[(byte >> 4) as usize], HEX[(byte & 15) as usize]);
    u64::from_le_bytes([b'\\', b'u', b'0', b'0', high, low, 0, 6])
}

/// Writes one byte, escaped where it has to be. Stores eight bytes.
///
/// # Safety
/// Eight bytes can be written at `target`.
#[inline]
pub unsafe fn put(target: *mut u8, byte: u8) -> *mut u8 {
    let [text @ .., length] = ESCAPES[usize::from(byte)].to_le_bytes();
    // SAFETY: the caller says so; an escape has one to six bytes.
    unsafe {
        target.cast::<[u8; 7]>().write_unaligned(text);
        target.add(usize::from(length))
    }
}

/// The high bit of each of the eight bytes that has to be escaped; a byte above such a one may be marked too.
#[inline]
const fn marked(word: u64) -> u64 {
    let quote = word ^ (LOW_BITS * b'"' as u64);
    let slash = word ^ (LOW_BITS * b'\\' as u64);
    let found = quote.wrapping_sub(LOW_BITS)
        | slash.wrapping_sub(LOW_BITS)
        | word.wrapping_sub(LOW_BITS * 0x20);
    found & !word & HIGH_BITS
}

/// See [`super::Kernel`].
///
/// # Safety
/// As for every kernel.
pub unsafe fn copy(mut target: *mut u8, mut source: *const u8, mut length: usize) -> *mut u8 {
    // SAFETY: eight bytes are read while as many are left; what is written is bounded by six bytes for each that was
    // read, and the stores' overrun by OVERRUN.
    unsafe {
        while length > 16 {
            let word = source.cast::<u64>().read_unaligned();
            target.cast::<u64>().write_unaligned(word);
            let plain = first_marked(word);
            target = target.add(plain);
            source = source.add(plain);
            length -= plain;
            if plain < 8 {
                target = put(target, *source);
                source = source.add(1);
                length -= 1;
            }
        }
        copy_short(target, source, length)
    }
}

/// [`copy`] for at most sixteen bytes: plain ones as two words that overlap, others one by one.
///
/// # Safety
/// As for every kernel.
#[inline]
pub unsafe fn copy_short(mut target: *mut u8, source: *const u8, length: usize) -> *mut u8 {
    // SAFETY: both words lie within the text; what is written for it is bounded as in `copy`.
    unsafe {
        if length >= 8 {
            let first = source.cast::<u64>().read_unaligned();
            let last = source.add(length - 8).cast::<u64>().read_unaligned();
            if marked(first) | marked(last) == 0 {
                target.cast::<u64>().write_unaligned(first);
                target.add(length - 8).cast::<u64>().write_unaligned(last);
                return target.add(length);
            }
        } else if length >= 4 {
            let first = source.cast::<u32>().read_unaligned();
            let last = source.add(length - 4).cast::<u32>().read_unaligned();
            if marked(u64::from(first) << 32 | u64::from(last)) == 0 {
                target.cast::<u32>().write_unaligned(first);
                target.add(length - 4).cast::<u32>().write_unaligned(last);
                return target.add(length);
            }
        }
        for index in 0..length {
            target = put(target, *source.add(index));
        }
        target
    }
}

/// How many bytes in memory order come before the first that has to be escaped.
#[inline]
const fn first_marked(word: u64) -> usize {
    // In memory order the marks are exact up to and including the first one.
    let marks = marked(u64::from_le_bytes(word.to_ne_bytes()));
    (marks.trailing_zeros() / 8) as usize
}
