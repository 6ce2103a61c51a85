//! The end of a transport: in peace, by force, by an error, or by being forgotten. Knows neither reads nor writes.

use std::ffi::CString;
use std::io;

use pyo3::exceptions::{PyAttributeError, PyOSError, PyResourceWarning};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::clients;
use super::stream::{Me, Stream};
use crate::debug;
use crate::gil;
use crate::handle;

/// `error` as Python's `OSError` of the right subclass, with number and text.
pub fn os_error(py: Python<'_>, error: &io::Error) -> PyErr {
    let number = error.raw_os_error();
    let text = py
        .import("os")
        .and_then(|os| os.call_method1(intern!(py, "strerror"), (number.unwrap_or(0),)));
    match (number, text) {
        (Some(number), Ok(text)) => PyOSError::new_err((number, text.unbind())),
        _ => PyOSError::new_err(error.to_string()),
    }
}

impl Stream {
    /// `transport.close()`: what was written goes out first.
    pub fn close(&self, me: &Me<'_>) -> PyResult<()> {
        if self.closing.get() {
            return Ok(());
        }
        self.flush(me)?;
        if self.closing.replace(true) {
            return Ok(()); // the flush has failed and closed it
        }
        self.stop_reading(me);
        if self.outgoing.borrow().is_empty() {
            return self.schedule_connection_lost(me, None);
        }
        Ok(())
    }

    /// `transport.abort()`, and the end of every failed transport: what could not be sent yet is lost.
    pub fn force_close(&self, me: &Me<'_>, error: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        if self.lost.get() > 0 {
            return Ok(());
        }
        self.flush(me)?;
        if self.lost.get() > 0 {
            return Ok(());
        }
        self.outgoing.borrow_mut().clear();
        self.blocked.set(false);
        self.closing.set(true);
        self.stop_reading(me);
        self.schedule_connection_lost(me, error)
    }

    fn schedule_connection_lost(
        &self,
        me: &Me<'_>,
        error: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let py = me.py();
        self.lost.set(self.lost.get() + 1);
        let callback = me.getattr(intern!(py, "_call_connection_lost"))?;
        let error = error.unwrap_or_else(|| py.None().into_bound(py));
        let context = self.context.as_ref().map(|context| context.bind(py));
        self.core(py).call_soon(py, &callback, &[error], context)
    }

    /// Tells the protocol, closes the socket and lets go of everybody.
    pub fn call_connection_lost(
        &self,
        me: &Me<'_>,
        error: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let py = me.py();
        let told = match self.protocol(py) {
            Some(protocol) => protocol
                .call_method1(intern!(py, "connection_lost"), (error,))
                .map(drop),
            None => Ok(()),
        };
        let closed = self.release(py);
        let let_go = match self.receiver.take() {
            Some(receiver) => receiver.let_go(py),
            None => Ok(()),
        };
        drop((self.read_context.take(), self.outgoing.take()));
        self.pressure.forget();
        if let Some(server) = self.server.take() {
            clients::detach(server.bind(py), me)?;
        }
        told.and(closed).and(let_go)
    }

    fn release(&self, py: Python<'_>) -> PyResult<()> {
        self.closed.set(true);
        self.end_loan(py);
        if self.watch().is_some() {
            self.core(py).poller().forget(self.endpoint.fd());
        }
        self.endpoint.close(py)
    }

    /// A failure of the socket: no news for the exception handler, `connection_lost` tells it.
    pub fn fatal_io_error(&self, me: &Me<'_>, error: &io::Error, message: &str) {
        self.fatal_error(me, os_error(me.py(), error), message);
    }

    /// A failure of the socket or of the protocol ends the connection.
    pub fn fatal_error(&self, me: &Me<'_>, error: PyErr, message: &str) {
        let py = me.py();
        let core = self.core(py);
        if handle::ends_the_loop(py, &error) {
            core.interrupt(error);
            return;
        }
        let value = error.value(py).clone();
        if error.is_instance_of::<PyOSError>(py) {
            self.debug_log_error(me, message, &value);
        } else {
            let protocol = self
                .protocol(py)
                .unwrap_or_else(|| py.None().into_bound(py));
            core.report(
                py,
                error,
                message,
                &[("transport", me.as_any()), ("protocol", &protocol)],
            );
        }
        if let Err(error) = self.force_close(me, Some(value.into_any())) {
            core.report(
                py,
                error,
                "Error on closing a transport",
                &[("transport", me.as_any())],
            );
        }
    }

    fn debug_log_error(&self, me: &Me<'_>, message: &str, error: &Bound<'_, PyAny>) {
        let py = me.py();
        if !self.core(py).is_debug() {
            return;
        }
        if let Err(error) = log_error(me, message, error) {
            error.write_unraisable(py, Some(me));
        }
    }

    /// A line in asyncio's log, in debug mode. `format` has one place, for the transport.
    pub fn debug_log(&self, me: &Me<'_>, format: &str) {
        let py = me.py();
        if !self.core(py).is_debug() {
            return;
        }
        let logger = debug::logger(py);
        if let Err(error) = logger.and_then(|logger| logger.call_method1("debug", (format, me))) {
            error.write_unraisable(py, Some(me));
        }
    }
}

/// A line in asyncio's log about `error`, which ends `transport`.
pub fn log_error(
    transport: &Bound<'_, PyAny>,
    message: &str,
    error: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let kwargs = PyDict::new(transport.py());
    kwargs.set_item("exc_info", error)?;
    debug::logger(transport.py())?
        .call_method("debug", ("%r: %s", transport, message), Some(&kwargs))
        .map(drop)
}

/// Does `work` where nobody can be told what it raises, and an exception may be under way.
pub fn quietly(py: Python<'_>, work: impl FnOnce() -> PyResult<()>) {
    let pending = PyErr::take(py);
    if let Err(error) = work() {
        error.write_unraisable(py, None);
    }
    if let Some(pending) = pending {
        pending.restore(py);
    }
}

/// Warns of the transport that reads `repr`: nobody has closed it.
pub fn warn_unclosed(py: Python<'_>, repr: &str) -> PyResult<()> {
    let text = CString::new(format!("unclosed transport {repr}"))?;
    PyErr::warn(py, &py.get_type::<PyResourceWarning>(), &text, 1)
}

/// Nobody has closed it, and nobody can any more.
impl Drop for Stream {
    fn drop(&mut self) {
        if self.closed.get() {
            return;
        }
        gil::attach(|py| quietly(py, || self.abandon(py)));
    }
}

impl Stream {
    /// The garbage collector has found that nobody can reach it.
    pub fn clear(&self, py: Python<'_>) {
        if !self.closed.get() {
            quietly(py, || self.abandon(py));
        }
        drop((self.receiver.take(), self.read_context.take()));
        self.pressure.forget();
    }

    fn abandon(&self, py: Python<'_>) -> PyResult<()> {
        let warned = warn_unclosed(py, &self.repr(py));
        self.release(py)?;
        if let Some(server) = self.server.take() {
            let server = server.bind(py);
            // The set of clients is weak and has forgotten the transport already; any object will do.
            match clients::detach(server, server) {
                // Collected together with us, and emptied before us: it counts nobody any more.
                Err(error) if error.is_instance_of::<PyAttributeError>(py) => {}
                detached => drop(detached?),
            }
        }
        warned
    }
}
