//! Strings and keys. Knows quotation marks; escapes are `escape.rs`'s, characters `ffi/characters.rs`'s.

use super::Reader;
use pyloop::gil;
use pyo3::Python;

use super::error::Fault;
use super::escape::{earlier, unescape};
use super::ffi::keys::{self, Known, Place};
use super::ffi::{self, Object};

impl<'py> Reader<'_, 'py> {
    /// The string at the quotation mark.
    #[inline(always)]
    pub fn string(&mut self) -> Result<Object<'py>, Fault> {
        let start = self.at + 1;
        let run = ffi::run(self.text, start);
        let end = start + run.length;
        if self.text.get(end) != Some(&b'"') {
            let (string, behind) = unusual(self.py, self.text, start, end, self.scratch)?;
            self.at = behind;
            return Ok(string);
        }
        self.at = end + 1;
        let bytes = &self.text[start..end];
        if run.ascii {
            ffi::ascii(self.py, bytes)
        } else {
            ffi::utf8(self.py, bytes).map_err(|fault| fault.found_at(start))
        }
    }

    /// A key, pushed on the value stack.
    #[inline(always)]
    pub fn key(&mut self, place: Place) -> Result<Known, Fault> {
        let start = self.at + 1;
        if let Some((length, key, known)) = keys::guessed(self.py, place, self.text, start) {
            self.at = start + length;
            self.values.push(key);
            return Ok(known);
        }
        let run = ffi::run(self.text, start);
        let end = start + run.length;
        if self.text.get(end) != Some(&b'"') || run.length > keys::LONGEST {
            let key = self.string()?;
            self.values.push(key);
            return Ok(keys::UNKNOWN);
        }
        let bytes = &self.text[start..end];
        let (key, known) = keys::found(self.py, place, bytes, |py| {
            if run.ascii {
                ffi::ascii(py, bytes)
            } else {
                ffi::utf8(py, bytes).map_err(|fault| fault.found_at(start))
            }
        })?;
        self.at = end + 1;
        self.values.push(key);
        Ok(known)
    }
}

/// A string that does not end where its first plain run does: it is long, it has escapes, or it is no string. Gives the offset
/// behind it, too.
#[inline(never)]
fn unusual<'py>(
    py: Python<'py>,
    text: &[u8],
    start: usize,
    first: usize,
    scratch: &mut Vec<u8>,
) -> Result<(Object<'py>, usize), Fault> {
    let mut end = first;
    while text.get(end).is_some_and(|byte| ffi::is_plain(*byte)) {
        gil::offer(py);
        end += ffi::run(text, end).length;
    }
    if text.get(end) == Some(&b'"') {
        let string = ffi::utf8(py, &text[start..end]).map_err(|fault| fault.found_at(start))?;
        return Ok((string, end + 1));
    }
    scratch.clear();
    let end = unescape(py, text, start, end, scratch)?;
    let string = ffi::utf8(py, scratch).map_err(|fault| earlier(text, start, end, fault))?;
    Ok((string, end + 1))
}
