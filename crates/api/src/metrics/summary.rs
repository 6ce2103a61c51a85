//! The figures of a service in nine numbers, for programs. Knows no names of Prometheus.

use super::Board;
use super::cells;
use super::histogram::Histogram;
use super::text;
use std::io;

/// All requests of all processes since the service began.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Summary {
    /// Answered, or given up.
    pub total_requests: u64,
    /// On average.
    pub requests_per_second: f64,
    /// Whose response is not complete.
    pub active_requests: u64,
    /// Milliseconds from a request's head to the end of its response: on average …
    pub mean_latency_ms: f64,
    /// … and what half,
    pub p50_latency_ms: f64,
    /// 95 and
    pub p95_latency_ms: f64,
    /// 99 of a hundred did not exceed, estimated from buckets.
    pub p99_latency_ms: f64,
    /// Answers of 400 to 499.
    pub client_errors: u64,
    /// Answers of 500 and more.
    pub server_errors: u64,
}

impl Board {
    /// The service in nine numbers.
    #[allow(clippy::cast_precision_loss)] // averages
    pub fn summary(&self) -> io::Result<Summary> {
        let totals = self.read()?;
        let mut all = Histogram::default();
        totals.rows.values().for_each(|row| all.add(&row.durations));
        let answered = |from: u64, to: u64| -> u64 {
            let rows = totals.rows.values();
            rows.flat_map(|row| row.statuses.range(from..to))
                .map(|(_, count)| count)
                .sum()
        };
        let count = all.count();
        Ok(Summary {
            total_requests: count,
            requests_per_second: count as f64 / totals.age.as_secs_f64().max(1e-9),
            active_requests: totals.of(cells::IN_FLIGHT),
            mean_latency_ms: all.sum as f64 / 1e6 / count.max(1) as f64,
            p50_latency_ms: all.quantile_ms(0.5),
            p95_latency_ms: all.quantile_ms(0.95),
            p99_latency_ms: all.quantile_ms(0.99),
            client_errors: answered(400, 500),
            server_errors: answered(500, 1000),
        })
    }

    /// The figures as Prometheus reads them (text format 0.0.4).
    pub fn prometheus(&self) -> io::Result<String> {
        Ok(text::render(&self.read()?))
    }
}
