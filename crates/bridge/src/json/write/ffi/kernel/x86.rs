//! The kernels for x86-64: SSE2, which all of them have, AVX2, and AVX-512 with masked loads, which needs no case for a
//! text's last bytes.

use std::arch::x86_64::{
    __m128i, __m256i, _bzhi_u32, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8,
    _mm_or_si128, _mm_set1_epi8, _mm_storeu_si128, _mm256_cmpeq_epi8, _mm256_cmpeq_epi8_mask,
    _mm256_cmplt_epu8_mask, _mm256_loadu_si256, _mm256_maskz_loadu_epi8, _mm256_min_epu8,
    _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm256_storeu_si256,
};

use super::scalar;

const QUOTE: i8 = b'"'.cast_signed();
const SLASH: i8 = b'\\'.cast_signed();
const SPACE: i8 = 0x20;

/// A bit for each of sixteen bytes that has to be escaped.
///
/// # Safety
/// None: SSE2 is part of x86-64.
#[inline]
unsafe fn marks_16(text: __m128i) -> u32 {
    // SAFETY: SSE2 is part of x86-64.
    unsafe {
        let quote = _mm_cmpeq_epi8(text, _mm_set1_epi8(QUOTE));
        let slash = _mm_cmpeq_epi8(text, _mm_set1_epi8(SLASH));
        let control = _mm_cmpeq_epi8(_mm_min_epu8(text, _mm_set1_epi8(SPACE - 1)), text);
        _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), control)).cast_unsigned()
    }
}

/// See [`super::Kernel`].
///
/// # Safety
/// As for every kernel.
pub unsafe fn sse2(mut target: *mut u8, mut source: *const u8, mut length: usize) -> *mut u8 {
    // SAFETY: sixteen bytes are read while as many are left; stores overrun by less than OVERRUN.
    unsafe {
        while length >= 16 {
            let text = _mm_loadu_si128(source.cast());
            _mm_storeu_si128(target.cast(), text);
            let marks = marks_16(text);
            let plain = (marks | 1 << 16).trailing_zeros() as usize;
            target = target.add(plain);
            source = source.add(plain);
            length -= plain;
            if marks != 0 {
                target = scalar::put(target, *source);
                source = source.add(1);
                length -= 1;
            }
        }
        scalar::copy_short(target, source, length)
    }
}

/// A bit for each of 32 bytes that has to be escaped.
#[inline]
#[target_feature(enable = "avx2")]
fn marks_32(text: __m256i) -> u32 {
    let quote = _mm256_cmpeq_epi8(text, _mm256_set1_epi8(QUOTE));
    let slash = _mm256_cmpeq_epi8(text, _mm256_set1_epi8(SLASH));
    let control = _mm256_cmpeq_epi8(_mm256_min_epu8(text, _mm256_set1_epi8(SPACE - 1)), text);
    _mm256_movemask_epi8(_mm256_or_si256(_mm256_or_si256(quote, slash), control)).cast_unsigned()
}

/// See [`super::Kernel`].
///
/// # Safety
/// As for every kernel; the processor has AVX2.
#[target_feature(enable = "avx2")]
pub unsafe fn avx2(mut target: *mut u8, mut source: *const u8, mut length: usize) -> *mut u8 {
    // SAFETY: 32 bytes are read while as many are left; stores overrun by less than OVERRUN.
    unsafe {
        while length >= 32 {
            let text = _mm256_loadu_si256(source.cast());
            _mm256_storeu_si256(target.cast(), text);
            let marks = marks_32(text);
            if marks == 0 {
                target = target.add(32);
                source = source.add(32);
                length -= 32;
                continue;
            }
            let plain = marks.trailing_zeros() as usize;
            target = scalar::put(target.add(plain), *source.add(plain));
            source = source.add(plain + 1);
            length -= plain + 1;
        }
        sse2(target, source, length)
    }
}

/// A bit for each of 32 bytes that has to be escaped.
#[inline]
#[target_feature(enable = "avx512bw,avx512vl")]
fn masked_32(text: __m256i) -> u32 {
    _mm256_cmpeq_epi8_mask(text, _mm256_set1_epi8(QUOTE))
        | _mm256_cmpeq_epi8_mask(text, _mm256_set1_epi8(SLASH))
        | _mm256_cmplt_epu8_mask(text, _mm256_set1_epi8(SPACE))
}

/// See [`super::Kernel`].
///
/// # Safety
/// As for every kernel; the processor has AVX-512 BW and VL, and BMI2.
#[target_feature(enable = "avx512bw,avx512vl,bmi2")]
pub unsafe fn avx512(mut target: *mut u8, mut source: *const u8, mut length: usize) -> *mut u8 {
    // SAFETY: a masked load reads the bytes of its mask alone, and those are left; stores overrun by less than OVERRUN.
    unsafe {
        while length >= 32 {
            let text = _mm256_loadu_si256(source.cast());
            _mm256_storeu_si256(target.cast(), text);
            let marks = masked_32(text);
            if marks == 0 {
                target = target.add(32);
                source = source.add(32);
                length -= 32;
                continue;
            }
            let plain = marks.trailing_zeros() as usize;
            target = scalar::put(target.add(plain), *source.add(plain));
            source = source.add(plain + 1);
            length -= plain + 1;
        }
        loop {
            #[allow(clippy::cast_possible_truncation)] // below 32
            let wanted = _bzhi_u32(u32::MAX, length as u32);
            let text = _mm256_maskz_loadu_epi8(wanted, source.cast());
            _mm256_storeu_si256(target.cast(), text);
            let marks = masked_32(text) & wanted;
            if marks == 0 {
                return target.add(length);
            }
            let plain = marks.trailing_zeros() as usize;
            target = scalar::put(target.add(plain), *source.add(plain));
            source = source.add(plain + 1);
            length -= plain + 1;
        }
    }
}
