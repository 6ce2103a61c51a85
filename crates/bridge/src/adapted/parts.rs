//! What a Python response is made of, as the exchange takes it. Knows no route.

use api::exchange::Chunk;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use smallvec::SmallVec;

use crate::ffi;

/// From this length on a body is sent from Python's memory, without a copy.
const SHARED_FROM: usize = 16 * 1024;

/// Names and values of a response's fields.
pub type RawHeaders<'py> = SmallVec<[(Bound<'py, PyBytes>, Bound<'py, PyBytes>); 8]>;

/// Reads a list of pairs of `bytes`.
pub fn raw_headers<'py>(list: &Bound<'py, PyAny>) -> PyResult<RawHeaders<'py>> {
    list.try_iter()?.map(|field| field?.extract()).collect()
}

/// The fields as the exchange takes them.
pub fn fields<'a>(headers: &'a RawHeaders<'_>) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
}

/// A body's bytes: copied if short, else shared.
pub fn chunk<'a>(bytes: &'a Bound<'_, PyBytes>) -> Chunk<'a> {
    let slice = bytes.as_bytes();
    if slice.len() < SHARED_FROM {
        Chunk::from(slice)
    } else {
        Chunk::from(ffi::share_bytes(bytes))
    }
}
