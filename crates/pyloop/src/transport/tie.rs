//! How the poller's end of a transport holds it. Knows neither what the transport is nor what the kernel says.
//!
//! The poller owns the tie, the tie owns the transport while there is something to wait for (it reads, or output is
//! left), and the transport points back weakly. So a transport at work lives without anybody's help, a paused one that
//! everybody forgot is collected, and a closed loop lets all of them go: as with asyncio's selector.

use std::cell::RefCell;

use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};

/// The poller's hold on a transport of class `T`.
pub struct Tie<T>(RefCell<Hold<T>>);

enum Hold<T> {
    /// There is something to wait for.
    Strong(Py<T>),
    /// Nothing to wait for, but the transport has the descriptor still.
    Weak(Py<PyWeakrefReference>),
    /// Not begun, or coming to its end.
    Loose,
}

impl<T> Default for Tie<T> {
    /// A tie that does not keep its transport alive yet.
    fn default() -> Self {
        Self(RefCell::new(Hold::Loose))
    }
}

impl<T: PyClass> Tie<T> {
    /// Keeps the transport alive.
    pub fn hold(&self, transport: &Bound<'_, T>) {
        let replaced = self.0.replace(Hold::Strong(transport.clone().unbind()));
        drop(replaced); // outside the borrow, here and below
    }

    /// Keeps the transport alive no longer; a weak tie still knows whose the descriptor is.
    pub fn release(&self, py: Python<'_>, weak: bool) {
        let weak = match &*self.0.borrow() {
            Hold::Strong(transport) if weak => {
                PyWeakrefReference::new(transport.bind(py).as_any()).ok()
            }
            _ => None,
        };
        let hold = weak.map_or(Hold::Loose, |weak| Hold::Weak(weak.unbind()));
        let replaced = self.0.replace(hold);
        drop(replaced);
    }

    /// Whether it keeps the transport alive.
    pub fn holds(&self) -> bool {
        matches!(&*self.0.borrow(), Hold::Strong(_))
    }

    /// The transport, if it is kept alive.
    pub fn held<'py>(&self, py: Python<'py>) -> Option<Bound<'py, T>> {
        match &*self.0.borrow() {
            Hold::Strong(transport) => Some(transport.bind(py).clone()),
            _ => None,
        }
    }

    /// The transport, if it lives.
    pub fn known<'py>(&self, py: Python<'py>) -> Option<Bound<'py, T>> {
        match &*self.0.borrow() {
            Hold::Strong(transport) => Some(transport.bind(py).clone()),
            Hold::Weak(weak) => weak.bind(py).upgrade_as().ok()?,
            Hold::Loose => None,
        }
    }
}
