//! A transport that lends its socket: `loop.sendfile()` waits until nothing is left to send, then works on the bare
//! socket. Until the socket is given back the transport writes nothing. Knows no file.

use std::rc::Rc;

use pyo3::exceptions::{PyConnectionError, PyRuntimeError};
use pyo3::intern;
use pyo3::prelude::*;

use super::stream::{Me, Stream};
use crate::poller::{Interest, Mode};
use crate::sock::Operations;

impl Stream {
    /// asyncio's `_make_empty_waiter()`: a future that is done as soon as nothing is left to send.
    pub fn make_empty_waiter<'py>(&self, me: &Me<'py>) -> PyResult<Bound<'py, PyAny>> {
        let py = me.py();
        if self.empty_waiter.borrow().is_some() {
            return Err(PyRuntimeError::new_err("Empty waiter is already set"));
        }
        self.flush(me)?;
        let waiter = self
            .event_loop
            .bind(py)
            .call_method0(intern!(py, "create_future"))?;
        if self.outgoing.borrow().is_empty() {
            waiter.call_method1(intern!(py, "set_result"), (py.None(),))?;
        }
        self.empty_waiter.replace(Some(waiter.clone().unbind()));
        Ok(waiter)
    }

    /// Whoever waits for the end of the output hears how it came.
    pub fn tell_empty_waiter(&self, py: Python<'_>, failure: Option<PyErr>) -> PyResult<()> {
        let waiter = self
            .empty_waiter
            .borrow()
            .as_ref()
            .map(|waiter| waiter.clone_ref(py));
        let Some(waiter) = waiter else { return Ok(()) };
        let waiter = waiter.bind(py);
        if waiter.call_method0(intern!(py, "done"))?.is_truthy()? {
            return Ok(());
        }
        match failure {
            None => waiter.call_method1(intern!(py, "set_result"), (py.None(),)),
            Some(error) => {
                waiter.call_method1(intern!(py, "set_exception"), (error.into_value(py),))
            }
        }
        .map(drop)
    }

    /// Refuses to write while the socket is lent, or about to be.
    pub fn check_not_lent(&self, method: &str) -> PyResult<()> {
        if self.empty_waiter.borrow().is_some() {
            return Err(PyRuntimeError::new_err(format!(
                "unable to {method}; sendfile is in progress"
            )));
        }
        Ok(())
    }

    /// The socket, for `sock_*` calls. The transport hears nothing of it until it is given back.
    pub fn lend<'py>(&self, me: &Me<'py>) -> PyResult<Bound<'py, PyAny>> {
        let py = me.py();
        let watch = self.watch().filter(|_| !self.closed.get());
        let watch = watch.ok_or_else(closed_by_peer)?;
        let sock = self.endpoint.python_socket(py)?;
        let fd = self.endpoint.fd();
        self.lent.replace(Some(watch));
        let operations: Rc<Operations> = Rc::new(Operations::new(&sock, fd));
        self.core(py)
            .poller()
            .register(fd, Mode::Edge, Interest::BOTH, Rc::new(operations))?;
        Ok(sock)
    }

    /// The loan is over; what the kernel has to say is said again.
    pub fn take_back(&self, py: Python<'_>) -> PyResult<()> {
        drop(self.empty_waiter.take());
        if let Some(watch) = self.lent.take() {
            self.core(py).poller().register(
                self.endpoint.fd(),
                Mode::Edge,
                Interest::BOTH,
                watch,
            )?;
        }
        Ok(())
    }

    /// The transport closes: whoever works on its socket, or waits to do so, hears of it.
    pub fn end_loan(&self, py: Python<'_>) {
        if self.lent.take().is_some()
            && let Some(source) = self.core(py).poller().source(self.endpoint.fd())
            && let Some(operations) = source.operations()
        {
            operations.fail(py, closed_by_peer);
        }
        if let Err(error) = self.tell_empty_waiter(py, Some(closed_by_peer())) {
            error.write_unraisable(py, None);
        }
    }
}

fn closed_by_peer() -> PyErr {
    PyConnectionError::new_err("Connection is closed by peer")
}
