//! What both sides do alike at the border: this crate's only unsafe code.
//!
//! Invariants: a waker that is lent stays where it is for the call that it is lent for; one that was cloned is woken or dropped
//! exactly once.
#![allow(unsafe_code)]

pub mod waker;

// SAFETY: the contract has `data` shared between threads, and only handed back to the module's own functions.
unsafe impl Sync for crate::Handler {}
