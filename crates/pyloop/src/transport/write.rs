//! Writing: from the program to the socket, with flow control. Knows nothing of reading.
//!
//! What the callbacks of one poll or of one batch write is gathered and sent by one call at the end. Whoever could see
//! the difference to a send at once makes it happen: more than [`GATHER`] bytes or the upper mark, a loop that does not
//! run, another thread, and every question about the transport's state.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView};

use super::close::os_error;
use super::flow::Limits;
use super::input::{count_lost, exact_bytes};
use super::outgoing::Sent;
use super::stream::{Me, Stream};
use crate::ffi::{python, socket};

/// More than this is not gathered any further, in bytes.
const GATHER: usize = 16 * 1024;

impl Stream {
    /// `transport.write(data)`
    pub fn write(&self, me: &Me<'_>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let data = exact_bytes(data, wanted())?;
        self.check_writable("write")?;
        self.check_not_lent("write")?;
        if data.as_bytes().is_empty() || self.warn_if_lost(me)? {
            return Ok(());
        }
        self.append(data);
        self.send_soon(me)
    }

    /// `transport.writelines(list_of_data)`
    pub fn writelines(&self, me: &Me<'_>, list: &Bound<'_, PyAny>) -> PyResult<()> {
        self.check_writable("writelines")?;
        self.check_not_lent("writelines")?;
        let parts: Vec<_> = list
            .try_iter()?
            .map(|part| line(&part?))
            .collect::<PyResult<_>>()?;
        if parts.iter().all(|part| part.as_bytes().is_empty()) || self.warn_if_lost(me)? {
            return Ok(());
        }
        for part in parts {
            self.append(part);
        }
        self.send_soon(me)
    }

    fn check_writable(&self, method: &str) -> PyResult<()> {
        if self.eof_written.get() {
            return Err(PyRuntimeError::new_err(format!(
                "Cannot call {method}() after write_eof()"
            )));
        }
        Ok(())
    }

    fn append(&self, data: Bound<'_, PyBytes>) {
        if !data.as_bytes().is_empty() {
            self.outgoing.borrow_mut().push(data);
        }
    }

    fn warn_if_lost(&self, me: &Me<'_>) -> PyResult<bool> {
        if self.lost.get() == 0 {
            return Ok(false);
        }
        count_lost(me.py(), &self.lost)?;
        Ok(true)
    }

    /// Decides whether what was appended waits for more.
    fn send_soon(&self, me: &Me<'_>) -> PyResult<()> {
        let py = me.py();
        if self.blocked.get() {
            self.output_changed(me);
            return self.output_raised(me);
        }
        let size = self.outgoing.borrow().size();
        if size > GATHER.min(self.pressure.limits.get().high()) {
            return self.flush(me);
        }
        if self.dirty.replace(true) {
            return Ok(());
        }
        if self.serving.get() {
            return Ok(()); // `serve` looks at its end
        }
        let core = self.core(py);
        match self.watch() {
            Some(watch) if core.running_thread.get() == Some(python::thread_ident()) => {
                self.output_changed(me);
                core.mark_dirty(watch);
                Ok(())
            }
            _ => self.flush(me),
        }
    }

    /// What a callback from the poller has written is sent together with what the others of its poll write.
    pub fn flush_with_the_others(&self, me: &Me<'_>) {
        if let Some(watch) = self.watch() {
            self.output_changed(me);
            self.core(me.py()).mark_dirty(watch);
        } else {
            self.flush_reporting(me);
        }
    }

    /// Sends what was gathered. `Err`: only what must end the loop.
    pub fn flush(&self, me: &Me<'_>) -> PyResult<()> {
        let py = me.py();
        self.dirty.set(false);
        if self.blocked.get() || self.outgoing.borrow().is_empty() {
            return Ok(());
        }
        let sent = self.outgoing.borrow_mut().send(py, self.endpoint.fd());
        match sent {
            Ok(Sent::All) => {
                self.output_changed(me);
                Ok(())
            }
            Ok(Sent::Part) => {
                self.blocked.set(true);
                self.output_changed(me);
                self.output_raised(me)
            }
            Err(error) => {
                self.outgoing.borrow_mut().clear();
                self.fatal_io_error(me, &error, "Fatal write error on socket transport");
                Ok(())
            }
        }
    }

