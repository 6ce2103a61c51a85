//! What a module shares between requests: made when its first handler starts, dropped when the last one stops.

use crate::describe::Operation;
use crate::extract::FromRequest;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::response::BoxError;
use http::StatusCode;
use std::any::{Any, TypeId, type_name};
use std::sync::{PoisonError, RwLock};

/// A clone of a state of the module's: of what a function in `states: […]` of [`module!`](crate::module) returns. Large ones belong
/// into an `Arc`.
///
/// That the module makes a state of this type is checked when the handler is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State<T>(pub T);

impl<T: Clone + Send + Sync + 'static> FromRequest for State<T> {
    async fn from_request(request: &mut Request) -> Result<Self, Rejection> {
        request.module.state::<T>().map(Self).ok_or_else(|| {
            let text = format!("the state {} was not made", type_name::<T>());
            Rejection::new(StatusCode::INTERNAL_SERVER_ERROR, text)
        })
    }

    fn describe(operation: &mut Operation, _: &[&str]) {
        operation.needs(TypeId::of::<T>(), type_name::<T>());
    }
}

type Shared = Box<dyn Any + Send + Sync>;

/// How a state is made.
#[derive(Debug, Clone, Copy)]
pub struct Made {
    /// Of which type it is.
    pub kind: fn() -> TypeId,
    /// Makes it.
    pub make: fn() -> Result<Shared, BoxError>,
}

/// How a state is made, by what a function of the user's gives.
pub mod made {
    use super::{Any, BoxError, Shared, TypeId};

    /// The type of the state that `make` makes.
    pub fn kind<T: Any, E>(_: fn() -> Result<T, E>) -> TypeId {
        TypeId::of::<T>()
    }

    /// The state of a result.
    pub fn erase<T: Any + Send + Sync, E: Into<BoxError>>(
        result: Result<T, E>,
    ) -> Result<Shared, BoxError> {
        match result {
            Ok(state) => Ok(Box::new(state)),
            Err(error) => Err(error.into()),
        }
    }
}

/// A module with handlers, as [`module!`](crate::module) declares it.
#[derive(Debug)]
pub struct Module {
    made: &'static [Made],
    running: RwLock<Running>,
}

#[derive(Debug)]
struct Running {
    /// How many handlers were started and not stopped.
    handlers: usize,
    states: Vec<Shared>,
}

impl Module {
    /// A module that makes these states.
    pub const fn new(made: &'static [Made]) -> Self {
        Self {
            made,
            running: RwLock::new(Running {
                handlers: 0,
                states: Vec::new(),
            }),
        }
    }

    pub(crate) fn makes(&self, kind: TypeId) -> bool {
        self.made.iter().any(|made| (made.kind)() == kind)
    }

    pub(crate) fn state<T: Clone + 'static>(&self) -> Option<T> {
        let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
        let mut states = running.states.iter();
        states.find_map(|state| state.downcast_ref::<T>().cloned())
    }

    /// Makes the states, for the first handler. What was made before one failed is dropped.
    pub(crate) fn start(&self) -> Result<(), String> {
        let mut running = self.running.write().unwrap_or_else(PoisonError::into_inner);
        if running.handlers == 0 {
            let states = self.made.iter().map(|made| (made.make)());
            let states: Result<Vec<_>, BoxError> = states.collect();
            running.states = states.map_err(|error| error.to_string())?;
        }
        running.handlers += 1;
        Ok(())
    }

    /// Drops the states, for the last handler.
    pub(crate) fn stop(&self) {
        let mut running = self.running.write().unwrap_or_else(PoisonError::into_inner);
        running.handlers = running.handlers.saturating_sub(1);
        let unused = (running.handlers == 0).then(|| std::mem::take(&mut running.states));
        drop(running);
        // A state's drop may take long, and may start the module anew.
        drop(unused);
    }
}
