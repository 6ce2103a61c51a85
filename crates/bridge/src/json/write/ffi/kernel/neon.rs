//! The kernel for 64-bit ARM, all of which have NEON.

use std::arch::aarch64::{
    vceqq_u8, vcltq_u8, vdupq_n_u8, vget_lane_u64, vld1q_u8, vorrq_u8, vreinterpret_u64_u8,
    vreinterpretq_u16_u8, vshrn_n_u16, vst1q_u8,
};

use super::scalar;

/// See [`super::Kernel`].
///
/// # Safety
/// As for every kernel.
pub unsafe fn copy(mut target: *mut u8, mut source: *const u8, mut length: usize) -> *mut u8 {
    // SAFETY: sixteen bytes are read while as many are left; stores overrun by less than OVERRUN; 64-bit ARM has NEON.
    unsafe {
        while length >= 16 {
            let text = vld1q_u8(source);
            vst1q_u8(target, text);
            let found = vorrq_u8(
                vorrq_u8(
                    vceqq_u8(text, vdupq_n_u8(b'"')),
                    vceqq_u8(text, vdupq_n_u8(b'\\')),
                ),
                vcltq_u8(text, vdupq_n_u8(0x20)),
            );
            // Four bits a byte: NEON has no movemask.
            let narrow = vshrn_n_u16::<4>(vreinterpretq_u16_u8(found));
            let marks = vget_lane_u64::<0>(vreinterpret_u64_u8(narrow));
            if marks == 0 {
                target = target.add(16);
                source = source.add(16);
                length -= 16;
                continue;
            }
            let plain = (marks.trailing_zeros() / 4) as usize;
            target = scalar::put(target.add(plain), *source.add(plain));
            source = source.add(plain + 1);
            length -= plain + 1;
        }
        scalar::copy_short(target, source, length)
    }
}