    /// Output has come or gone: while the transport reads, it is kept alive anyway.
    fn output_changed(&self, me: &Me<'_>) {
        if !self.reading.get() {
            self.update_hold(me);
        }
    }

    /// [`Stream::flush`] where nobody can return an error.
    pub fn flush_reporting(&self, me: &Me<'_>) {
        if let Err(error) = self.flush(me) {
            self.core(me.py()).interrupt(error);
        }
    }

    /// The socket has room again.
    pub fn continue_sending(&self, me: &Me<'_>) {
        let py = me.py();
        if self.lost.get() > 0 {
            return;
        }
        let sent = self.outgoing.borrow_mut().send(py, self.endpoint.fd());
        match sent {
            Ok(sent) => self.blocked.set(sent == Sent::Part),
            Err(error) => {
                self.outgoing.borrow_mut().clear();
                self.blocked.set(false);
                self.fatal_io_error(me, &error, "Fatal write error on socket transport");
                if let Err(error) = self.tell_empty_waiter(py, Some(os_error(py, &error))) {
                    self.core(py).interrupt(error);
                }
                return;
            }
        }
        let size = self.outgoing.borrow().size();
        self.pressure.sunk(&self.parties(me), size);
        self.flush_reporting(me); // what the protocol has written in `resume_writing`
        if self.outgoing.borrow().is_empty() {
            self.sent_all(me);
        }
    }

    /// What had to wait for the end of the output.
    fn sent_all(&self, me: &Me<'_>) {
        let py = me.py();
        self.output_changed(me);
        let told = self.tell_empty_waiter(py, None);
        let result = if self.closing.get() {
            if self.lost.get() > 0 {
                Ok(())
            } else {
                self.call_connection_lost(me, None)
            }
        } else if self.eof_written.get() {
            socket::shutdown_write(self.endpoint.fd()).map_err(|error| os_error(py, &error))
        } else {
            Ok(())
        };
        if let Err(error) = told.and(result) {
            self.core(py).report(
                py,
                error,
                "Exception after the last write of a transport",
                &[("transport", me.as_any())],
            );
        }
    }

    fn output_raised(&self, me: &Me<'_>) -> PyResult<()> {
        let size = self.outgoing.borrow().size();
        self.pressure.raised(&self.parties(me), size)
    }

    /// `transport.write_eof()`
    pub fn write_eof(&self, me: &Me<'_>) -> PyResult<()> {
        if self.closing.get() || self.eof_written.get() {
            return Ok(());
        }
        self.flush(me)?;
        self.eof_written.set(true);
        if self.outgoing.borrow().is_empty() && self.lost.get() == 0 {
            socket::shutdown_write(self.endpoint.fd())
                .map_err(|error| os_error(me.py(), &error))?;
        }
        Ok(())
    }

    /// `transport.set_write_buffer_limits(high, low)`
    pub fn set_limits(&self, me: &Me<'_>, high: Option<i64>, low: Option<i64>) -> PyResult<()> {
        let limits = Limits::checked(high, low)?;
        self.flush(me)?;
        self.pressure.limits.set(limits);
        self.output_raised(me)
    }
}

/// What `write` takes, in asyncio's words.
fn wanted() -> &'static str {
    if python::is_at_least(14) {
        "bytes, bytearray, or memoryview object"
    } else {
        "bytes-like object"
    }
}

/// What `writelines` takes: anything that a `memoryview` can be made of.
fn line<'py>(data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    match data.cast::<PyBytes>() {
        Ok(data) => Ok(data.clone()),
        Err(_) => exact_bytes(PyMemoryView::from(data)?.as_any(), wanted()),
    }
}
