//! Containers that are put together from parts, not walked in an object's memory.

use pyo3::prelude::*;

use super::Writer;
use super::stop::{Stop, Written};

impl<'py> Writer<'_, 'py> {
    /// Writes what stands for `object`, one level further down.
    pub fn nested(
        &mut self,
        object: &Bound<'py, PyAny>,
        write: impl FnOnce(&mut Self) -> Written,
    ) -> Written {
        self.descend(object.as_ptr())?;
        write(self)?;
        self.rise();
        Ok(())
    }

    /// Writes pairs as an object, in their order.
    pub fn object<'a>(
        &mut self,
        container: &Bound<'py, PyAny>,
        pairs: impl Iterator<Item = (&'a str, &'a Bound<'py, PyAny>)>,
    ) -> Written
    where
        'py: 'a,
    {
        let pretty = self.is_pretty();
        self.descend(container.as_ptr())?;
        self.buffer().append(b"{")?;
        for (key, value) in pairs {
            if pretty {
                self.break_line()?;
            }
            let named = self.buffer().len();
            self.str(key)?;
            self.buffer().append(if pretty { b": " } else { b":" })?;
            if let Err(stop) = self.write(value) {
                let written = self.buffer().as_slice().get(named..);
                return Err(stop.at_key(written, container.as_ptr()));
            }
            self.buffer().append(b",")?;
            self.offer_if_due();
        }
        self.close(b'}')
    }

    /// Writes `length` items as an array.
    pub fn array(
        &mut self,
        container: &Bound<'py, PyAny>,
        length: usize,
        mut item: impl FnMut(&mut Self, usize) -> Written,
    ) -> Written {
        let pretty = self.is_pretty();
        self.descend(container.as_ptr())?;
        self.buffer().append(b"[")?;
        for index in 0..length {
            if pretty {
                self.break_line()?;
            }
            item(self, index).map_err(|stop: Stop| stop.at_index(index, container.as_ptr()))?;
            self.buffer().append(b",")?;
            self.offer_if_due();
        }
        self.close(b']')
    }

    fn close(&mut self, bracket: u8) -> Written {
        if self.is_pretty() {
            self.ascend::<true>(bracket)
        } else {
            self.ascend::<false>(bracket)
        }
    }
}
