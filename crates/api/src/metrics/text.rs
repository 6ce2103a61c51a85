//! The figures as Prometheus reads them (text format 0.0.4). Knows the names, and how they are written.

use super::board::{State, Totals};
use super::cells;
use super::histogram::{BOUNDS, Histogram};
use std::fmt::Write as _;

/// Says what the text is.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

const STANDINGS: [&str; 6] = [
    "handshake",
    "idle",
    "active",
    "closing",
    "websocket",
    "http2",
];

const HISTOGRAMS: [(&str, &str); 3] = [
    (
        "request_queue_seconds",
        "From a request's complete head until Python begins with it.",
    ),
    (
        "loop_lag_seconds",
        "Time in which the event loop did not ask the kernel, a turn at a time.",
    ),
    (
        "gil_wait_seconds",
        "Time that the woken event loop waited for the GIL.",
    ),
];

pub(super) fn render(totals: &Totals) -> String {
    let mut page = Page(String::with_capacity(16 * 1024));
    page.requests(totals);
    page.gauge(
        "requests_in_flight",
        "Requests whose response is not complete.",
    );
    page.sample("requests_in_flight", "", totals.of(cells::IN_FLIGHT));
    page.gauge("connections", "Open connections by what they do.");
    for (place, name) in STANDINGS.iter().enumerate() {
        let count = totals.of(cells::CONNECTIONS + place);
        page.sample("connections", &format!("{{state=\"{name}\"}}"), count);
    }
    for (name, help, cell) in [
        (
            "connections_accepted_total",
            "Connections accepted.",
            cells::ACCEPTED,
        ),
        (
            "received_bytes_total",
            "Bytes read from clients, without TLS's own.",
            cells::RECEIVED,
        ),
        (
            "sent_bytes_total",
            "Bytes written to clients, without TLS's own.",
            cells::SENT,
        ),
        ("panics_total", "Panics caught.", cells::PANICS),
        (
            "access_log_dropped_total",
            "Lines of the access log that standard output did not take.",
            cells::LINES_DROPPED,
        ),
    ] {
        page.counter(name, help);
        page.sample(name, "", totals.of(cell));
    }
    page.counter(
        "worker_restarts_total",
        "Workers that others took the place of, by why.",
    );
    for (place, reason) in cells::RESTART_REASONS.iter().enumerate() {
        let count = totals.of(cells::RESTARTS + place);
        page.sample(
            "worker_restarts_total",
            &format!("{{reason=\"{reason}\"}}"),
            count,
        );
    }
    page.gauge("processes", "Processes that serve, by how far they are.");
    for (name, state) in [
        ("starting", State::Starting),
        ("ready", State::Ready),
        ("leaving", State::Leaving),
    ] {
        let count = totals
            .processes
            .iter()
            .filter(|(other, _)| *other == state)
            .count();
        page.sample("processes", &format!("{{state=\"{name}\"}}"), count as u64);
    }
    for ((name, help), histogram) in HISTOGRAMS.iter().zip(&totals.histograms) {
        page.head(name, "histogram", help);
        page.histogram(name, "", histogram);
    }
    page.0
}

struct Page(String);

impl Page {
    fn requests(&mut self, totals: &Totals) {
        self.counter(
            "requests_total",
            "Requests by method, route and status; 499: the client left before the end.",
        );
        for ((route, method), row) in &totals.rows {
            let labels = labels(method, route);
            for (status, count) in &row.statuses {
                self.sample(
                    "requests_total",
                    &format!("{{{labels},status=\"{status}\"}}"),
                    *count,
                );
            }
        }
        let name = "request_duration_seconds";
        self.head(
            name,
            "histogram",
            "From a request's complete head to the end of its response.",
        );
        for ((route, method), row) in &totals.rows {
            self.histogram(name, &labels(method, route), &row.durations);
        }
    }

    fn counter(&mut self, name: &str, help: &str) {
        self.head(name, "counter", help);
    }

    fn gauge(&mut self, name: &str, help: &str) {
        self.head(name, "gauge", help);
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let text = &mut self.0;
        // Writing into a string does not fail.
        let _ = writeln!(text, "# HELP data_bridge_{name} {help}");
        let _ = writeln!(text, "# TYPE data_bridge_{name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &str, value: u64) {
        let _ = writeln!(self.0, "data_bridge_{name}{labels} {value}");
    }

    #[allow(clippy::cast_precision_loss)] // sums are floats to Prometheus
    fn histogram(&mut self, name: &str, labels: &str, histogram: &Histogram) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut upto = 0;
        let bounds = BOUNDS.iter().map(|(_, text)| *text).chain(["+Inf"]);
        for (bound, count) in bounds.zip(histogram.buckets) {
            upto += count;
            let _ = writeln!(
                self.0,
                "data_bridge_{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {upto}"
            );
        }
        let braced = if labels.is_empty() {
            String::new()
        } else {
            format!("{{{labels}}}")
        };
        let sum = histogram.sum as f64 / 1e9;
        let _ = writeln!(self.0, "data_bridge_{name}_sum{braced} {sum}");
        let _ = writeln!(self.0, "data_bridge_{name}_count{braced} {upto}");
    }
}

fn labels(method: &str, route: &str) -> String {
    let route = route
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("method=\"{method}\",route=\"{route}\"")
}
