//! What is due now, in order. Knows neither time nor descriptors.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use crate::ffi::handle::HandleRef;
use crate::host::Job;
use crate::poller::Arrived;

/// Something to run in the next batch.
pub enum Ready {
    /// A Python callback.
    Handle(HandleRef),
    /// Native work that keeps its place among the callbacks.
    Native(Rc<dyn Job>),
    /// News of a descriptor that came when callbacks were ready already.
    Event(Arrived),
}

/// The queue of the batch. A borrow never lasts across a call into Python.
#[derive(Default)]
pub struct ReadyQueue(RefCell<VecDeque<Ready>>);

impl ReadyQueue {
    /// Puts `item` last.
    #[inline]
    pub fn push(&self, item: Ready) {
        self.0.borrow_mut().push_back(item);
    }

    /// Takes the first.
    #[inline]
    pub fn pop(&self) -> Option<Ready> {
        self.0.borrow_mut().pop_front()
    }

    /// How many wait.
    #[inline]
    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Whether nothing waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Takes everything, so that it is dropped outside the borrow.
    pub fn drain(&self) -> VecDeque<Ready> {
        self.0.take()
    }

    /// Calls `visit` with each handle, unless the queue is just being changed.
    pub fn try_visit<E>(
        &self,
        mut visit: impl FnMut(&HandleRef) -> Result<(), E>,
    ) -> Result<(), E> {
        let Ok(queue) = self.0.try_borrow() else {
            return Ok(());
        };
        queue.iter().try_for_each(|item| match item {
            Ready::Handle(handle) => visit(handle),
            Ready::Native(_) | Ready::Event(_) => Ok(()),
        })
    }
}
