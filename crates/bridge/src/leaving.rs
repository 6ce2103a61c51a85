//! What becomes of a request's task when its client leaves, or when the answer comes too late. Knows no messages.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use api::exchange::{Exchange, Observer};
use pyloop::gil::Kept;
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;

use crate::coroutine::later;

/// What a client's leaving does to the handler of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnDisconnect {
    /// What is only read (GET, HEAD) is cancelled; what may change something is carried through.
    #[default]
    Auto,
    /// The handler is cancelled.
    Cancel,
    /// The handler runs to its end.
    Ignore,
}

impl OnDisconnect {
    /// Reads the word of a setting or of a route's option.
    pub fn read(word: &str) -> PyResult<Self> {
        match word {
            "auto" => Ok(Self::Auto),
            "cancel" => Ok(Self::Cancel),
            "ignore" => Ok(Self::Ignore),
            _ => Err(PyValueError::new_err(format!(
                "on_disconnect must be auto, cancel or ignore, not {word:?}"
            ))),
        }
    }

    /// Whether a request with this method is cancelled.
    pub fn cancels(self, method: &str) -> bool {
        match self {
            Self::Auto => matches!(method, "GET" | "HEAD"),
            Self::Cancel => true,
            Self::Ignore => false,
        }
    }
}

/// Cancels the task of a request. The exchange holds it weakly: whoever owes the response keeps it.
pub struct Leaving {
    task: RefCell<Option<Kept<PyAny>>>,
    /// Whether leaving is a reason; being late always is.
    cancels: bool,
}

impl Leaving {
    /// Watches `exchange` for `task`, from now on.
    pub fn watch(exchange: &Exchange, task: &Bound<'_, PyAny>, cancels: bool) -> Rc<Self> {
        let leaving = Rc::new(Self {
            task: RefCell::new(Some(Kept::new(task.clone().unbind()))),
            cancels,
        });
        exchange.watch(Rc::downgrade(&leaving) as Weak<dyn Observer>);
        if exchange.is_disconnected() {
            leaving.disconnected();
        }
        leaving
    }

    fn cancel(&self) {
        if let Some(task) = self.task.take() {
            later(move |py| {
                if let Err(error) = task.bind(py).call_method0(intern!(py, "cancel")) {
                    error.write_unraisable(py, None);
                }
            });
        }
    }
}

impl Observer for Leaving {
    fn body_ready(&self) {}

    fn writable(&self) {}

    fn disconnected(&self) {
        if self.cancels {
            self.cancel();
        }
    }

    fn overdue(&self) {
        self.cancel();
    }
}
