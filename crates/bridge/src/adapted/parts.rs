//! What a Python response is made of, as the exchange takes it. Knows no route.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use smallvec::SmallVec;

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
