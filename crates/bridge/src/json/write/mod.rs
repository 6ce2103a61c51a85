//! Python objects to JSON. The walk through the built-in types is [`ffi`]'s; what any other object becomes is decided here.

mod compose;
mod dataclass;
mod datetime;
mod ffi;
mod keys;
mod kind;
mod numpy;
mod options;
mod special;
mod stop;

pub use ffi::{Document, Into, Writer, add_dumps, ascii, ascii_bits, quoted};
#[cfg(feature = "testing")]
pub use ffi::{add_respond, copy_with_each};
pub use kind::{Kind, of as kind_of};
pub use options::{Options, Settings};
pub use stop::Stop;
