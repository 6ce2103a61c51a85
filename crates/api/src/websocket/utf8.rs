//! Whether bytes that come in pieces are UTF-8, known at the first byte that cannot be. Knows no frame.

/// A check that goes on from piece to piece.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Utf8 {
    /// The beginning of a character whose end has not come.
    pending: [u8; 4],
    length: usize,
}

impl Utf8 {
    /// Looks at the next piece; `false` if no continuation makes a text of it.
    pub(super) fn feed(&mut self, mut piece: &[u8]) -> bool {
        while self.length > 0 {
            let Some((&next, rest)) = piece.split_first() else {
                return true;
            };
            piece = rest;
            self.pending[self.length] = next;
            self.length += 1;
            match std::str::from_utf8(&self.pending[..self.length]) {
                Ok(_) => self.length = 0,
                Err(error) if error.error_len().is_some() => return false,
                Err(_) => {}
            }
        }
        let Err(error) = simdutf8::compat::from_utf8(piece) else {
            return true;
        };
        if error.error_len().is_some() {
            return false;
        }
        let begun = &piece[error.valid_up_to()..];
        self.pending[..begun.len()].copy_from_slice(begun);
        self.length = begun.len();
        true
    }

    /// Whether the text may end here.
    pub(super) fn is_complete(self) -> bool {
        self.length == 0
    }
}

#[cfg(test)]
mod tests {
    use super::Utf8;
    use proptest::prelude::*;

    fn fits(pieces: &[&[u8]]) -> bool {
        let mut check = Utf8::default();
        pieces.iter().all(|piece| check.feed(piece)) && check.is_complete()
    }

    proptest! {
        #[test]
        fn pieces_are_judged_as_the_whole(
            text: String,
            noise in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
            size in 1usize..7,
        ) {
            let mut bytes = text.into_bytes();
            if let Some((at, byte)) = noise {
                bytes.insert(at.index(bytes.len() + 1), byte);
            }
            let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            prop_assert_eq!(fits(&pieces), std::str::from_utf8(&bytes).is_ok());
        }
    }

    #[test]
    fn says_no_at_the_first_byte_that_cannot_be() {
        for (good, bad) in [
            (&b"\xf4"[..], 0x90),
            (b"\xed", 0xa0),
            (b"\xe0", 0x80),
            (b"\xf0\x9f", 0x41),
            (b"", 0xc0),
        ] {
            let mut check = Utf8::default();
            assert!(check.feed(good), "{good:x?}");
            assert!(!check.feed(&[bad]), "{good:x?} {bad:x}");
        }
    }
}
