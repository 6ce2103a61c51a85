//! Numbers and constants into the document. How digits are made is [`number`]'s.

use pyloop::gil;
use pyo3::ffi;
use pyo3::prelude::*;

use super::super::number;
use super::{Object, Writer};
use crate::json::write::options::Options;
use crate::json::write::special;
use crate::json::write::stop::{Cause, Stop, Written};

impl Writer<'_, '_> {
    #[inline]
    pub fn constant(&mut self, truth: bool) -> Written {
        if truth {
            return Ok(self.buffer.literal(*b"true")?);
        }
        Ok(self.buffer.literal(*b"false")?)
    }

    /// # Safety
    /// `object` is an `int` or of a subclass, and lives.
    #[inline(always)]
    pub(in crate::json) unsafe fn integer(&mut self, object: Object) -> Written {
        // SAFETY: the caller says so; there is room.
        unsafe {
            let Some(integer) = number::integer(object) else {
                return self.special_integer(object);
            };
            if self.settings.options.has(Options::STRICT_INTEGER) && !integer.is_53_bits() {
                return Err(Stop::refused("Integer exceeds 53-bit range"));
            }
            self.buffer.reserve(number::ROOM)?;
            let end = number::write_integer(self.buffer.at(), &integer);
            self.buffer.set_at(end);
        }
        Ok(())
    }

    /// Writes the integers, each with its comma, with which `items` begin: up to a handful, so that the end of the text stays
    /// in a register. Gives how many; a rare one (long, or refused) and anything else ends the row.
    ///
    /// # Safety
    /// `items` points to `count` objects, which live until code runs; none runs here.
    #[inline(never)]
    pub(super) unsafe fn integers(
        &mut self,
        items: *const Object,
        count: isize,
    ) -> Result<isize, Stop> {
        const ROW: isize = 64;
        let strict = self.settings.options.has(Options::STRICT_INTEGER);
        let count = count.min(ROW);
        self.buffer.reserve(count.unsigned_abs() * number::ROOM)?;
        let mut at = self.buffer.at();
        let mut written = 0;
        // SAFETY: the caller says so; there is room for each.
        unsafe {
            while written < count {
                let item = *items.offset(written);
                if ffi::Py_TYPE(item) != &raw mut ffi::PyLong_Type {
                    break;
                }
                let Some(integer) = number::integer(item) else {
                    break;
                };
                if strict && !integer.is_53_bits() {
                    break;
                }
                at = number::write_integer(at, &integer);
                *at = b',';
                at = at.add(1);
                written += 1;
            }
            self.buffer.set_at(at);
        }
        Ok(written)
    }

    /// # Safety
    /// As for [`Writer::integer`].
    #[cold]
    unsafe fn special_integer(&mut self, object: Object) -> Written {
        // SAFETY: the caller says so; from here on the object is held.
        let object = unsafe { Bound::from_borrowed_ptr(self.py, object) };
        let written = gil::attach(|_| special::write_long_integer(self, &object));
        written.unwrap_or_else(|| Err(Stop::new(Cause::Finalizing)))
    }

    /// Writes a float. What JSON has no form for is null, unless the caller wants to be told.
    #[inline]
    pub fn float(&mut self, value: f64) -> Written {
        self.buffer.reserve(number::ROOM)?;
        // SAFETY: there is room.
        unsafe {
            let start = self.buffer.at();
            let size = value.abs();
            // The range in which every style writes the same.
            if (1e-4..1e16).contains(&size) || size == 0.0 {
                let end = number::write_float(start, value);
                self.buffer.set_at(end);
                return Ok(());
            }
        }
        self.rare_float(value)
    }

    #[cold]
    fn rare_float(&mut self, value: f64) -> Written {
        if self.settings.options.has(Options::AS_PYTHON) {
            return Err(Stop::refused("Python writes this number otherwise"));
        }
        if !value.is_finite() {
            if self.settings.options.has(Options::STRICT_FLOAT) {
                return Err(Stop::refused(&format!(
                    "{} has no form in JSON",
                    number::name_of(value)
                )));
            }
            return Ok(self.buffer.literal(*b"null")?);
        }
        let text = number::exponential(value);
        Ok(self.buffer.append(text.as_bytes())?)
    }

    /// Writes a float of 32 bits in its own shortest form.
    pub fn short_float(&mut self, value: f32) -> Written {
        if !value.is_finite() {
            return self.rare_float(value.into());
        }
        self.buffer.reserve(number::ROOM)?;
        // SAFETY: there is room.
        unsafe {
            let end = number::write_float(self.buffer.at(), value);
            self.buffer.set_at(end);
        }
        Ok(())
    }

    /// Writes an integer.
    pub fn signed(&mut self, value: i64) -> Written {
        let magnitude = value.unsigned_abs();
        let integer = if value < 0 {
            number::Integer::Negative(magnitude)
        } else {
            number::Integer::Positive(magnitude)
        };
        self.plain_integer(&integer)
    }

    /// Writes an integer.
    pub fn unsigned(&mut self, value: u64) -> Written {
        self.plain_integer(&number::Integer::Positive(value))
    }

    fn plain_integer(&mut self, integer: &number::Integer) -> Written {
        self.buffer.reserve(number::ROOM)?;
        // SAFETY: there is room.
        unsafe {
            let end = number::write_integer(self.buffer.at(), integer);
            self.buffer.set_at(end);
        }
        Ok(())
    }
}
