//! The HTTP/1 codec from outside: the project's wire cases, any cut of any bytes, and hyper as the oracle.

#![allow(clippy::unwrap_used)]

mod cases;
mod oracle;
mod peer;
mod random;
