//! All of the writer's unsafe code, one purpose a file. Knows memory and the interpreter's structures, no options beyond
//! what the walk has to ask at once.
//!
//! Invariants that the files share:
//! * The thread is attached while a [`walk::Writer`] exists, except inside of `Writer::offer`.
//! * A borrowed reference is used until the next place where other code may run (a call into Python, the end of a reference,
//!   an offer of the GIL) and never after it; whatever is needed beyond such a place is held by a reference of its own.
//! * [`buffer::Buffer`] never hands out less room than was asked for, and [`buffer::SLACK`] more.
#![allow(unsafe_code)]

mod buffer;
mod entry;
mod kernel;
mod number;
mod planned;
mod text;
mod walk;

pub use buffer::{Document, Into, NoRoom};
pub use entry::add_dumps;
#[cfg(feature = "testing")]
pub use entry::add_respond;
#[cfg(feature = "testing")]
pub use kernel::copy_with_each;
pub use kernel::quoted;
pub use text::{ascii, ascii_bits};
pub use walk::{DEPTH, Writer};
