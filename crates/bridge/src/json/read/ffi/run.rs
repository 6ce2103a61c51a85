//! How far a string runs without anything special: the vector code of the scanner. Knows bytes, no characters.
//!
//! The first 32 bytes are looked at 16 at a time by what every processor of the architecture has, in line: most strings end
//! there. Longer runs go on in the widest vectors that the processor at hand has. The last block of a text overlaps what came
//! before it, so that nothing is read past the end.
//!
//! Invariant: every load lies inside the slice it is given.

/// A run is cut after this many bytes, so that others can be let in before the next.
pub const LONGEST_RUN: usize = 1 << 20;

/// One vector that every processor has.
const SHORT: usize = 16;

/// The bytes up to the next special one.
pub struct Run {
    pub length: usize,
    /// None of them is above 127.
    pub ascii: bool,
}

/// Whether a string may contain the byte as it is.
pub fn is_plain(byte: u8) -> bool {
    byte >= b' ' && byte != b'"' && byte != b'\\'
}

/// The run that begins at `start`. It ends before a quotation mark, a backslash, a control character, at the text's end, or
/// after `LONGEST_RUN`.
#[inline(always)]
pub fn run(text: &[u8], start: usize) -> Run {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    return vector::run(text, start);
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return each(text, start, true);
}

/// Appends the run that begins at `at` to `into`; gives its length.
#[inline(always)]
pub fn copy_run(text: &[u8], at: usize, into: &mut Vec<u8>) -> usize {
    let Some(first) = text.get(at..at + SHORT) else {
        return copy(text, at, into);
    };
    // Between two escapes there is little text: all of it is copied before its end is known.
    let before = into.len();
    into.extend_from_slice(first);
    let run = run(&text[..at + SHORT], at);
    into.truncate(before + run.length);
    if run.length < SHORT {
        return run.length;
    }
    SHORT + copy(text, at + SHORT, into)
}

#[inline(never)]
fn copy(text: &[u8], at: usize, into: &mut Vec<u8>) -> usize {
    let length = run(text, at).length;
    into.extend_from_slice(&text[at..at + length]);
    length
}

