//! Errors and the end of a datagram transport: in peace, by force, or by being forgotten. Knows neither reads nor writes.

use pyo3::exceptions::PyOSError;
use pyo3::intern;
use pyo3::prelude::*;

use super::Me;
use super::state::Datagrams;
use crate::gil;
use crate::handle;
use crate::transport::close::{log_error, quietly, warn_unclosed};

impl Datagrams {
    /// `transport.close()`: what waits goes out first.
    pub fn close(&self, me: &Me<'_>) -> PyResult<()> {
        if self.closing.replace(true) {
            return Ok(());
        }
        self.stop_reading(me);
        if self.outbox.borrow().is_empty() {
            return self.schedule_connection_lost(me, None);
        }
        Ok(())
    }

    /// `transport.abort()`, and the end of every failed transport: what waits is lost.
    pub fn force_close(&self, me: &Me<'_>, error: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        if self.lost.get() > 0 {
            return Ok(());
        }
        self.outbox.borrow_mut().clear();
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
        self.core(py).call_soon(py, &callback, &[error], None)
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
        self.forget();
        told.and(closed)
    }

    fn release(&self, py: Python<'_>) -> PyResult<()> {
        self.closed.set(true);
        if self.watch.borrow().upgrade().is_some() {
            self.core(py).poller().deregister(self.endpoint.fd());
        }
        self.endpoint.close(py)
    }

    fn forget(&self) {
        drop((self.protocol.take(), self.read_context.take()));
        drop(self.outbox.take());
        self.pressure.forget();
    }

    /// `protocol.error_received(error)`
    pub fn tell_error(&self, py: Python<'_>, error: PyErr) -> PyResult<()> {
        let Some(protocol) = self.protocol(py) else {
            return Ok(());
        };
        let error = error.into_value(py);
        protocol
            .call_method1(intern!(py, "error_received"), (error,))
            .map(drop)
    }

    /// A method of the protocol has raised: the transport goes on, as with asyncio.
    pub fn report_callback(&self, me: &Me<'_>, error: PyErr) {
        let py = me.py();
        let protocol = self
            .protocol(py)
            .unwrap_or_else(|| py.None().into_bound(py));
        let details = [("transport", me.as_any()), ("protocol", &protocol)];
        let message = "Exception in callback of a datagram transport";
        self.core(py).report(py, error, message, &details);
    }

    /// A failure of the socket or of the loop ends the transport.
    pub fn fatal_error(&self, me: &Me<'_>, error: PyErr, message: &str) {
        let py = me.py();
        let core = self.core(py);
        if handle::ends_the_loop(py, &error) {
            core.interrupt(error);
            return;
        }
        let value = error.value(py).clone().into_any();
        if !error.is_instance_of::<PyOSError>(py) {
            let protocol = self
                .protocol(py)
                .unwrap_or_else(|| py.None().into_bound(py));
            let details = [("transport", me.as_any()), ("protocol", &protocol)];
            core.report(py, error, message, &details);
        } else if core.is_debug()
            && let Err(error) = log_error(me, message, &value)
        {
            error.write_unraisable(py, Some(me));
        }
        if let Err(error) = self.force_close(me, Some(value)) {
            self.report_callback(me, error);
        }
    }

    /// The garbage collector has found that nobody can reach it.
    pub fn clear(&self, py: Python<'_>) {
        if !self.closed.get() {
            quietly(py, || self.abandon(py));
        }
        self.forget();
    }

    fn abandon(&self, py: Python<'_>) -> PyResult<()> {
        let warned = warn_unclosed(py, &self.repr(py));
        self.release(py)?;
        warned
    }
}

/// Nobody has closed it, and nobody can any more.
impl Drop for Datagrams {
    fn drop(&mut self) {
        if !self.closed.get() {
            gil::attach(|py| quietly(py, || self.abandon(py)));
        }
    }
}
