//! HTTP/1.0 and HTTP/1.1 as a state machine over bytes. Does no I/O, keeps no time, spawns nothing.
//!
//! A request comes in through [`head::HeadParser`] and [`body::Decoder`], its response goes out through
//! [`encode::head`] and [`response_body::BodyEncoder`].

pub mod body;
mod chunk;
pub mod date;
pub mod encode;
pub mod fields;
mod framing;
pub mod head;
mod lines;
pub mod response_body;
mod section;
mod status;
mod target;
pub(crate) mod token;
mod trailer;
pub(crate) mod translated;

pub use framing::Framing;
