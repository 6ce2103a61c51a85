//! Lists, tuples, sets and dictionaries whose items have a plan.

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;

use super::super::walk::{Held, Object, Writer};
use super::{Under, surprise};
use crate::json::model::Node;
use crate::json::write::stop::{Stop, Written};

/// How keys begin, with their quote, that `FastAPI` leaves out: names that `SQLAlchemy` keeps for itself.
const LEFT_OUT: &[u8] = b"\"_sa";

impl Writer<'_, '_> {
    /// # Safety
    /// `list` is a list and lives.
    pub(super) unsafe fn planned_list(
        &mut self,
        under: Under<'_>,
        inner: &Node,
        list: Object,
    ) -> Written {
        // SAFETY: the list is held; an item is fetched only after the size was compared.
        unsafe {
            let _held = Held::new(list);
            self.enter(b'[')?;
            let count = ffi::PyList_GET_SIZE(list);
            for index in 0..count {
                if ffi::PyList_GET_SIZE(list) != count {
                    return Err(Stop::changed("list"));
                }
                self.node(under, inner, ffi::PyList_GET_ITEM(list, index))?;
                self.punctuate(b',');
                self.offer_if_due();
            }
        }
        self.ascend::<false>(b']')
    }

    /// # Safety
    /// `tuple` is a tuple and lives.
    pub(super) unsafe fn planned_tuple<'n>(
        &mut self,
        under: Under<'_>,
        inner: impl Fn(usize) -> Option<&'n Node>,
        tuple: Object,
    ) -> Written {
        // SAFETY: the tuple is held, and never changes.
        unsafe {
            let _held = Held::new(tuple);
            self.enter(b'[')?;
            for index in 0..ffi::PyTuple_GET_SIZE(tuple) {
                let Some(node) = inner(index.unsigned_abs()) else {
                    return surprise();
                };
                self.node(under, node, ffi::PyTuple_GET_ITEM(tuple, index))?;
                self.punctuate(b',');
                self.offer_if_due();
            }
        }
        self.ascend::<false>(b']')
    }

    /// # Safety
    /// `set` is a set or a frozen one and lives.
    pub(super) unsafe fn planned_set(
        &mut self,
        under: Under<'_>,
        inner: &Node,
        set: Object,
    ) -> Written {
        // SAFETY: the caller says so; from here on the set is held, and so is each item.
        unsafe {
            let set = Bound::from_borrowed_ptr(self.py, set);
            self.enter(b'[')?;
            for item in set.try_iter()? {
                self.node(under, inner, item?.as_ptr())?;
                self.punctuate(b',');
                self.offer_if_due();
            }
        }
        self.ascend::<false>(b']')
    }

    /// # Safety
    /// `dict` is a dictionary and lives.
    pub(super) unsafe fn planned_dict(
        &mut self,
        under: Under<'_>,
        inner: &Node,
        dict: Object,
    ) -> Written {
        // SAFETY: the dictionary is held; key and value are borrowed until code runs: writing a key runs none. The
        // interpreter checks the position itself.
        unsafe {
            let _held = Held::new(dict);
            self.enter(b'{')?;
            let count = ffi::PyDict_Size(dict);
            let mut written = 0;
            let mut position = 0;
            let (mut key, mut value) = (ptr::null_mut(), ptr::null_mut());
            while ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) != 0 {
                if ffi::Py_TYPE(key) != &raw mut ffi::PyUnicode_Type {
                    return surprise();
                }
                let named = self.buffer.len();
                self.key(key)?;
                if under.plain && self.buffer.as_slice()[named..].starts_with(LEFT_OUT) {
                    return surprise();
                }
                self.punctuate(b':');
                self.node(under, inner, value)?;
                self.punctuate(b',');
                self.offer_if_due();
                written += 1;
                if ffi::PyDict_Size(dict) != count {
                    return Err(Stop::changed("dictionary"));
                }
            }
            if written != count {
                return Err(Stop::changed("dictionary"));
            }
        }
        self.ascend::<false>(b'}')
    }
}
