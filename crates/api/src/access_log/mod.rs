//! A line for each answered request, formatted without Python. Knows not where lines go.

mod atom;
mod clock;
mod format;
mod json;
mod outlet;
mod text;

pub use format::{Format, FormatError};
pub use outlet::Outlet;

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::http1::head::Head;

/// Bytes of a line's memory that is kept for the next one.
const KEPT: usize = 4096;

/// Where the lines of a server go, each without its line break, and what they look like.
#[derive(Clone)]
pub struct AccessLog {
    format: Rc<Format>,
    sink: Rc<dyn Fn(&str)>,
    /// An earlier line's memory.
    line: Rc<Cell<String>>,
}

/// A request and what became of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered<'a> {
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) head: &'a Head,
    /// The request's name, where it has one.
    pub(crate) request_id: Option<&'a str>,
    pub(crate) status: u16,
    /// Bytes of the response's body.
    pub(crate) sent: u64,
    /// From the request's complete head to the last byte that the server gave to be sent.
    pub(crate) took: Duration,
}

impl AccessLog {
    /// Hands every line to `sink`, inside the runtime; `sink` only notes it down.
    pub fn new(format: Format, sink: impl Fn(&str) + 'static) -> Self {
        Self {
            format: Rc::new(format),
            sink: Rc::new(sink),
            line: Rc::default(),
        }
    }

    /// Whether the lines say how long requests took.
    pub(crate) fn is_timed(&self) -> bool {
        self.format.is_timed()
    }

    pub(crate) fn answered(&self, request: Answered<'_>) {
        let mut line = self.line.take();
        line.clear();
        self.format.write(&mut line, request);
        (self.sink)(&line);
        if line.capacity() <= KEPT {
            self.line.set(line);
        }
    }
}

impl std::fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessLog")
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}
