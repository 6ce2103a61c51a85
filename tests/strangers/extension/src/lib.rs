//! Futures of Tokio as awaitables, and coroutines as futures, the way pyo3-async-runtimes does it: on threads of its own,
//! through `call_soon_threadsafe()` of the running loop. Knows nothing of data_bridge.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3_async_runtimes::tokio::{future_into_py, into_future};

/// Waits on Tokio, then gives the value back.
#[pyfunction]
fn sleep(py: Python<'_>, seconds: f64, value: Py<PyAny>) -> PyResult<Bound<'_, PyAny>> {
    future_into_py(py, async move {
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        Ok(value)
    })
}

/// Awaits the coroutine from Rust, then gives its result back; its exception comes through.
#[pyfunction]
fn relay<'py>(py: Python<'py>, coroutine: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let awaited = into_future(coroutine)?;
    future_into_py(py, async move {
        let value = awaited.await?;
        tokio::task::yield_now().await;
        Ok(value)
    })
}

/// The extension module.
#[pymodule]
fn stranger(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(sleep, module)?)?;
    module.add_function(wrap_pyfunction!(relay, module)?)
}
