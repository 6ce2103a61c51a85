//! The figures of a service and their monitor, as Python makes them and hands them to servers. Counts nothing itself.

use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::metrics::{self, LoopMeter, Station};
use api::server::Listener;
use pyloop::gil;
use pyloop::host::{Nanos, Observer};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors;
use crate::ffi;

/// Memory that the processes of one service count in, a slot each; slot 0 is of the process that makes it.
#[pyclass(frozen, module = "data_bridge._native")]
pub struct Board(Arc<metrics::Board>);

#[pymethods]
impl Board {
    /// New memory, or that of the process that `descriptor` was inherited from. `OSError` where there is none.
    #[new]
    #[pyo3(signature = (descriptor=None))]
    fn new(descriptor: Option<RawFd>) -> PyResult<Self> {
        let board = match descriptor {
            None => metrics::Board::create(),
            Some(descriptor) => ffi::duplicate(descriptor).map(metrics::Board::inherit),
        };
        let board = board.map_err(|error| errors::system(&error))?;
        Ok(Self(Arc::new(board)))
    }

    /// What another process can inherit.
    fn fileno(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }

    /// Makes room for the slots up to `slot`.
    fn reserve(&self, slot: usize) -> PyResult<()> {
        let made = self.0.reserve(slot);
        made.map_err(|error| errors::system(&error))
    }

    /// The process of `slot` has ended; what it has counted stays.
    fn release(&self, slot: usize) -> PyResult<()> {
        let released = self.0.release(slot);
        released.map_err(|error| errors::system(&error))
    }

    /// Counts that a worker is replaced: because it `"ended"`, was `"stuck"` or `"spent"`, or because that was `"asked"` for.
    fn count_restart(&self, reason: &str) -> PyResult<()> {
        let counted = self.0.count_restart(reason);
        counted.map_err(|error| errors::system(&error))
    }

    /// The figures of all processes, as Prometheus reads them.
    fn prometheus(&self) -> PyResult<String> {
        let text = self.0.prometheus();
        text.map_err(|error| errors::system(&error))
    }

    /// The figures of all processes in nine numbers, by name.
    fn summary<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let summary = self.0.summary().map_err(|error| errors::system(&error))?;
        let dict = PyDict::new(py);
        dict.set_item("total_requests", summary.total_requests)?;
        dict.set_item("requests_per_second", summary.requests_per_second)?;
        dict.set_item("active_requests", summary.active_requests)?;
        dict.set_item("mean_latency_ms", summary.mean_latency_ms)?;
        dict.set_item("p50_latency_ms", summary.p50_latency_ms)?;
        dict.set_item("p95_latency_ms", summary.p95_latency_ms)?;
        dict.set_item("p99_latency_ms", summary.p99_latency_ms)?;
        dict.set_item("client_errors", summary.client_errors)?;
        dict.set_item("server_errors", summary.server_errors)?;
        Ok(dict)
    }
}

impl Board {
    /// The memory itself.
    pub fn shared(&self) -> &Arc<metrics::Board> {
        &self.0
    }
}

/// Answers `/metrics`, `/livez` and `/readyz` from a thread that needs no interpreter.
#[pyclass(frozen, module = "data_bridge._native")]
pub struct Monitor(Mutex<Option<Station>>);

#[pymethods]
impl Monitor {
    /// On `listeners`, descriptors of sockets that listen. An event loop that is busy for `stuck_after` seconds is not live.
    #[new]
    fn new(board: &Bound<'_, Board>, listeners: Vec<RawFd>, stuck_after: f64) -> PyResult<Self> {
        let monitor = metrics::Monitor {
            board: Arc::clone(board.get().shared()),
            metrics: Some("/metrics".to_owned()),
            health: true,
            stuck_after: seconds(stuck_after)?,
        };
        let duplicate = |number| Listener::of(ffi::duplicate(number)?);
        let duplicates: Result<_, _> = listeners.into_iter().map(duplicate).collect();
        let station = duplicates.and_then(|listeners| Station::start(monitor, listeners));
        let station = station.map_err(|error| errors::system(&error))?;
        Ok(Self(Mutex::new(Some(station))))
    }

    /// Ends its thread.
    fn close(&self, py: Python<'_>) {
        let station = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        gil::detach(py, || drop(station));
    }
}

/// What the monitor answers on an app's own addresses, where it is to.
pub fn on_own_addresses(
    settings: &Bound<'_, PyAny>,
    board: &Bound<'_, Board>,
) -> PyResult<Option<metrics::Monitor>> {
    let metrics: Option<String> = settings.getattr("metrics_path")?.extract()?;
    let health: bool = settings.getattr("health")?.extract()?;
    if metrics.is_none() && !health {
        return Ok(None);
    }
    Ok(Some(metrics::Monitor {
        board: Arc::clone(board.get().shared()),
        metrics,
        health,
        stuck_after: seconds(settings.getattr("worker_timeout")?.extract()?)?,
    }))
}

fn seconds(value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| PyValueError::new_err(format!("{value} is no number of seconds")))
}

/// Notes a loop's turns in its process's slot.
pub struct Turns(pub Arc<LoopMeter>);

impl Observer for Turns {
    fn is_waiting(&self) -> bool {
        self.0.is_waiting()
    }

    fn asks(&self, now: Nanos) {
        self.0.asks(now.unsigned_abs());
    }

    fn goes_on(&self, now: Nanos) {
        self.0.goes_on(now.unsigned_abs());
    }

    fn woke(&self, now: Nanos) {
        self.0.woke(now.unsigned_abs());
    }

    fn attached(&self, now: Nanos) {
        self.0.attached(now.unsigned_abs());
    }
}
