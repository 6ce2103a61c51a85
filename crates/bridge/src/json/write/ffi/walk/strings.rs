//! Strings into the document: short ones at once, long ones in pieces, between which the GIL is offered.

use super::super::text;
use super::{Held, Object, Writer};
use crate::json::write::stop::{Stop, Written};

/// Text of this length is written in pieces.
const PIECE: usize = 4096;

impl Writer<'_, '_> {
    /// # Safety
    /// `object` is a `str` or of a subclass, and lives until code runs.
    #[inline(always)]
    pub(in crate::json) unsafe fn text(&mut self, object: Object) -> Written {
        // SAFETY: the caller says so; the text is used before code runs, or the object is held.
        unsafe {
            let (start, length) = match text::ascii(object, self.ascii_bits) {
                Some(found) => found,
                None => self.utf8(object)?,
            };
            if length <= PIECE {
                return self.short_text(start, length);
            }
            let _held = Held::new(object);
            self.long_text(start, length, true)
        }
    }

    /// # Safety
    /// As for [`Writer::text`]; no code runs here.
    #[inline(always)]
    pub(in crate::json::write::ffi) unsafe fn key(&mut self, object: Object) -> Written {
        // SAFETY: the caller says so.
        unsafe {
            let (start, length) = match text::ascii(object, self.ascii_bits) {
                Some(found) => found,
                None => self.utf8(object)?,
            };
            if length <= PIECE {
                return self.short_text(start, length);
            }
            self.long_text(start, length, false)
        }
    }

    /// Whether a name begins with an underscore.
    ///
    /// # Safety
    /// As for [`Writer::key`].
    pub(super) unsafe fn is_private(&mut self, name: Object) -> Result<bool, Stop> {
        // SAFETY: the caller says so.
        unsafe {
            let (start, length) = match text::ascii(name, self.ascii_bits) {
                Some(found) => found,
                None => self.utf8(name)?,
            };
            Ok(length > 0 && *start == b'_')
        }
    }

    /// # Safety
    /// As for [`Writer::text`].
    #[inline(never)]
    unsafe fn utf8(&mut self, object: Object) -> Result<(*const u8, usize), Stop> {
        // SAFETY: the caller says so. The call has set an error where it gave nothing.
        unsafe { text::utf8(object) }.ok_or_else(|| Stop::unencodable(self.py))
    }

    /// # Safety
    /// `length` bytes of UTF-8 can be read at `start`; `length` is at most [`PIECE`].
    #[inline(always)]
    unsafe fn short_text(&mut self, start: *const u8, length: usize) -> Written {
        self.buffer.reserve(6 * length)?;
        // SAFETY: the kernel's overrun and the quotes are less than the slack.
        unsafe {
            let at = self.buffer.at();
            *at = b'"';
            let end = (self.kernel)(at.add(1), start, length);
            *end = b'"';
            self.buffer.set_at(end.add(1));
        }
        Ok(())
    }

    /// # Safety
    /// `length` bytes of UTF-8 can be read at `start`, if `offering` also after code has run.
    #[cold]
    #[inline(never)]
    unsafe fn long_text(&mut self, mut start: *const u8, length: usize, offering: bool) -> Written {
        self.buffer.reserve(length + 6 * PIECE)?;
        // SAFETY: each piece has room for its worst case; pieces may part a character, since bytes above ASCII are copied.
        unsafe {
            self.buffer.push(b'"');
            let mut left = length;
            while left > 0 {
                let piece = left.min(PIECE);
                self.buffer.reserve(6 * piece)?;
                let end = (self.kernel)(self.buffer.at(), start, piece);
                self.buffer.set_at(end);
                start = start.add(piece);
                left -= piece;
                if offering && self.buffer.is_past_mark() {
                    self.offer();
                }
            }
            self.buffer.push(b'"');
        }
        self.buffer.reserve(0)?;
        Ok(())
    }

    /// Writes text that is not Python's.
    pub fn str(&mut self, text: &str) -> Written {
        // SAFETY: a `str` is UTF-8, and lives on.
        unsafe {
            if text.len() <= PIECE {
                return self.short_text(text.as_ptr(), text.len());
            }
            self.long_text(text.as_ptr(), text.len(), false)
        }
    }
}
