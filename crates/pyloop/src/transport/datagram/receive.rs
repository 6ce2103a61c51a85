//! Receiving: from the socket to the protocol, one datagram a call. Knows nothing of sending.

use std::cell::{Cell, RefCell};
use std::io;

use loopcore::Landing;
use pyo3::exceptions::PyOSError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::super::close::os_error;
use super::Me;
use super::state::Datagrams;
use crate::ffi::{context, socket};
use crate::sock::would_block;

/// The longest datagram that is taken whole, as with asyncio.
const LONGEST: usize = 256 * 1024;
/// At most so many are taken at once while they come faster than the loop turns.
const MOST: u32 = 32;
/// So many times in a row more must have been there than was taken, before more is taken at once.
const PATIENCE: u32 = 4;

thread_local! {
    static LANDING: RefCell<Landing> = const { RefCell::new(Landing::new()) };
}

/// How many datagrams to take at once. One that comes alone costs one system call: the kernel repeats itself if
/// there are more, so nobody asks it whether that was the last. In a flood that question is the cheaper one.
pub struct Burst {
    most: Cell<u32>,
    full: Cell<u32>,
}

impl Default for Burst {
    fn default() -> Self {
        Self {
            most: Cell::new(1),
            full: Cell::new(0),
        }
    }
}

impl Burst {
    fn was_full(&self) {
        self.full.set(self.full.get() + 1);
        if self.full.get() >= PATIENCE {
            self.full.set(0);
            self.most.set((self.most.get() * 2).min(MOST));
        }
    }

    fn was_not_full(&self) {
        self.full.set(0);
        self.most.set(1);
    }
}

type Datagram<'py> = (Bound<'py, PyBytes>, Bound<'py, PyAny>);

impl Datagrams {
    /// There is something to receive, or an error to hear of.
    pub fn receive(&self, me: &Me<'_>) {
        let py = me.py();
        let entered = self
            .read_context
            .borrow()
            .as_ref()
            .map(|context| context.clone_ref(py));
        let Some(entered) = entered else { return };
        if let Err(error) = context::run_in(entered.bind(py), || self.receive_some(me)) {
            self.fatal_error(me, error, "Fatal read error on datagram transport");
        }
    }

    fn receive_some(&self, me: &Me<'_>) {
        let turn = self.read_turn.get();
        for _ in 0..self.burst.most.get() {
            // A pause ends the turn even if the protocol has gone on by now: that is another turn, in another context.
            if !self.reading.get() || self.read_turn.get() != turn || self.lost.get() > 0 {
                return;
            }
            if !self.receive_one(me) {
                self.burst.was_not_full();
                return;
            }
        }
        self.burst.was_full();
    }

    /// `false`: there was none.
    fn receive_one(&self, me: &Me<'_>) -> bool {
        let py = me.py();
        let received = if self.addresses.reads_senders() {
            self.take(py)
        } else {
            self.take_by_python(py)
        };
        let told = match received {
            Ok(Some((data, sender))) => self.protocol(py).map_or(Ok(()), |protocol| {
                protocol
                    .call_method1(intern!(py, "datagram_received"), (data, sender))
                    .map(drop)
            }),
            Ok(None) => return false,
            Err(error) if error.is_instance_of::<PyOSError>(py) => self.tell_error(py, error),
            Err(error) => {
                self.fatal_error(me, error, "Fatal read error on datagram transport");
                return false;
            }
        };
        if let Err(error) = told {
            self.report_callback(me, error);
        }
        true
    }

    fn take<'py>(&self, py: Python<'py>) -> PyResult<Option<Datagram<'py>>> {
        let fd = self.endpoint.fd();
        let received = LANDING.with_borrow_mut(|landing| {
            let room = landing.room(LONGEST);
            socket::receive_from(fd, room).map(|(count, sender)| {
                let data = room.get(..count).unwrap_or_default();
                (PyBytes::new(py, data), sender)
            })
        });
        match received {
            Ok((data, sender)) => Ok(Some((data, self.addresses.sender(py, sender)?))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(os_error(py, &error)),
        }
    }

    /// Python knows how to write the addresses of other families.
    fn take_by_python<'py>(&self, py: Python<'py>) -> PyResult<Option<Datagram<'py>>> {
        let sock = self.endpoint.python_socket(py)?;
        match sock.call_method1(intern!(py, "recvfrom"), (LONGEST,)) {
            Ok(pair) => pair.extract().map(Some),
            Err(error) if would_block(py, &error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
