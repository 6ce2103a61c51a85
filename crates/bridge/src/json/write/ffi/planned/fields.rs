//! Models: an instance's `__dict__` is walked beside the plan's fields.

use std::ptr;

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PySet, PyString};

use super::super::buffer::SLACK;
use super::super::walk::{Held, Object, Writer};
use super::{Under, surprise};
use crate::json::model::{BLOCK, Class, Field, Key, Model};
use crate::json::write::stop::Written;

// A short key's block is stored into the slack of the last reservation, behind a comma.
const _: () = assert!(BLOCK < SLACK / 2);

impl<'py> Writer<'_, 'py> {
    #[inline]
    pub(super) fn is_of(&self, class: *mut ffi::PyTypeObject, known: &Class) -> bool {
        class.cast() == known.0.bind(self.py).as_ptr()
    }

    /// # Safety
    /// `object` lives until code runs.
    pub(super) unsafe fn model(
        &mut self,
        under: Under<'_>,
        model: &Model,
        object: Object,
    ) -> Written {
        // SAFETY: the caller says so; object and dictionary are held, keys and values borrowed until code runs. The
        // interpreter checks the position in the dictionary itself.
        unsafe {
            let _object = Held::new(object);
            let Some(attributes) = self.attributes_of(under, model, object) else {
                return surprise();
            };
            let wishes = under.plan.wishes;
            let set = wishes.exclude_unset.then(|| self.fields_set(object));
            let set = set.transpose()?;
            self.enter(b'{')?;
            let (mut next, mut used, mut position) = (0, 0, 0);
            let (mut key, mut value) = (ptr::null_mut(), ptr::null_mut());
            let place = &raw mut position;
            // What comes behind the last field is no field; asking for it costs as much as a field.
            while used < model.fields.len() {
                if ffi::PyDict_Next(attributes.0, place, &raw mut key, &raw mut value) == 0 {
                    return surprise();
                }
                let field = match model.fields.get(next) {
                    Some(field) if field.name.bind(self.py).as_ptr() == key => field,
                    _ => match self.field(&model.fields, key) {
                        Some(found) => {
                            next = found;
                            &model.fields[found]
                        }
                        None if under.exact => return surprise(),
                        None => continue,
                    },
                };
                next += 1;
                used += 1;
                let Some(shown) = &field.key else { continue };
                if wishes.exclude_none && value == ffi::Py_None() {
                    continue;
                }
                if let Some(set) = &set
                    && !set.contains(field.name.bind(self.py))?
                {
                    continue;
                }
                self.planned_key(shown)?;
                self.node(under, &field.node, value)?;
                self.punctuate(b',');
            }
            if under.exact && ffi::PyDict_Size(attributes.0).unsigned_abs() != used {
                return surprise();
            }
        }
        self.ascend::<false>(b'}')
    }

    /// The attributes of an instance of the model, or of a subclass: what Pydantic writes as the model, too.
    ///
    /// # Safety
    /// `object` is held.
    #[inline]
    unsafe fn attributes_of(
        &self,
        under: Under<'_>,
        model: &Model,
        object: Object,
    ) -> Option<Held> {
        // SAFETY: the caller says so. A positive offset is the place of an instance's dictionary, which may be missing.
        unsafe {
            let class = ffi::Py_TYPE(object);
            let own = self.is_of(class, &model.class);
            let offset = (*class).tp_dictoffset;
            let attributes = if own && offset > 0 && !cfg!(Py_GIL_DISABLED) {
                let dict = *object.byte_offset(offset).cast::<Object>();
                (!dict.is_null()).then(|| Held::new(dict))
            } else if own {
                // What `__dict__` gives where no class has it done otherwise.
                let dict = ffi::PyObject_GenericGetDict(object, ptr::null_mut());
                if dict.is_null() {
                    ffi::PyErr_Clear();
                }
                (!dict.is_null()).then(|| Held::owned(dict))
            } else {
                self.asked_attributes(under, model, object)
            };
            attributes.filter(|held| ffi::Py_TYPE(held.0) == &raw mut ffi::PyDict_Type)
        }
    }

    /// The attributes of a subclass's instance, whose class may have code of its own for them.
    ///
    /// # Safety
    /// `object` is held.
    #[inline(never)]
    unsafe fn asked_attributes(
        &self,
        under: Under<'_>,
        model: &Model,
        object: Object,
    ) -> Option<Held> {
        // SAFETY: the caller says so.
        let object = unsafe { Bound::from_borrowed_ptr(self.py, object) };
        let known = model.class.0.bind(self.py);
        if under.exact || !object.get_type().is_subclass(known).unwrap_or(false) {
            return None;
        }
        let attributes = object.getattr(intern!(self.py, "__dict__")).ok()?;
        // SAFETY: an owned reference.
        Some(unsafe { Held::owned(attributes.into_ptr()) })
    }

    /// The names of the fields that were set.
    ///
    /// # Safety
    /// `object` is held.
    unsafe fn fields_set(&self, object: Object) -> PyResult<Bound<'py, PySet>> {
        // SAFETY: the caller says so.
        let object = unsafe { Bound::from_borrowed_ptr(self.py, object) };
        let set = object.getattr(intern!(self.py, "__pydantic_fields_set__"))?;
        Ok(set.cast_into_exact()?)
    }

    /// The number of the field with this name, which stands at another place than planned; `None` for what is no field.
    ///
    /// # Safety
    /// `key` lives.
    #[inline(never)]
    unsafe fn field(&self, fields: &[Field], key: Object) -> Option<usize> {
        // SAFETY: the caller says so.
        let key = unsafe { Bound::from_borrowed_ptr(self.py, key) };
        fields.iter().position(|field| {
            let name = field.name.bind(self.py);
            name.is(&key)
                || key
                    .cast_exact::<PyString>()
                    .is_ok_and(|key| is_same(name, key))
        })
    }

    /// A key: as one block of fixed size where it is short.
    #[inline]
    fn planned_key(&mut self, key: &Key) -> Written {
        let Some((block, length)) = key.block() else {
            return Ok(self.buffer.append(key.as_slice())?);
        };
        // SAFETY: behind a bracket or a value's comma, a block fits into the slack; a value reserves anew.
        unsafe {
            let at = self.buffer.at();
            at.cast::<[u8; BLOCK]>().write_unaligned(*block);
            self.buffer.set_at(at.add(length));
        }
        Ok(())
    }
}

/// Whether two strings are one text; comparing them runs no code.
fn is_same(one: &Bound<'_, PyString>, other: &Bound<'_, PyString>) -> bool {
    // SAFETY: attached, with two strings.
    unsafe { ffi::PyUnicode_Compare(one.as_ptr(), other.as_ptr()) == 0 }
}
