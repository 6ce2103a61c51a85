//! The tie between a transport and the poller: what the kernel has said, and who keeps the transport alive. Knows no data.
//!
//! The poller owns the tie, the tie owns the transport while there is something to wait for (it reads, or output is
//! left), and the transport points back weakly. So a transport at work lives without anybody's help, a paused one that
//! everybody forgot is collected, and a closed loop lets all of them go: as with asyncio's selector.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use pyo3::prelude::*;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};

use super::stream::{Me, StreamTransport};
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
    tie: RefCell<Tie>,
}

/// How the tie holds its transport.
enum Tie {
    /// There is something to wait for.
    Strong(Py<StreamTransport>),
    /// Nothing to wait for, but the transport has the descriptor still.
    Weak(Py<PyWeakrefReference>),
    /// Not begun, or coming to its end.
    Loose,
}

impl Watch {
    /// A tie that does not keep its transport alive yet.
    pub fn new(readiness: Rc<Readiness>) -> Self {
        Self {
            readiness,
            tie: RefCell::new(Tie::Loose),
        }
    }

    /// Keeps the transport alive.
    pub fn hold(&self, transport: &Me<'_>) {
        let replaced = self.tie.replace(Tie::Strong(transport.clone().unbind()));
        drop(replaced); // outside the borrow, here and below
    }

    /// Keeps the transport alive no longer; a weak tie still knows whose the descriptor is.
    pub fn release(&self, py: Python<'_>, weak: bool) {
        let weak = match &*self.tie.borrow() {
            Tie::Strong(transport) if weak => PyWeakrefReference::new(transport.bind(py)).ok(),
            _ => None,
        };
        let tie = weak.map_or(Tie::Loose, |weak| Tie::Weak(weak.unbind()));
        let replaced = self.tie.replace(tie);
        drop(replaced);
    }

    /// Whether it keeps the transport alive.
    pub fn holds(&self) -> bool {
        matches!(&*self.tie.borrow(), Tie::Strong(_))
    }

    fn transport<'py>(&self, py: Python<'py>) -> Option<Me<'py>> {
        match &*self.tie.borrow() {
            Tie::Strong(transport) => Some(transport.bind(py).clone()),
            _ => None,
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
        if let Some(transport) = self.transport(py) {
            serve(core, &transport, events.writable());
        }
    }

    fn transport<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let transport = match &*self.tie.borrow() {
            Tie::Strong(transport) => transport.bind(py).clone(),
            Tie::Weak(weak) => weak.bind(py).upgrade_as().ok()??,
            Tie::Loose => return None,
        };
        let closing = transport.get().stream(py).is_closing();
        (!closing).then(|| transport.into_any())
    }
}

impl Flush for Watch {
    fn flush(&self, py: Python<'_>, _core: &Core) {
        if let Some(transport) = self.transport(py) {
            transport.get().stream(py).flush_reporting(&transport);
        }
    }
}

/// A read that keeps its place among the callbacks: the rest of a long one, or the first after a pause.
impl Job for Watch {
    fn run(self: Rc<Self>, py: Python<'_>) {
        self.readiness.queued.set(false);
        if let Some(transport) = self.transport(py) {
            let stream = transport.get().stream(py);
            serve(stream.core(py), &transport, false);
        }
    }
}

fn serve(core: &Core, transport: &Me<'_>, writable: bool) {
    let stream = transport.get().stream(transport.py());
    if core.is_debug() {
        debug::serve(core, transport, || stream.serve(transport, writable));
    } else {
        stream.serve(transport, writable);
    }
}
