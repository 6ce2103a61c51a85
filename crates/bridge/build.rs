//! Tells the crate which Python it is built for: `cfg(Py_3_12)` and its like.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
}
