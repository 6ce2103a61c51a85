//! Brackets, commas, lines, and how deep the walk is.

use std::ptr;

use super::{DEPTH, Object, Writer};
use crate::json::write::options::Options;
use crate::json::write::stop::{Stop, Written};

impl Writer<'_, '_> {
    /// Whether lines are broken.
    #[inline]
    pub fn is_pretty(&self) -> bool {
        self.settings.options.has(Options::INDENT_2)
    }

    /// Enters a container.
    #[inline]
    pub fn descend(&mut self, container: Object) -> Written {
        if self.depth == DEPTH {
            return Err(Stop::deep(container));
        }
        self.depth += 1;
        Ok(())
    }

    /// Enters a container and begins it with this bracket.
    #[inline]
    pub fn open(&mut self, container: Object, bracket: u8) -> Written {
        self.descend(container)?;
        self.buffer.reserve(1)?;
        self.punctuate(bracket);
        Ok(())
    }

    /// Leaves what has no brackets.
    pub fn rise(&mut self) {
        self.depth -= 1;
    }

    /// Leaves a container and ends it: the last item's comma makes way.
    #[inline]
    pub fn ascend<const PRETTY: bool>(&mut self, bracket: u8) -> Written {
        self.depth -= 1;
        // SAFETY: the container's opening was written at least; each push has the slack of a reservation.
        unsafe {
            let last = self.buffer.at().sub(1);
            if *last != b',' {
                self.buffer.push(bracket);
            } else if PRETTY {
                self.buffer.set_at(last);
                self.break_line()?;
                self.buffer.push(bracket);
            } else {
                *last = bracket;
            }
        }
        Ok(self.buffer.reserve(0)?)
    }

    /// Begins a container, or an item of one, with this byte.
    #[inline]
    pub fn punctuate(&mut self, byte: u8) {
        // SAFETY: every value, key and line break ends with its slack untouched, and at most two of these follow.
        unsafe { self.buffer.push(byte) };
    }

    /// Begins a line at the depth of now.
    #[inline]
    pub fn break_line(&mut self) -> Written {
        let indent = 2 * self.depth as usize;
        self.buffer.reserve(1 + indent)?;
        // SAFETY: there is room.
        unsafe {
            self.buffer.push(b'\n');
            let at = self.buffer.at();
            ptr::write_bytes(at, b' ', indent);
            self.buffer.set_at(at.add(indent));
        }
        Ok(())
    }
}
