//! Copying text into a string of JSON: the one loop that has to look at every byte. The fastest form that the processor
//! has is chosen at run time, once.
//!
//! Law of every kernel: it reads exactly `length` bytes of UTF-8 at `source`, writes at most `6 * length` bytes that count
//! and [`OVERRUN`] that do not, and returns the end of those that count.

#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::LazyLock;

/// Bytes behind the text's end that a kernel may write, because it stores whole vectors.
pub const OVERRUN: usize = 64;

// The writer reserves what counts; the overrun and two quotes lie in the slack.
const _: () = assert!(OVERRUN + 2 < super::buffer::SLACK);

/// Copies and escapes.
///
/// # Safety
/// `length` bytes can be read at the source, `6 * length + OVERRUN` bytes can be written at the target, and the two do not
/// overlap.
pub type Kernel = unsafe fn(target: *mut u8, source: *const u8, length: usize) -> *mut u8;

/// The kernel for this processor.
pub fn kernel() -> Kernel {
    static CHOSEN: LazyLock<Kernel> =
        LazyLock::new(|| all().pop().map_or(scalar::copy as Kernel, |(_, best)| best));
    *CHOSEN
}

/// Every kernel that this processor can run, the best one last.
pub fn all() -> Vec<(&'static str, Kernel)> {
    let mut kernels = vec![("scalar", scalar::copy as Kernel)];
    #[cfg(target_arch = "x86_64")]
    {
        kernels.push(("sse2", x86::sse2));
        if is_x86_feature_detected!("avx2") {
            kernels.push(("avx2", x86::avx2));
        }
        if is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("bmi2")
        {
            kernels.push(("avx512", x86::avx512));
        }
    }
    #[cfg(target_arch = "aarch64")]
    kernels.push(("neon", neon::copy));
    kernels
}

/// A text as a string of JSON, with its quotes.
pub fn quoted(text: &str) -> Vec<u8> {
    let mut target = vec![b'"'; 6 * text.len() + OVERRUN + 2];
    // SAFETY: the memory behind the first quote is as long as a kernel wants it, and one byte longer.
    let length = unsafe {
        let start = target.as_mut_ptr();
        let end = kernel()(start.add(1), text.as_ptr(), text.len());
        *end = b'"';
        end.add(1).offset_from_unsigned(start)
    };
    target.truncate(length);
    target
}

/// What every kernel of this processor makes of a text, by name. Each gets the text in memory of exactly its size.
#[cfg(feature = "testing")]
pub fn copy_with_each(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let source: Box<[u8]> = text.as_bytes().into();
    let run = |kernel: Kernel| {
        let mut target = vec![0; 6 * source.len() + OVERRUN];
        let start = target.as_mut_ptr();
        // SAFETY: the memory is as long as a kernel wants it.
        let length =
            unsafe { kernel(start, source.as_ptr(), source.len()).offset_from_unsigned(start) };
        target.truncate(length);
        target
    };
    all()
        .into_iter()
        .map(|(name, kernel)| (name, run(kernel)))
        .collect()
}
