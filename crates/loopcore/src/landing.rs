//! Memory in which reads land before their length is known. Knows no socket.

/// The kernel's copy to an address among the first 32 bytes of a page, but not the very first, takes up to four times as long on AMD's
/// processors since Zen 3; and that is where the C library puts what is this large.
const ALIGNMENT: usize = 64;

/// The memory, which grows to what was asked for and stays.
#[derive(Default)]
pub struct Landing(Vec<u8>);

impl Landing {
    /// Without memory so far.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Room for `size` bytes, which have whatever was there before.
    pub fn room(&mut self, size: usize) -> &mut [u8] {
        if self.0.len() < size + ALIGNMENT {
            self.0.resize(size + ALIGNMENT, 0);
        }
        let start = self.0.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        self.0.get_mut(start..start + size).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_room_for_what_was_asked_for_at_a_good_address() {
        let mut landing = Landing::new();
        for size in [1, 300_000, 64, 0, 300_001] {
            let room = landing.room(size);
            assert_eq!(room.len(), size);
            assert_eq!(room.as_ptr().align_offset(ALIGNMENT), 0);
        }
    }
}
