//! Strings and keys. Knows quotation marks; escapes are `escape.rs`'s, characters `ffi/characters.rs`'s.

use super::Reader;
use super::error::{Fault, Problem};
use super::ffi::keys::{self, Link, Next};
use super::ffi::{self, Object};

impl<'py> Reader<'_, 'py> {
    /// The string at the quotation mark.
    #[inline(always)]
    pub fn string(&mut self) -> Result<Object<'py>, Fault> {
        let start = self.at + 1;
        let run = ffi::run(self.text, start);
        let end = start + run.length;
        if self.text.get(end) != Some(&b'"') {
            return self.unusual_string(start, end);
        }
        self.at = end + 1;
        let bytes = &self.text[start..end];
        if run.ascii {
            ffi::ascii(self.py, bytes)
        } else {
            ffi::utf8(self.py, bytes).map_err(|fault| fault.found_at(start))
        }
    }

    /// A key, pushed on the value stack, and where the keys after it are guessed.
    #[inline(always)]
    pub fn key(&mut self, guess: Link) -> Result<Next, Fault> {
        let start = self.at + 1;
        if let Some((length, key, next)) = keys::guessed(self.py, guess, self.text, start) {
            self.at = start + length;
            self.values.push(key);
            return Ok(next);
        }
        let run = ffi::run(self.text, start);
        let end = start + run.length;
        if self.text.get(end) != Some(&b'"') || run.length > keys::LONGEST {
            let key = self.string()?;
            self.values.push(key);
            return Ok(Next::UNKNOWN);
        }
        let bytes = &self.text[start..end];
        let (key, next) = keys::found(self.py, guess, bytes, |py| {
            if run.ascii {
                ffi::ascii(py, bytes)
            } else {
                ffi::utf8(py, bytes).map_err(|fault| fault.found_at(start))
            }
        })?;
        self.at = end + 1;
        self.values.push(key);
        Ok(next)
    }

    /// A string that does not end where its first plain run does: it is long, it has escapes, or it is no string.
    #[cold]
    #[inline(never)]
    fn unusual_string(&mut self, start: usize, first: usize) -> Result<Object<'py>, Fault> {
        let mut end = first;
        while self.text.get(end).is_some_and(|byte| ffi::is_plain(*byte)) {
            pyloop::gil::offer(self.py);
            end += ffi::run(self.text, end).length;
        }
        if self.text.get(end) == Some(&b'"') {
            self.at = end + 1;
            return ffi::utf8(self.py, &self.text[start..end])
                .map_err(|fault| fault.found_at(start));
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let result = self.unescape(start, end, &mut scratch).and_then(|end| {
            self.at = end + 1;
            ffi::utf8(self.py, &scratch).map_err(|fault| self.fault_in_text(start, end, fault))
        });
        self.scratch = scratch;
        result
    }

    /// The unescaped bytes were no UTF-8, so the string as it was sent was none.
    #[cold]
    fn fault_in_text(&self, start: usize, end: usize, fault: Fault) -> Fault {
        match std::str::from_utf8(&self.text[start..end]) {
            Err(error) => Fault::new(start + error.valid_up_to(), Problem::Utf8),
            Ok(_) => fault,
        }
    }
}
