//! What a `StreamReader` holds, and what a read may take of it. Knows no transport and no coroutine.
//!
//! Only what is plain is done here; [`Supply::Unusual`] leaves the whole read to asyncio's own method, before anything was taken.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyByteArrayMethods, PyBytes, PyInt};

use super::attributes::{Attributes, name};
use super::handover::Portion;
use super::original::Original;
use crate::ffi::{buffer, create};

/// What a read finds.
pub enum Supply<'py> {
    /// The data, taken.
    Data(Bound<'py, PyBytes>),
    /// Too little: wait for what this future tells of, which is the reader's waiter now; and how much the read takes then, if
    /// that does not depend on what comes.
    Wait(Bound<'py, PyAny>, Option<Portion>),
    /// Nothing was done: call asyncio's method.
    Unusual,
}

const UNUSUAL: PyResult<Supply<'_>> = Ok(Supply::Unusual);

/// A reader that is as asyncio has made it.
pub struct Plain<'a, 'py> {
    reader: &'a Bound<'py, PyAny>,
    state: Attributes<'py>,
    buffer: Bound<'py, PyByteArray>,
    has_waited: bool,
}

impl<'a, 'py> Plain<'a, 'py> {
    /// `None`: something about the reader is unusual. One that has failed has data for who has waited for it, and no other.
    pub fn of(
        reader: &'a Bound<'py, PyAny>,
        state: Attributes<'py>,
        has_waited: bool,
    ) -> PyResult<Option<Self>> {
        let py = reader.py();
        if !Original::reader(py)?.is_untouched(py)? {
            return Ok(None);
        }
        let Ok(buffer) = state.get(name!("_buffer"))?.cast_into_exact() else {
            return Ok(None);
        };
        let plain = Self {
            reader,
            state,
            buffer,
            has_waited,
        };
        Ok((has_waited || !plain.has_failed()?).then_some(plain))
    }

    fn has_failed(&self) -> PyResult<bool> {
        Ok(!self.state.is_none(name!("_exception"))?)
    }

    /// `readexactly(n)`
    pub fn exactly(&self, n: &Bound<'py, PyAny>) -> PyResult<Supply<'py>> {
        self.portion(amount(n).map(Portion::Exactly))
    }

    /// `read(n)`
    pub fn some(&self, n: &Bound<'py, PyAny>) -> PyResult<Supply<'py>> {
        self.portion(amount(n).map(Portion::UpTo))
    }

    fn portion(&self, portion: Option<Portion>) -> PyResult<Supply<'py>> {
        match portion.map(|portion| portion.of(self.buffer.len())) {
            Some(Some(n)) => self.take(n),
            Some(None) => self.wait(portion),
            None => UNUSUAL,
        }
    }

    /// `readuntil(separator)`; the first `passed` bytes were looked at before, and are those that need not be again.
    pub fn until(
        &self,
        separator: &Bound<'py, PyAny>,
        passed: &mut usize,
    ) -> PyResult<Supply<'py>> {
        let py = separator.py();
        let Ok(separator) = separator.cast_exact::<PyBytes>() else {
            return UNUSUAL;
        };
        let length = separator.as_bytes().len();
        let limit = self.state.get(name!("_limit"))?;
        let Ok(limit) = limit.extract::<usize>() else {
            return UNUSUAL; // a limit may be any number
        };
        if length == 0 {
            return UNUSUAL;
        }
        let find = intern!(py, "find");
        let start = self.buffer.call_method1(find, (separator, *passed))?;
        if let Ok(start) = start.extract::<usize>() {
            return if start <= limit {
                self.take(start + length)
            } else {
                UNUSUAL
            };
        }
        *passed = (self.buffer.len() + 1).saturating_sub(length);
        if *passed <= limit {
            self.wait(None)
        } else {
            UNUSUAL
        }
    }

    /// The first `n` bytes of at least as many.
    fn take(&self, n: usize) -> PyResult<Supply<'py>> {
        let data = buffer::take(&self.buffer, n)?;
        let py = data.py();
        if self.state.is(name!("_paused"))? {
            self.reader
                .call_method0(intern!(py, "_maybe_resume_transport"))?;
        }
        Ok(Supply::Data(data))
    }

    /// `_wait_for_data()` of a reader that is not at its end and has nobody else waiting, up to its wait.
    fn wait(&self, portion: Option<Portion>) -> PyResult<Supply<'py>> {
        let py = self.buffer.py();
        if self.state.is(name!("_eof"))?
            || !self.state.is_none(name!("_waiter"))?
            || self.state.has(name!("_wait_for_data"))?
            || (self.has_waited && self.has_failed()?)
        {
            return UNUSUAL;
        }
        if self.state.is(name!("_paused"))? {
            self.state.set(name!("_paused"), false)?;
            let transport = self.state.get(name!("_transport"))?;
            transport.call_method0(intern!(py, "resume_reading"))?;
        }
        let owner = self.state.get(name!("_loop"))?;
        let future = create::future_of(&owner)?;
        self.state.set(name!("_waiter"), &future)?;
        Ok(Supply::Wait(future, portion))
    }
}

/// Nobody waits in the reader with these attributes any more, if it was with this future.
pub fn end_wait<'py>(state: &Attributes<'py>, future: &Bound<'py, PyAny>) -> PyResult<()> {
    if state.has_as(name!("_waiter"), future)? {
        state.set(name!("_waiter"), None::<Py<PyAny>>)?;
    }
    Ok(())
}

/// A number of bytes that is neither nothing nor everything.
fn amount(n: &Bound<'_, PyAny>) -> Option<usize> {
    let n = n.cast_exact::<PyInt>().ok()?;
    n.extract().ok().filter(|n| *n > 0)
}
