//! Sending: from the program to the socket, with flow control. Knows nothing of receiving.

use std::collections::VecDeque;
use std::io;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::super::close::os_error;
use super::super::input::{count_lost, exact_bytes};
use super::Me;
use super::state::Datagrams;
use crate::ffi::{python, socket};
use crate::sock::would_block;

/// What a waiting datagram counts beside its data, from Python 3.13 on.
const HEADER: usize = 8;

/// A datagram and whom it is for; `None`: the socket is connected.
type Letter = (Py<PyBytes>, Option<Py<PyAny>>);

/// What waits for room in the kernel's buffer.
#[derive(Default)]
pub struct Outbox {
    waiting: VecDeque<Letter>,
    /// In bytes, headers included.
    pub size: usize,
}

impl Outbox {
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.size = 0;
    }
}

/// What became of one datagram.
enum Outcome {
    Sent,
    /// The kernel's buffer is full.
    Full,
    /// The protocol hears of it.
    Refused(PyErr),
    /// The end of the transport.
    Fatal(PyErr),
}

impl Outcome {
    fn of_kernel(py: Python<'_>, result: io::Result<usize>) -> Self {
        match result {
            Ok(_) => Self::Sent,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Self::Full,
            Err(error) => Self::Refused(os_error(py, &error)),
        }
    }

    fn of_python(py: Python<'_>, result: PyResult<Bound<'_, PyAny>>) -> Self {
        match result {
            Ok(_) => Self::Sent,
            Err(error) if would_block(py, &error) => Self::Full,
            Err(error) if error.is_instance_of::<PyOSError>(py) => Self::Refused(error),
            Err(error) => Self::Fatal(error),
        }
    }
}

impl Datagrams {
    /// `transport.sendto(data, addr)`
    pub fn send_to(
        &self,
        me: &Me<'_>,
        data: &Bound<'_, PyAny>,
        target: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let py = me.py();
        let data = exact_bytes(data, "bytes-like object")?;
        if data.as_bytes().is_empty() && !python::is_at_least(13) {
            return Ok(()); // asyncio sends empty datagrams from 3.13 on
        }
        let target = self.checked_target(py, target)?;
        if self.warn_if_lost(py)? {
            return Ok(());
        }
        if self.outbox.borrow().is_empty() {
            match self.try_send(py, &data, target) {
                Outcome::Sent => return Ok(()),
                Outcome::Full => {}
                Outcome::Refused(error) => return self.tell_error(py, error),
                Outcome::Fatal(error) => {
                    self.fatal_error(me, error, "Fatal write error on datagram transport");
                    return Ok(());
                }
            }
        }
        self.wait_for_room(me, data, target)
    }

    fn checked_target<'a, 'py>(
        &'a self,
        py: Python<'py>,
        target: Option<&'a Bound<'py, PyAny>>,
    ) -> PyResult<Option<&'a Bound<'py, PyAny>>> {
        let Some(own) = &self.address else {
            return Ok(target);
        };
        let own = own.bind(py);
        if let Some(target) = target
            && !target.eq(own)?
        {
            return Err(PyValueError::new_err(format!(
                "Invalid address: must be None or {}",
                own.str()?
            )));
        }
        Ok(Some(own))
    }

    /// An endpoint without a peer goes on sending until it is closed.
    fn warn_if_lost(&self, py: Python<'_>) -> PyResult<bool> {
        let lost = self.lost.get();
        if !self.closed.get() && (lost == 0 || self.address.is_none()) {
            return Ok(false);
        }
        count_lost(py, &self.lost)?;
        Ok(true)
    }

    fn try_send(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyBytes>,
        target: Option<&Bound<'_, PyAny>>,
    ) -> Outcome {
        let fd = self.endpoint.fd();
        if self.has_peer {
            return Outcome::of_kernel(py, socket::send(fd, data.as_bytes()));
        }
        match target.and_then(|target| self.addresses.target(target)) {
            Some(address) => Outcome::of_kernel(py, socket::send_to(fd, data.as_bytes(), &address)),
            None => Outcome::of_python(py, self.send_by_python(py, data, target)),
        }
    }

    /// The socket module resolves names, knows all families, and says what is wrong with an address.
    fn send_by_python<'py>(
        &self,
        py: Python<'py>,
        data: &Bound<'py, PyBytes>,
        target: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let sock = self.endpoint.python_socket(py)?;
        sock.call_method1(intern!(py, "sendto"), (data, target))
    }

    fn wait_for_room(
        &self,
        me: &Me<'_>,
        data: Bound<'_, PyBytes>,
        target: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let (is_first, size) = {
            let mut outbox = self.outbox.borrow_mut();
            let is_first = outbox.is_empty();
            outbox.size += counted(&data);
            let target = target.map(|target| target.clone().unbind());
            outbox.waiting.push_back((data.unbind(), target));
            (is_first, outbox.size)
        };
        // The later ones wait for what the first one asked the kernel to tell.
        if is_first {
            self.update_interest(me)?;
        }
        self.pressure.raised(&self.parties(me), size)
    }

    /// The socket has room again.
    pub fn send_waiting(&self, me: &Me<'_>) {
        let py = me.py();
        loop {
            let letter = self.outbox.borrow_mut().waiting.pop_front();
            let Some((data, target)) = letter else { break };
            let (data, target) = (data.into_bound(py), target.map(|t| t.into_bound(py)));
            match self.try_send(py, &data, target.as_ref()) {
                Outcome::Sent => self.outbox.borrow_mut().size -= counted(&data),
                Outcome::Full => {
                    let letter = (data.unbind(), target.map(Bound::unbind));
                    self.outbox.borrow_mut().waiting.push_front(letter);
                    break;
                }
                Outcome::Refused(error) => {
                    self.outbox.borrow_mut().size -= counted(&data);
                    if let Err(error) = self.tell_error(py, error) {
                        self.report_callback(me, error);
                    }
                    break; // the kernel says again that there is room
                }
                Outcome::Fatal(error) => {
                    self.fatal_error(me, error, "Fatal write error on datagram transport");
                    return;
                }
            }
        }
        let size = self.outbox.borrow().size;
        self.pressure.sunk(&self.parties(me), size); // the protocol may send now
        if self.outbox.borrow().is_empty() {
            self.sent_all(me);
        }
    }

    fn sent_all(&self, me: &Me<'_>) {
        self.update_interest_reporting(me);
        if !self.closing.get() || self.lost.get() > 0 {
            return;
        }
        self.lost.set(1);
        if let Err(error) = self.call_connection_lost(me, None) {
            self.report_callback(me, error);
        }
    }
}

/// What a waiting datagram adds to the size of the buffer.
fn counted(data: &Bound<'_, PyBytes>) -> usize {
    let header = if python::is_at_least(13) { HEADER } else { 0 };
    data.as_bytes().len() + header
}
