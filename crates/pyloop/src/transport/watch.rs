//! The tie between a transport and the poller: what the kernel has said, and who keeps the transport alive. Knows no data.

use std::cell::Cell;
use std::rc::Rc;

use pyo3::prelude::*;

use super::stream::{Me, StreamTransport};
use super::tie::Tie;
use crate::core::{Core, Flush};
use crate::debug;
use crate::host::Job;
use crate::poller::{Events, Source};

/// What the kernel has said so far. Edges come once, so they are remembered until a call contradicts them.
#[derive(Default)]
pub struct Readiness {
    /// There may be something to read.
    pub readable: Cell<bool>,
    /// The end of the stream or an error lies ahead: a short read does not mean that nothing is left.
    pub ended: Cell<bool>,
    /// A read is in the ready queue.
    pub queued: Cell<bool>,
}

/// The poller's end.
pub struct Watch {
    readiness: Rc<Readiness>,
    pub(super) tie: Tie<StreamTransport>,
}

impl Watch {
    /// A tie that does not keep its transport alive yet.
    pub fn new(readiness: Rc<Readiness>) -> Self {
        Self {
            readiness,
            tie: Tie::default(),
        }
    }
}

impl Source for Watch {
    fn ready(&self, py: Python<'_>, core: &Core, events: Events) {
        if events.readable() {
            self.readiness.readable.set(true);
        }
        if events.read_closed() || events.error() {
            self.readiness.ended.set(true);
        }
        if let Some(transport) = self.tie.held(py) {
            serve(core, &transport, events.writable());
        }
    }

    fn transport<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let transport = self.tie.known(py)?;
        let closing = transport.get().stream(py).is_closing();
        (!closing).then(|| transport.into_any())
    }
}

impl Flush for Watch {
    fn flush(&self, py: Python<'_>, _core: &Core) {
        if let Some(transport) = self.tie.held(py) {
            transport.get().stream(py).flush_reporting(&transport);
        }
    }
}

/// A read that keeps its place among the callbacks: the rest of a long one, or the first after a pause.
impl Job for Watch {
    fn run(self: Rc<Self>, py: Python<'_>) {
        self.readiness.queued.set(false);
        if let Some(transport) = self.tie.held(py) {
            let stream = transport.get().stream(py);
            serve(stream.core(py), &transport, false);
        }
    }
}

fn serve(core: &Core, transport: &Me<'_>, writable: bool) {
    let stream = transport.get().stream(transport.py());
    debug::serve(core, transport, || stream.serve(transport, writable));
}
