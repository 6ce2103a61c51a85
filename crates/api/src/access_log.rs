//! A line for each answered request, formatted without Python. Knows not where lines go.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::rc::Rc;

use http::StatusCode;

use crate::http1::head::Head;

/// Where the lines of a server go, each without its line break.
#[derive(Clone)]
pub struct AccessLog(Rc<dyn Fn(&str)>);

impl AccessLog {
    /// Hands every line to `sink`, inside the runtime; `sink` only notes it down.
    pub fn new(sink: impl Fn(&str) + 'static) -> Self {
        Self(Rc::new(sink))
    }

    /// Logs one answer: `127.0.0.1:50000 - "GET /path?query HTTP/1.1" 200 OK`.
    pub(crate) fn answered(&self, peer: Option<SocketAddr>, head: &Head, status: u16) {
        let mut line = String::with_capacity(96);
        // Writing to a String does not fail.
        let _ = match peer {
            Some(peer) => write!(line, "{peer}"),
            None => write!(line, "-"),
        };
        let target = head.target().escape_ascii();
        let _ = write!(
            line,
            " - \"{} {target} HTTP/{}\" {status}",
            head.method(),
            head.version().as_str()
        );
        if let Some(reason) = StatusCode::from_u16(status)
            .ok()
            .and_then(|code| code.canonical_reason())
        {
            let _ = write!(line, " {reason}");
        }
        (self.0)(&line);
    }
}

impl std::fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessLog")
    }
}
