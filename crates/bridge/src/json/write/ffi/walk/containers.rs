//! Lists, tuples and dictionaries.
//!
//! A container holds itself while it is walked; its items are borrowed from it, and those that may run code hold themselves.
//! Code may change a container meanwhile: its size is compared after each item, and an index is never used unchecked.

use std::ptr;

use pyloop::gil;
use pyo3::ffi;
use pyo3::prelude::*;

use super::{Held, Object, Writer};
use crate::json::write::keys;
use crate::json::write::options::Options;
use crate::json::write::stop::{Cause, Stop, Written};

impl Writer<'_, '_> {
    /// # Safety
    /// `list` is a list, and lives.
    pub(super) unsafe fn list<const PRETTY: bool>(&mut self, list: Object) -> Written {
        // SAFETY: the list is held; an item is fetched only after the size was compared.
        unsafe {
            let count = ffi::PyList_GET_SIZE(list);
            if count == 0 {
                return Ok(self.buffer.literal(*b"[]")?);
            }
            let _held = Held::new(list);
            self.open(list, b'[')?;
            let mut index = 0;
            while index < count {
                if ffi::PyList_GET_SIZE(list) != count {
                    return Err(Stop::changed("list"));
                }
                if PRETTY {
                    self.break_line()?;
                }
                let item = ffi::PyList_GET_ITEM(list, index);
                if !PRETTY && ffi::Py_TYPE(item) == &raw mut ffi::PyLong_Type {
                    let items = (*list.cast::<ffi::PyListObject>()).ob_item;
                    let written = self.integers(items.offset(index), count - index)?;
                    index += written;
                    if written > 0 {
                        self.offer_if_due();
                        continue;
                    }
                }
                if let Err(stop) = self.value::<PRETTY>(item) {
                    return Err(stop.at_index(index.unsigned_abs(), list));
                }
                self.punctuate(b',');
                self.offer_if_due();
                index += 1;
            }
        }
        self.ascend::<PRETTY>(b']')
    }

    /// # Safety
    /// `tuple` is a tuple, and lives.
    pub(super) unsafe fn tuple<const PRETTY: bool>(&mut self, tuple: Object) -> Written {
        // SAFETY: the tuple is held, and never changes.
        unsafe {
            let count = ffi::PyTuple_GET_SIZE(tuple);
            if count == 0 {
                return Ok(self.buffer.literal(*b"[]")?);
            }
            let _held = Held::new(tuple);
            self.open(tuple, b'[')?;
            for index in 0..count {
                if PRETTY {
                    self.break_line()?;
                }
                let item = ffi::PyTuple_GET_ITEM(tuple, index);
                if let Err(stop) = self.value::<PRETTY>(item) {
                    return Err(stop.at_index(index.unsigned_abs(), tuple));
                }
                self.punctuate(b',');
                self.offer_if_due();
            }
        }
        self.ascend::<PRETTY>(b']')
    }

    /// Writes a dictionary: as one, or as an object's attributes, of which those with an underscore stay out.
    ///
    /// # Safety
    /// `dict` is a dictionary or of a subclass, and lives.
    pub(super) unsafe fn dict<const PRETTY: bool, const ATTRIBUTES: bool>(
        &mut self,
        dict: Object,
    ) -> Written {
        // SAFETY: the dictionary is held; key and value are borrowed until code runs: writing a key runs none. The
        // interpreter checks the position itself.
        unsafe {
            let size = &raw const (*dict.cast::<ffi::PyDictObject>()).ma_used;
            let count = *size;
            if count == 0 {
                return Ok(self.buffer.literal(*b"{}")?);
            }
            let _held = Held::new(dict);
            if !ATTRIBUTES && self.settings.options.has(Options::DICT_BY_OTHER_RULES) {
                return self.dict_by_other_rules(dict);
            }
            self.open(dict, b'{')?;
            let (mut position, mut left) = (0, count);
            let (mut key, mut value) = (ptr::null_mut(), ptr::null_mut());
            // Asking for more than there is costs as much as any other item.
            while left > 0 {
                left -= 1;
                if ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) == 0 {
                    return Err(Stop::changed("dictionary"));
                }
                if ffi::PyUnicode_Check(key) == 0 {
                    let key = Bound::from_borrowed_ptr(self.py, key);
                    return Err(Stop::refused_key(&key));
                }
                if ATTRIBUTES && self.is_private(key)? {
                    continue;
                }
                if PRETTY {
                    self.break_line()?;
                }
                let named = self.buffer.len();
                if let Err(stop) = self.key(key) {
                    return Err(stop.at_key(None, dict));
                }
                self.punctuate(b':');
                if PRETTY {
                    self.punctuate(b' ');
                }
                if let Err(stop) = self.value::<PRETTY>(value) {
                    return Err(stop.at_key(self.buffer.as_slice().get(named..), dict));
                }
                self.punctuate(b',');
                self.offer_if_due();
                if *size != count {
                    return Err(Stop::changed("dictionary"));
                }
            }
        }
        self.ascend::<PRETTY>(b'}')
    }

    /// # Safety
    /// `dict` is a dictionary, and is held.
    #[cold]
    #[inline(never)]
    unsafe fn dict_by_other_rules(&mut self, dict: Object) -> Written {
        // SAFETY: the caller says so.
        let dict = unsafe { Bound::from_borrowed_ptr(self.py, dict).cast_into_unchecked() };
        let written = gil::attach(|_| keys::write(self, &dict));
        written.unwrap_or_else(|| Err(Stop::new(Cause::Finalizing)))
    }
}
