//! JSON to and from Python objects. Reading and writing share nothing but this room.

pub mod model;
pub mod read;
pub mod write;
