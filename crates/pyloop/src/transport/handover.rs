//! Data handed to the read that waits for them, past the reader's buffer. Knows no reader.
//!
//! Between the handing and the read going on, nobody may miss the data in the buffer: who does anything with the reader takes them
//! [`back`](Handover::back) first.

use std::cell::RefCell;
use std::mem;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3::{PyTraverseError, PyVisit};

use crate::ffi::cell::GilCell;

/// How much one read takes.
#[derive(Clone, Copy)]
pub enum Portion {
    UpTo(usize),
    Exactly(usize),
}

impl Portion {
    /// Of so many bytes; `None`: they are too few.
    pub fn of(self, available: usize) -> Option<usize> {
        match self {
            Self::UpTo(_) if available == 0 => None,
            Self::UpTo(n) => Some(n.min(available)),
            Self::Exactly(n) => (n <= available).then_some(n),
        }
    }
}

enum State {
    Idle,
    Expecting(Py<PyAny>, Portion),
    Handed(Py<PyAny>, Py<PyBytes>),
}

/// The place of one reader; a read is known by the future that it waits for.
pub struct Handover(GilCell<RefCell<State>>);

impl Handover {
    pub const fn new() -> Self {
        Self(GilCell::new(RefCell::new(State::Idle)))
    }

    fn change(&self, py: Python<'_>, state: State) -> State {
        mem::replace(&mut *self.0.get(py).borrow_mut(), state)
    }

    /// A read waits for `future`, and for this much.
    pub fn expect(&self, future: &Bound<'_, PyAny>, portion: Portion) {
        let state = State::Expecting(future.clone().unbind(), portion);
        drop(self.change(future.py(), state));
    }

    /// Hands over what the read that waits for `future` takes of `data`. How much; `None`: no read does, or it takes more.
    pub fn hand(&self, future: &Bound<'_, PyAny>, data: &[u8]) -> Option<usize> {
        let py = future.py();
        let n = match &*self.0.get(py).borrow() {
            State::Expecting(expected, portion) if expected.is(future) => portion.of(data.len()),
            _ => None,
        }?;
        let data = PyBytes::new(py, data.get(..n)?).unbind();
        drop(self.change(py, State::Handed(future.clone().unbind(), data)));
        Some(n)
    }

    /// What was handed to the read that has waited for `future`.
    pub fn take(&self, future: &Bound<'_, PyAny>) -> Option<Py<PyBytes>> {
        self.take_if(future.py(), |read| read.is(future))
    }

    /// What was handed to any read and not taken yet.
    pub fn back(&self, py: Python<'_>) -> Option<Py<PyBytes>> {
        self.take_if(py, |_| true)
    }

    fn take_if(
        &self,
        py: Python<'_>,
        wanted: impl FnOnce(&Py<PyAny>) -> bool,
    ) -> Option<Py<PyBytes>> {
        match &*self.0.get(py).borrow() {
            State::Handed(future, _) if wanted(future) => {}
            _ => return None,
        }
        match self.change(py, State::Idle) {
            State::Handed(_, data) => Some(data),
            State::Idle | State::Expecting(..) => None,
        }
    }

    /// Nothing is expected any more, and what was handed over is given up.
    pub fn clear(&self, py: Python<'_>) {
        drop(self.change(py, State::Idle));
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.0.get_in_traverse(visit).try_borrow().as_deref() {
            Ok(State::Expecting(future, _) | State::Handed(future, _)) => visit.call(future),
            _ => Ok(()),
        }
    }
}
