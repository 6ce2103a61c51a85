//! Rust's events (`tracing`) as records of Python's `logging`. Knows nothing of what is logged.

use std::cell::Cell;
use std::fmt::Write as _;
use std::sync::Once;

use pyo3::prelude::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::coroutine::later;

thread_local! {
    /// Whether a loop of this thread will run the jobs that carry records to Python.
    static SERVES: Cell<bool> = const { Cell::new(false) };
}

/// From now on events of this thread become log records. Idempotent.
pub fn install() {
    static ONCE: Once = Once::new();
    SERVES.set(true);
    ONCE.call_once(|| {
        // Another subscriber may be there already when we are embedded: it then gets the events instead.
        let _ = tracing::subscriber::set_global_default(ToPython);
    });
}

struct ToPython;

impl Subscriber for ToPython {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
            && *metadata.level() <= Level::INFO
            && metadata.target().starts_with("api")
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let (level, line) = (number(*event.metadata().level()), text.line);
        if !SERVES.get() {
            eprintln!("data_bridge: {line}");
            return;
        }
        later(move |py| {
            if let Err(error) = log(py, level, &line) {
                error.write_unraisable(py, None);
            }
        });
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

fn log(py: Python<'_>, level: u8, line: &str) -> PyResult<()> {
    let logger = crate::errors::logger(py)?;
    logger.call_method1("log", (level, "%s", line)).map(drop)
}

/// The level's number in Python's `logging`.
fn number(level: Level) -> u8 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        Level::DEBUG | Level::TRACE => 10,
    }
}

/// An event's message and fields as one line.
#[derive(Default)]
struct Text {
    line: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let separator = if self.line.is_empty() { "" } else { " " };
        // Writing to a String does not fail.
        let _ = if field.name() == "message" {
            write!(self.line, "{separator}{value:?}")
        } else {
            write!(self.line, "{separator}{}={value:?}", field.name())
        };
    }
}
