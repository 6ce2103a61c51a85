//! JSON to and from Python objects. Reading and writing share nothing but this room and the view of a string's text.

pub mod model;
pub mod read;
pub mod write;
