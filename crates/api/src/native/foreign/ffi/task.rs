//! One request at work in a foreign handler.

use super::handler::Foreign;
use super::host;
use crate::metrics;
use crate::native::foreign::Carrier;
use data_bridge_abi::{self as abi, waker};
use std::ffi::c_void;
use std::ptr;
use std::task::{Context, Poll};

/// A foreign handler's future. Dropping it drops the future there, then the carrier.
pub struct Task<C: Carrier> {
    handler: &'static abi::Handler,
    /// Null once the other side is done with it.
    future: *mut c_void,
    /// From `Box::into_raw`; the other side has it as its `call`.
    carrier: *mut C,
}

impl<C: Carrier> Task<C> {
    /// Hands a request over; `None` where the handler panicked at once, or cannot be started: the carrier is dropped.
    pub fn new(handler: &Foreign, carrier: C) -> Option<Self> {
        if let Err(error) = handler.start() {
            tracing::error!(%error, "a native handler cannot start");
            return None;
        }
        let handler = handler.exported();
        let carrier = Box::into_raw(Box::new(carrier));
        // SAFETY: the table of `C` fits the carrier, which stays where it is until this task is dropped.
        let task =
            unsafe { (handler.call)(handler.data, ptr::from_ref(host::of::<C>()), carrier.cast()) };
        let made = Self {
            handler,
            future: task,
            carrier,
        };
        if task.is_null() {
            metrics::panicked();
            return None;
        }
        Some(made)
    }

    /// The carrier, between two polls.
    pub fn carrier(&self) -> &C {
        // SAFETY: it lives as long as we; the other side only ever has shared references to it, too.
        unsafe { &*self.carrier }
    }

    /// Goes on; ready when the handler is done, or has panicked.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.future.is_null() {
            return Poll::Ready(());
        }
        let waker = waker::lend(cx.waker());
        // SAFETY: the task is not dropped yet, and the waker is lent for this call.
        match unsafe { (self.handler.poll)(self.future, &raw const waker) } {
            abi::PENDING => return Poll::Pending,
            abi::READY => {}
            _ => metrics::panicked(),
        }
        self.end();
        Poll::Ready(())
    }

    /// Drops the future there; what it has said stands.
    pub fn end(&mut self) {
        if !self.future.is_null() {
            // SAFETY: dropped once.
            unsafe { (self.handler.drop)(self.future) };
            self.future = ptr::null_mut();
        }
    }
}

impl<C: Carrier> Drop for Task<C> {
    fn drop(&mut self) {
        self.end();
        // SAFETY: from `Box::into_raw`, and the other side touches it no longer.
        drop(unsafe { Box::from_raw(self.carrier) });
    }
}
