//! The SDK's sources, which a new module is built from as long as they are in no registry.

use pyo3::prelude::*;

/// Paths below a folder, and what stands there. Packed by `build.rs`.
const SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// The files of `data-bridge-sdk` and of what it needs of ours: path and text.
#[pyfunction]
pub fn sdk_sources() -> Vec<(&'static str, &'static str)> {
    SOURCES.to_vec()
}
