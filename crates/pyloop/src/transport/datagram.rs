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
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::{PyTraverseError, PyVisit};

use super::endpoint::Endpoint;
use super::flow::Limits;
use super::opening::{Audience, claimed_class};
use crate::event_loop::EventLoop;
use crate::ffi::cell::GilCell;
use crate::ffi::python;
use crate::poller::{Interest, Mode};
use state::{Begin, Datagrams, Watch};

/// A transport, bound.
type Me<'py> = Bound<'py, DatagramTransport>;

/// A datagram socket: asyncio's `DatagramTransport`.
#[pyclass(frozen, weakref, dict, module = "data_bridge._native")]
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
        let me = python::new_with_dict(py, Self(GilCell::new(state)))?;
        core.poller()
            .register(fd, Mode::Level, Interest::READ, watch)?;
        let audience = Audience {
            protocol,
            context: None,
            waiter,
        };
        let begin = Rc::new(Begin(me.clone().unbind()));
        audience.tell(event_loop, me.clone().into_any(), begin)?;
        Ok(me)
    }

    fn state<'a, 'py: 'a>(&'a self, py: Python<'py>) -> &'a Datagrams {
        self.0.get(py)
    }
}

/// What the abstract class has and no datagram transport can do.
fn not_a_stream() -> PyErr {
    PyNotImplementedError::new_err("a datagram transport sends by sendto()")
}

#[pymethods]
impl DatagramTransport {
    #[getter]
    fn __class__<'py>(slf: &Me<'py>) -> PyResult<Bound<'py, PyAny>> {
        static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let bases = ["_FlowControlMixin", "DatagramTransport"];
        claimed_class(slf.py(), &CLASS, "DatagramTransport", &bases)
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
