//! A foreign handler: found behind a pointer, checked, started and stopped.

use super::Given;
use data_bridge_abi::{self as abi, Owned};
use std::ffi::c_void;
use std::sync::{Mutex, PoisonError};
use thiserror::Error;

/// A handler of another module. Started by [`Foreign::start`] or by its first request, stopped when it is dropped at the latest.
pub struct Foreign {
    handler: &'static abi::Handler,
    started: Mutex<bool>,
}

/// What is wrong with a handler.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ForeignError {
    /// It is none of this ABI.
    #[error("the handler says version {version} and {size} bytes; version {} with at least {} bytes is needed", abi::VERSION, size_of::<abi::Handler>())]
    Version {
        /// As it says.
        version: u32,
        /// As it says.
        size: usize,
    },
    /// Its module failed.
    #[error("{0}")]
    Module(String),
}

impl Foreign {
    /// The handler behind a capsule's pointer.
    ///
    /// # Safety
    /// The pointer comes from a capsule of the name [`abi::CAPSULE`], whose contract it keeps.
    pub unsafe fn new(pointer: *const c_void) -> Result<Self, ForeignError> {
        /// What every version of a handler begins with.
        #[repr(C)]
        struct Beginning {
            size: usize,
            version: u32,
        }
        // SAFETY: of the caller; size and version stand first in every version.
        let Beginning { size, version } = unsafe { pointer.cast::<Beginning>().read() };
        if version != abi::VERSION || size < size_of::<abi::Handler>() {
            return Err(ForeignError::Version { version, size });
        }
        Ok(Self {
            // SAFETY: of this version, and not smaller than we know it; it lives as long as the process.
            handler: unsafe { &*pointer.cast::<abi::Handler>() },
            started: Mutex::new(false),
        })
    }

    pub(super) fn exported(&self) -> &'static abi::Handler {
        self.handler
    }

    /// What the handler says of itself, JSON.
    pub fn describe(&self) -> Result<String, ForeignError> {
        let mut text = Owned::borrowed(&[]);
        // SAFETY: its own data, and a place to be filled.
        let code = unsafe { (self.handler.describe)(self.handler.data, &raw mut text) };
        let text = String::from_utf8_lossy(Given(text).as_ref()).into_owned();
        if code == abi::READY {
            Ok(text)
        } else {
            Err(ForeignError::Module(text))
        }
    }

    /// Has the module make what it shares between requests. Does nothing where that was done.
    pub fn start(&self) -> Result<(), ForeignError> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if *started {
            return Ok(());
        }
        let mut message = Owned::borrowed(&[]);
        // SAFETY: its own data, and a place to be filled.
        let code = unsafe { (self.handler.start)(self.handler.data, &raw mut message) };
        let message = Given(message);
        if code != abi::READY {
            let message = String::from_utf8_lossy(message.as_ref()).into_owned();
            return Err(ForeignError::Module(message));
        }
        *started = true;
        Ok(())
    }

    /// Lets the module drop that. Does nothing where it was not started.
    pub fn stop(&self) {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *started, false) {
            // SAFETY: its own data; called once for each `start`.
            unsafe { (self.handler.stop)(self.handler.data) };
        }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        self.stop();
    }
}
