//! What one call of an app is, whatever its scope's type: a place to send to, and an end. `http` is `cycle.rs`, `websocket` next to it.

use std::rc::Rc;

use api::exchange::Exchange;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::awaitable::Awaited;
use super::route::Routing;

/// One call: what `receive`, `send` and the end of the app mean. `receive` is [`Awaited::value`].
pub trait Protocol: Awaited {
    /// The request.
    fn exchange(&self) -> &Exchange;
    /// Its route; settled where an answer begins, else when the call ends.
    fn routing(&self) -> &Routing;
    /// Carries out one message of the app.
    fn send(self: Rc<Self>, py: Python<'_>, message: &Bound<'_, PyDict>) -> PyResult<Sent>;
    /// The app has returned or raised; whatever it left undone is settled here.
    fn close(&self, py: Python<'_>, raised: bool) -> Outcome;
    /// `task` runs the app from now on.
    fn runs_in(&self, _task: &Bound<'_, PyAny>) {}
}

/// What the awaitable of a `send()` has to do.
pub enum Sent {
    /// Nothing.
    Done,
    /// It waits for room.
    Waits(Rc<dyn Awaited>),
}

/// How a call ended, for the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The response was sent whole, or the WebSocket closed.
    Complete,
    /// The client left first.
    Disconnected,
    /// It took too long, and the client got a 504.
    Overdue,
    /// The app never answered: the client got a 500.
    NoResponse,
    /// The app began a response and did not finish it: the connection was closed.
    Incomplete,
}