/// Byte by byte.
#[inline]
fn each(text: &[u8], start: usize, mut ascii: bool) -> Run {
    let mut length = 0;
    for byte in text[start..].iter().take(LONGEST_RUN) {
        if !is_plain(*byte) {
            break;
        }
        ascii &= *byte < 128;
        length += 1;
    }
    Run { length, ascii }
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod vector {
    use super::{LONGEST_RUN, Run, each};

    #[cfg(target_arch = "aarch64")]
    use super::neon::{BITS, block};
    #[cfg(target_arch = "x86_64")]
    use super::x86::block;

    /// Bits for each byte in a mask.
    #[cfg(target_arch = "x86_64")]
    const BITS: u32 = 1;

    /// What a block of bytes has: bits where a special one is, and where one is above 127; `BITS` for each byte.
    #[derive(Clone, Copy)]
    pub struct Block {
        pub special: u64,
        pub high: u64,
    }

    impl Block {
        /// The length up to the first special byte, if there is one, and whether all before it are ASCII.
        #[inline(always)]
        pub fn end(self, bits: u32) -> Option<(usize, bool)> {
            if self.special == 0 {
                return None;
            }
            let first = self.special.trailing_zeros();
            let below = (1_u64 << first) - 1;
            Some(((first / bits) as usize, self.high & below == 0))
        }

        /// The block without its first bytes.
        #[inline(always)]
        pub fn skip(self, bytes: usize, bits: u32) -> Self {
            let shift = u32::try_from(bytes).unwrap_or(0) * bits;
            Self {
                special: self.special >> shift,
                high: self.high >> shift,
            }
        }
    }

    #[inline(always)]
    pub fn run(text: &[u8], start: usize) -> Run {
        let mut ascii = true;
        let mut length = 0;
        while length < 32 {
            let left = text.len() - start - length;
            let at = start + length;
            let found = if left >= 16 {
                // SAFETY: 16 bytes from `at` on are inside.
                unsafe { block(text.as_ptr().add(at)) }
            } else if text.len() >= 16 {
                // SAFETY: the last 16 bytes are inside.
                unsafe { block(text.as_ptr().add(text.len() - 16)) }.skip(16 - left, BITS)
            } else {
                let rest = each(text, at, ascii);
                return Run {
                    length: length + rest.length,
                    ..rest
                };
            };
            if let Some((more, clean)) = found.end(BITS) {
                return Run {
                    length: length + more,
                    ascii: ascii && clean,
                };
            }
            ascii &= found.high == 0;
            if left < 16 {
                return Run {
                    length: length + left,
                    ascii,
                };
            }
            length += 16;
        }
        let window = &text[..text.len().min(start + LONGEST_RUN)];
        let rest = long(window, start + length);
        Run {
            length: length + rest.length,
            ascii: ascii && rest.ascii,
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(never)]
    fn long(text: &[u8], start: usize) -> Run {
        if is_x86_feature_detected!("avx512bw") {
            // SAFETY: the processor has it.
            unsafe { super::x86::long_512(text, start) }
        } else if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has it.
            unsafe { super::x86::long_256(text, start) }
        } else {
            super::x86::long_128(text, start)
        }
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(never)]
    fn long(text: &[u8], start: usize) -> Run {
        // SAFETY: `block` reads 16 bytes.
        unsafe { blocks(text, start, 16, BITS, |at| block(at)) }
    }

    /// The run in blocks of `width` bytes.
    ///
    /// # Safety
    /// `block` reads `width` bytes, which are not more than 64.
    #[inline(always)]
    pub unsafe fn blocks(
        text: &[u8],
        start: usize,
        width: usize,
        bits: u32,
        block: impl Fn(*const u8) -> Block,
    ) -> Run {
        let mut at = start;
        let mut ascii = true;
        while at < text.len() {
            let left = text.len() - at;
            let found = if left >= width {
                // In the slice.
                block(text[at..].as_ptr())
            } else if text.len() >= width {
                block(text[text.len() - width..].as_ptr()).skip(width - left, bits)
            } else {
                let rest = each(text, at, ascii);
                return Run {
                    length: at - start + rest.length,
                    ..rest
                };
            };
            if let Some((more, clean)) = found.end(bits) {
                return Run {
                    length: at - start + more,
                    ascii: ascii && clean,
                };
            }
            ascii &= found.high == 0;
            at += width.min(left);
        }
        Run {
            length: at - start,
            ascii,
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(
    clippy::cast_ptr_alignment,
    reason = "the loads and stores are those that need none"
)]
mod x86 {
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8,
        _mm_or_si128, _mm_set1_epi8, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8,
        _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm512_cmpeq_epi8_mask,
        _mm512_cmplt_epu8_mask, _mm512_loadu_si512, _mm512_movepi8_mask, _mm512_set1_epi8,
    };

    use super::Run;
    use super::vector::{Block, blocks};

    const QUOTE: i8 = b'"'.cast_signed();
    const BACKSLASH: i8 = b'\\'.cast_signed();
    const SPACE: i8 = b' '.cast_signed();

    /// # Safety
    /// 16 bytes can be read at `at`.
    #[inline(always)]
    pub unsafe fn block(at: *const u8) -> Block {
        // SAFETY: the caller says so; SSE2 is part of x86-64.
        unsafe {
            let bytes = _mm_loadu_si128(at.cast::<__m128i>());
            let special = _mm_or_si128(
                _mm_or_si128(
                    _mm_cmpeq_epi8(bytes, _mm_set1_epi8(QUOTE)),
                    _mm_cmpeq_epi8(bytes, _mm_set1_epi8(BACKSLASH)),
                ),
                // Not above the last control character.
                _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(SPACE - 1)), bytes),
            );
            Block {
                special: u64::from(_mm_movemask_epi8(special).cast_unsigned()),
                high: u64::from(_mm_movemask_epi8(bytes).cast_unsigned()),
            }
        }
    }

    pub fn long_128(text: &[u8], start: usize) -> Run {
        // SAFETY: `block` reads 16 bytes.
        unsafe { blocks(text, start, 16, 1, |at| block(at)) }
    }

    #[target_feature(enable = "avx2")]
    pub fn long_256(text: &[u8], start: usize) -> Run {
        // SAFETY: 32 bytes are read where `blocks` says.
        unsafe {
            blocks(text, start, 32, 1, |at| {
                let bytes = _mm256_loadu_si256(at.cast::<__m256i>());
                let special = _mm256_or_si256(
                    _mm256_or_si256(
                        _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(QUOTE)),
                        _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(BACKSLASH)),
                    ),
                    _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(SPACE - 1)), bytes),
                );
                Block {
                    special: u64::from(_mm256_movemask_epi8(special).cast_unsigned()),
                    high: u64::from(_mm256_movemask_epi8(bytes).cast_unsigned()),
                }
            })
        }
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    pub fn long_512(text: &[u8], start: usize) -> Run {
        // SAFETY: 64 bytes are read where `blocks` says.
        unsafe {
            blocks(text, start, 64, 1, |at| {
                let bytes = _mm512_loadu_si512(at.cast());
                Block {
                    special: _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(QUOTE))
                        | _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(BACKSLASH))
                        | _mm512_cmplt_epu8_mask(bytes, _mm512_set1_epi8(SPACE)),
                    high: _mm512_movepi8_mask(bytes),
                }
            })
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod neon {
    use std::arch::aarch64::{
        uint8x16_t, vceqq_u8, vcgeq_u8, vcltq_u8, vdupq_n_u8, vget_lane_u64, vld1q_u8, vorrq_u8,
        vreinterpret_u64_u8, vreinterpretq_u16_u8, vshrn_n_u16,
    };

    use super::vector::Block;

    /// NEON has no mask of one bit a byte; four are the least.
    pub const BITS: u32 = 4;

    /// # Safety
    /// 16 bytes can be read at `at`.
    #[inline(always)]
    pub unsafe fn block(at: *const u8) -> Block {
        // SAFETY: the caller says so; NEON is part of AArch64.
        unsafe {
            let bytes = vld1q_u8(at);
            let special = vorrq_u8(
                vorrq_u8(
                    vceqq_u8(bytes, vdupq_n_u8(b'"')),
                    vceqq_u8(bytes, vdupq_n_u8(b'\\')),
                ),
                vcltq_u8(bytes, vdupq_n_u8(b' ')),
            );
            Block {
                special: mask(special),
                high: mask(vcgeq_u8(bytes, vdupq_n_u8(128))),
            }
        }
    }

    #[inline(always)]
    unsafe fn mask(lanes: uint8x16_t) -> u64 {
        // SAFETY: as in `block`.
        unsafe {
            vget_lane_u64::<0>(vreinterpret_u64_u8(vshrn_n_u16::<4>(vreinterpretq_u16_u8(
                lanes,
            ))))
        }
    }
}
