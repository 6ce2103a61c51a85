//! Takes a client's mask off, eight bytes a step. Knows no frame.

/// Unmasks (or masks) `data`, whose first byte meets the first byte of `mask`.
pub(super) fn apply(data: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    // Plain words: the compiler makes of this loop what the machine has in vectors.
    let mut words = data.chunks_exact_mut(8);
    for bytes in words.by_ref() {
        if let Ok(whole) = <[u8; 8]>::try_from(&*bytes) {
            bytes.copy_from_slice(&(u64::from_ne_bytes(whole) ^ word).to_ne_bytes());
        }
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}

/// The mask for what follows `length` bytes.
pub(super) fn advance(mut mask: [u8; 4], length: usize) -> [u8; 4] {
    mask.rotate_left(length % 4);
    mask
}

#[cfg(test)]
mod tests {
    use super::{advance, apply};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_split_gives_the_same_bytes(data: Vec<u8>, mask: [u8; 4], cut: prop::sample::Index) {
            let plain = || data.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key);
            let mut whole = data.clone();
            apply(&mut whole, mask);
            prop_assert!(plain().eq(whole.iter().copied()));

            let mut pieces = data.clone();
            let at = cut.index(data.len() + 1);
            let (front, back) = pieces.split_at_mut(at);
            apply(front, mask);
            apply(back, advance(mask, at));
            prop_assert_eq!(pieces, whole);
        }
    }
}
