//! The walk through what a document consists of most: strings, numbers, constants, lists, tuples and dictionaries of the
//! exact built-in types. Everything else is handed to [`special`].
//!
//! A container holds itself while it is walked; its items are borrowed from it, and those that may run code hold themselves.
//! Code may change a container meanwhile: its size is compared after each item, and an index is never used unchecked.

#![allow(clippy::inline_always)] // a value's dispatch belongs into the loop of its container: measured

use std::ptr;

use pyloop::gil;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::buffer::{Buffer, Document, Into};
use super::kernel::{Kernel, kernel};
use super::{number, text};
use crate::json::write::options::{Dialect, Options, Settings};
use crate::json::write::stop::{Cause, Stop, Written};
use crate::json::write::{keys, special};

/// Containers inside of one another.
pub const DEPTH: u32 = 254;

/// Text of this length is written in pieces.
const PIECE: usize = 4096;

/// Bytes after which a document offers the GIL for the first time, and then again and again.
const FIRST_OFFER: usize = 64 * 1024;
const NEXT_OFFER: usize = 256 * 1024;

type Object = *mut ffi::PyObject;

/// Writes one document.
pub struct Writer<'a, 'py> {
    py: Python<'py>,
    buffer: Buffer,
    kernel: Kernel,
    ascii_bits: u32,
    depth: u32,
    /// Calls of `default` inside of one another.
    pub(in crate::json) defaults: u32,
    pub(in crate::json) settings: Settings<'a, 'py>,
}

/// A counted reference to what is being walked.
struct Held(Object);

impl Held {
    /// # Safety
    /// `object` lives, and the thread is attached until the end of this value.
    #[inline]
    unsafe fn new(object: Object) -> Self {
        // SAFETY: the caller says so.
        unsafe { ffi::Py_INCREF(object) };
        Self(object)
    }
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: `new` counted this reference.
        unsafe { ffi::Py_DECREF(self.0) }
    }
}

impl<'a, 'py> Writer<'a, 'py> {
    /// A writer of one document.
    #[inline]
    pub fn new(py: Python<'py>, into: Into, settings: Settings<'a, 'py>) -> Self {
        let mut buffer = Buffer::new(into);
        buffer.set_mark(FIRST_OFFER);
        Self {
            py,
            buffer,
            kernel: kernel(),
            ascii_bits: text::ascii_bits(py),
            depth: 0,
            defaults: 0,
            settings,
        }
    }

    /// What was written.
    pub fn buffer(&mut self) -> &mut Buffer {
        &mut self.buffer
    }

    /// The whole, for a response.
    pub fn finish(self) -> Document {
        self.buffer.finish()
    }

    /// Writes a value.
    #[inline]
    pub fn write(&mut self, object: &Bound<'py, PyAny>) -> Written {
        // SAFETY: a `Bound` is held by the caller for the whole call.
        unsafe {
            if self.is_pretty() {
                self.value::<true>(object.as_ptr())
            } else {
                self.value::<false>(object.as_ptr())
            }
        }
    }

    /// # Safety
    /// `object` lives until code runs.
    #[inline(always)]
    unsafe fn value<const PRETTY: bool>(&mut self, object: Object) -> Written {
        // SAFETY: the class says what the object is; what may run code holds the object first.
        unsafe {
            let class = ffi::Py_TYPE(object);
            if class == &raw mut ffi::PyUnicode_Type {
                self.text(object)
            } else if class == &raw mut ffi::PyLong_Type {
                self.integer(object)
            } else if class == &raw mut ffi::PyDict_Type {
                self.dict::<PRETTY, false>(object)
            } else if class == &raw mut ffi::PyFloat_Type {
                self.float(ffi::PyFloat_AS_DOUBLE(object))
            } else if class == &raw mut ffi::PyBool_Type {
                self.constant(object == ffi::Py_True())
            } else if object == ffi::Py_None() {
                Ok(self.buffer.literal(*b"null")?)
            } else if class == &raw mut ffi::PyList_Type {
                self.list::<PRETTY>(object)
            } else if class == &raw mut ffi::PyTuple_Type {
                self.tuple::<PRETTY>(object)
            } else {
                self.special(object)
            }
        }
    }

