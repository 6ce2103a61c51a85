//! What those who watch a service ask it: its figures, whether it lives, whether it is ready. Answers without Python.

use super::Board;
use super::board::State;
use super::text;
use crate::error::ResponseError;
use crate::exchange::Exchange;
use crate::service::{LocalBoxFuture, Service};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Where probes of container platforms look.
const LIVE: &[u8] = b"/livez";
const READY: &[u8] = b"/readyz";

/// The answers, and the paths that they are given at.
#[derive(Clone)]
pub struct Monitor {
    /// The figures of all processes.
    pub board: Arc<Board>,
    /// Where they are shown.
    pub metrics: Option<String>,
    /// Whether `/livez` and `/readyz` are answered.
    pub health: bool,
    /// For how long an event loop may do one thing, and live.
    pub stuck_after: Duration,
}

#[derive(Clone, Copy)]
enum Question {
    Metrics,
    Live,
    Ready,
}

impl Monitor {
    fn question(&self, path: &[u8]) -> Option<Question> {
        match path {
            LIVE if self.health => Some(Question::Live),
            READY if self.health => Some(Question::Ready),
            path if self
                .metrics
                .as_ref()
                .is_some_and(|own| own.as_bytes() == path) =>
            {
                Some(Question::Metrics)
            }
            _ => None,
        }
    }

    fn answer(&self, question: Question, exchange: &Exchange) -> Result<(), ResponseError> {
        let method = exchange.head().method();
        if method != "GET" && method != "HEAD" {
            return exchange.respond(405, [("allow", "GET, HEAD")], &b""[..]);
        }
        match self.text(question) {
            Ok((status, kind, text)) => exchange.respond(
                status,
                [("content-type", kind), ("cache-control", "no-store")],
                text.as_bytes(),
            ),
            Err(error) => exchange.respond(500, plain(), error.to_string().as_bytes()),
        }
    }

    fn text(&self, question: Question) -> io::Result<(u16, &'static str, String)> {
        let probe = |is_well, well: &str, ill: &str| {
            let (status, text) = if is_well { (200, well) } else { (503, ill) };
            Ok((status, "text/plain; charset=utf-8", format!("{text}\n")))
        };
        match question {
            Question::Metrics => Ok((200, text::CONTENT_TYPE, self.board.prometheus()?)),
            Question::Live => probe(self.is_live()?, "live", "stuck"),
            Question::Ready => probe(self.is_ready()?, "ready", "not ready"),
        }
    }

    /// Whether any event loop turns that is to serve; one that is yet to start may take its time.
    fn is_live(&self) -> io::Result<bool> {
        let processes = self.board.read()?.processes;
        let mut serving = processes
            .iter()
            .filter(|(state, _)| *state != State::Starting)
            .peekable();
        Ok(serving.peek().is_none() || serving.any(|(_, busy)| *busy < self.stuck_after))
    }

    fn is_ready(&self) -> io::Result<bool> {
        let processes = self.board.read()?.processes;
        Ok(processes.iter().any(|(state, _)| *state == State::Ready))
    }
}

/// On addresses of its own: everything else is 404.
impl Service for Monitor {
    fn call(&self, exchange: Exchange) -> Option<LocalBoxFuture<()>> {
        let answered = match self.question(exchange.head().raw_path()) {
            Some(question) => self.answer(question, &exchange),
            None => exchange.respond(404, plain(), &b"Not Found"[..]),
        };
        report(answered)
    }
}

/// On an app's own addresses: everything else is the app's.
pub struct Fronted {
    /// What is asked first.
    pub monitor: Monitor,
    /// The app.
    pub service: Rc<dyn Service>,
}

impl Service for Fronted {
    fn call(&self, exchange: Exchange) -> Option<LocalBoxFuture<()>> {
        let Some(question) = self.monitor.question(exchange.head().raw_path()) else {
            return self.service.call(exchange);
        };
        let route = String::from_utf8_lossy(exchange.head().raw_path()).into();
        exchange.set_route(&route);
        report(self.monitor.answer(question, &exchange))
    }
}

fn plain() -> [(&'static str, &'static str); 1] {
    [("content-type", "text/plain; charset=utf-8")]
}

fn report(answered: Result<(), ResponseError>) -> Option<LocalBoxFuture<()>> {
    if let Err(error) = answered {
        tracing::debug!(%error, "an answer of the monitor was not sent");
    }
    None
}
