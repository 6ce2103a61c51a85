//! The datagram transport as Python sees it: thin methods. Knows no system call.
//!
//! `state` is what it knows, `receive` and `send` are its two lives, `end` its death, `address` what a peer is called.

mod address;
mod end;
mod receive;
mod send;
mod state;

use std::rc::Rc;

use pyo3::exceptions::PyNotImplementedError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};
use pyo3::{PyTraverseError, PyVisit};

use super::endpoint::Endpoint;
use super::flow::Limits;
use crate::event_loop::EventLoop;
use crate::ffi::cell::GilCell;
use crate::poller::{Interest, Mode};
use state::{Begin, Datagrams, Watch};

/// A transport, bound.
type Me<'py> = Bound<'py, DatagramTransport>;

/// A datagram socket: asyncio's `DatagramTransport`.
#[pyclass(frozen, weakref, module = "data_bridge._native")]
pub struct DatagramTransport(GilCell<Datagrams>);

impl DatagramTransport {
    /// A transport on `endpoint`; `connection_made` comes with the next batch.
    pub fn open<'py>(
        event_loop: &Bound<'py, EventLoop>,
        endpoint: Endpoint,
        protocol: &Bound<'py, PyAny>,
        address: Option<&Bound<'py, PyAny>>,
        waiter: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Me<'py>> {
        let py = event_loop.py();
        let core = event_loop.get().core(py);
        core.check_usable()?;
        let fd = endpoint.fd();
        let state = Datagrams::new(event_loop, endpoint, protocol, address)?;
        let watch = Rc::new(Watch::default());
        state.watch.replace(Rc::downgrade(&watch));
        let me = Bound::new(py, Self(GilCell::new(state)))?;
        core.poller()
            .register(fd, Mode::Level, Interest::READ, watch)?;
        let connection_made = protocol.getattr(intern!(py, "connection_made"))?;
        core.call_soon(py, &connection_made, &[me.clone().into_any()], None)?;
        core.push_native(Rc::new(Begin(me.clone().unbind())));
        if let Some(waiter) = waiter {
            static WAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
            let wake = WAKE.import(py, "asyncio.futures", "_set_result_unless_cancelled")?;
            core.call_soon(py, wake, &[waiter.clone(), py.None().into_bound(py)], None)?;
        }
        Ok(me)
    }

    fn state<'a, 'py: 'a>(&'a self, py: Python<'py>) -> &'a Datagrams {
        self.0.get(py)
    }
}

/// The class that transports claim to be, so that `isinstance(transport, asyncio.DatagramTransport)` holds: a native
/// object cannot have a Python class with slots for its base.
fn claimed_class(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = CLASS.get_or_try_init(py, || {
        let module = py.import("asyncio.transports")?;
        let bases = (
            module.getattr("_FlowControlMixin")?,
            module.getattr("DatagramTransport")?,
        );
        let body = PyDict::new(py);
        body.set_item("__slots__", ())?;
        body.set_item("__module__", "data_bridge._native")?;
        py.get_type::<PyType>()
            .call1(("DatagramTransport", bases, body))
            .map(Bound::unbind)
    })?;
    Ok(class.bind(py))
}

/// What the abstract class has and no datagram transport can do.
fn not_a_stream() -> PyErr {
    PyNotImplementedError::new_err("a datagram transport sends by sendto()")
}

#[pymethods]
impl DatagramTransport {
    #[getter]
    fn __class__<'py>(slf: &Me<'py>) -> PyResult<Bound<'py, PyAny>> {
        claimed_class(slf.py()).cloned()
    }

    fn __repr__(slf: &Me<'_>) -> String {
        slf.get().state(slf.py()).repr(slf.py())
    }

    #[pyo3(signature = (data, addr=None))]
    fn sendto(
        slf: &Me<'_>,
        data: &Bound<'_, PyAny>,
        addr: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        slf.get().state(slf.py()).send_to(slf, data, addr)
    }

    fn close(slf: &Me<'_>) -> PyResult<()> {
        slf.get().state(slf.py()).close(slf)
    }

    fn abort(slf: &Me<'_>) -> PyResult<()> {
        slf.get().state(slf.py()).force_close(slf, None)
    }

    fn _call_connection_lost(slf: &Me<'_>, exc: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        slf.get().state(slf.py()).call_connection_lost(slf, exc)
    }

    fn is_closing(&self, py: Python<'_>) -> bool {
        self.state(py).closing.get()
    }

    fn is_reading(&self, py: Python<'_>) -> bool {
        self.state(py).is_reading()
    }

    fn pause_reading(slf: &Me<'_>) -> PyResult<()> {
        slf.get().state(slf.py()).pause_reading(slf)
    }

    fn resume_reading(slf: &Me<'_>) -> PyResult<()> {
        slf.get().state(slf.py()).resume_reading(slf)
    }

    fn get_protocol<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.state(py).protocol(py)
    }

    fn set_protocol(&self, py: Python<'_>, protocol: Py<PyAny>) {
        let replaced = self.state(py).protocol.replace(Some(protocol));
        drop(replaced);
    }

    #[pyo3(signature = (high=None, low=None))]
    fn set_write_buffer_limits(slf: &Me<'_>, high: Option<i64>, low: Option<i64>) -> PyResult<()> {
        let state = slf.get().state(slf.py());
        state.pressure.limits.set(Limits::checked(high, low)?);
        let size = state.outbox.borrow().size;
        state.pressure.raised(&state.parties(slf), size)
    }

    fn get_write_buffer_limits(&self, py: Python<'_>) -> (usize, usize) {
        let limits = self.state(py).pressure.limits.get();
        (limits.low(), limits.high())
    }

    fn get_write_buffer_size(&self, py: Python<'_>) -> usize {
        self.state(py).outbox.borrow().size
    }

    #[pyo3(signature = (name, default=None))]
    fn get_extra_info<'py>(
        &self,
        name: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = name.py();
        Ok(self.state(py).endpoint.extra_info(py, name)?.or(default))
    }

    #[allow(clippy::unused_self, unused_variables)] // the names are part of the signature, here and below
    fn write(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(not_a_stream())
    }

    #[allow(clippy::unused_self, unused_variables)]
    fn writelines(&self, list_of_data: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(not_a_stream())
    }

    #[allow(clippy::unused_self)]
    fn write_eof(&self) -> PyResult<()> {
        Err(not_a_stream())
    }

    #[allow(clippy::unused_self)]
    fn can_write_eof(&self) -> PyResult<bool> {
        Err(not_a_stream())
    }

    #[getter]
    fn _loop<'py>(&self, py: Python<'py>) -> Option<Bound<'py, EventLoop>> {
        let state = self.state(py);
        (!state.closed.get()).then(|| state.event_loop.bind(py).clone())
    }

    #[allow(clippy::needless_pass_by_value)] // the signature that PyO3 wants
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.get_in_traverse(&visit).traverse(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        self.state(py).clear(py);
    }
}