    /// # Safety
    /// `object` lives until code runs.
    #[cold]
    #[inline(never)]
    unsafe fn special(&mut self, object: Object) -> Written {
        // SAFETY: the caller says so; from here on the object is held.
        let object = unsafe { Bound::from_borrowed_ptr(self.py, object) };
        // What a document holds beside the built-in types runs code of `PyO3`, which has to know that it is attached.
        let written = gil::attach(|_| special::write(self, &object));
        written.unwrap_or_else(|| Err(Stop::new(Cause::Finalizing)))
    }

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
    unsafe fn integers(&mut self, items: *const Object, count: isize) -> Result<isize, Stop> {
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
        if !value.is_finite() {
            if self.settings.options.has(Options::STRICT_FLOAT) {
                return Err(Stop::refused(&format!(
                    "{} has no form in JSON",
                    number::name_of(value)
                )));
            }
            return Ok(self.buffer.literal(*b"null")?);
        }
        let text = number::exponential(value, self.settings.float_style);
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
    unsafe fn key(&mut self, object: Object) -> Written {
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

    /// Lets other threads have the GIL.
    #[cold]
    #[inline(never)]
    fn offer(&mut self) {
        self.buffer.set_mark(self.buffer.len() + NEXT_OFFER);
        gil::offer(self.py);
    }

    /// Offers the GIL where enough was written since the last time. Other code may run here.
    #[inline]
    pub fn offer_if_due(&mut self) {
        if self.buffer.is_past_mark() {
            self.offer();
        }
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

    /// A dictionary whose text began at `started` has a key that is no exact `str`.
    ///
    /// # Safety
    /// `dict` is held, `key` lives until code runs.
    #[cold]
    #[inline(never)]
    unsafe fn odd_key(&mut self, dict: Object, key: Object, started: usize) -> Written {
        // SAFETY: the caller says so.
        let (dict, key) = unsafe {
            (
                Bound::from_borrowed_ptr(self.py, dict),
                Bound::from_borrowed_ptr(self.py, key),
            )
        };
        let Dialect::Web(web) = self.settings.dialect else {
            return Err(Stop::refused_key(&key));
        };
        self.buffer.truncate(started);
        self.depth -= 1;
        web.write(self, &dict)
    }

    /// Whether a name begins with an underscore.
    ///
    /// # Safety
    /// As for [`Writer::key`].
    unsafe fn is_private(&mut self, name: Object) -> Result<bool, Stop> {
        // SAFETY: the caller says so.
        unsafe {
            let (start, length) = match text::ascii(name, self.ascii_bits) {
                Some(found) => found,
                None => self.utf8(name)?,
            };
            Ok(length > 0 && *start == b'_')
        }
    }

    /// Writes an object's attributes.
    pub fn attributes(&mut self, attributes: &Bound<'py, PyDict>) -> Written {
        // SAFETY: a dictionary, held by the caller.
        unsafe {
            if self.is_pretty() {
                self.dict::<true, true>(attributes.as_ptr())
            } else {
                self.dict::<false, true>(attributes.as_ptr())
            }
        }
    }

    /// Writes an instance of a subclass as the built-in type that it is based on.
    pub fn subclass(&mut self, object: &Bound<'py, PyAny>) -> Written {
        let pointer = object.as_ptr();
        // SAFETY: the flags say what the object is based on, and the caller holds it.
        unsafe {
            if ffi::PyUnicode_Check(pointer) != 0 {
                self.text(pointer)
            } else if ffi::PyLong_Check(pointer) != 0 {
                self.integer(pointer)
            } else if ffi::PyList_Check(pointer) != 0 && self.is_pretty() {
                self.list::<true>(pointer)
            } else if ffi::PyList_Check(pointer) != 0 {
                self.list::<false>(pointer)
            } else if ffi::PyDict_Check(pointer) == 0 {
                Err(Stop::unknown(object, None))
            } else if self.is_pretty() {
                self.dict::<true, false>(pointer)
            } else {
                self.dict::<false, false>(pointer)
            }
        }
    }

    /// Whether lines are broken.
    #[inline]
    pub fn is_pretty(&self) -> bool {
        self.settings.options.has(Options::INDENT_2)
    }

    /// Leaves what has no brackets.
    pub fn rise(&mut self) {
        self.depth -= 1;
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

    /// # Safety
    /// `list` is a list, and lives.
    unsafe fn list<const PRETTY: bool>(&mut self, list: Object) -> Written {
        // SAFETY: the list is held; an item is fetched only after the size was compared.
        unsafe {
            let _held = Held::new(list);
            let count = ffi::PyList_GET_SIZE(list);
            if count == 0 {
                return Ok(self.buffer.literal(*b"[]")?);
            }
            self.descend(list)?;
            self.buffer.reserve(1)?;
            self.punctuate(b'[');
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
    unsafe fn tuple<const PRETTY: bool>(&mut self, tuple: Object) -> Written {
        // SAFETY: the tuple is held, and never changes.
        unsafe {
            let _held = Held::new(tuple);
            let count = ffi::PyTuple_GET_SIZE(tuple);
            if count == 0 {
                return Ok(self.buffer.literal(*b"[]")?);
            }
            self.descend(tuple)?;
            self.buffer.reserve(1)?;
            self.punctuate(b'[');
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
    unsafe fn dict<const PRETTY: bool, const ATTRIBUTES: bool>(&mut self, dict: Object) -> Written {
        // SAFETY: the dictionary is held; key and value are borrowed until code runs: writing a key runs none. The
        // interpreter checks the position itself.
        unsafe {
            let _held = Held::new(dict);
            let size = &raw const (*dict.cast::<ffi::PyDictObject>()).ma_used;
            let count = *size;
            if count == 0 {
                return Ok(self.buffer.literal(*b"{}")?);
            }
            if !ATTRIBUTES && self.settings.options.has(Options::DICT_BY_OTHER_RULES) {
                return self.dict_by_other_rules(dict);
            }
            let started = self.buffer.len();
            self.descend(dict)?;
            self.buffer.reserve(1)?;
            self.punctuate(b'{');
            let (mut position, mut written) = (0, 0);
            let (mut key, mut value) = (ptr::null_mut(), ptr::null_mut());
            while ffi::PyDict_Next(dict, &raw mut position, &raw mut key, &raw mut value) != 0 {
                if ffi::Py_TYPE(key) != &raw mut ffi::PyUnicode_Type {
                    let is_text = ffi::PyUnicode_Check(key) != 0;
                    if matches!(self.settings.dialect, Dialect::Web(_)) || !is_text {
                        return self.odd_key(dict, key, started);
                    }
                }
                if ATTRIBUTES && self.is_private(key)? {
                    written += 1;
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
                written += 1;
                if *size != count {
                    return Err(Stop::changed("dictionary"));
                }
            }
            if written != count {
                return Err(Stop::changed("dictionary"));
            }
        }
        self.ascend::<PRETTY>(b'}')
    }
}
