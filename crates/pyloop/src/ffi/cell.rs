//! Data guarded by the GIL. Knows nothing of what it guards.

use pyo3::{PyVisit, Python};

/// Data that only a thread attached to the interpreter may look at; a `Cell` or `RefCell` inside needs no lock.
///
/// Its owner must be a Python object, so that it is also dropped by an attached thread.
pub struct GilCell<T>(T);

// SAFETY: the content is reached by `get`, which wants the token of an attached thread and lends for no longer
// than that token lives; the module declares that it needs the GIL, so attached threads exclude each other.
// A borrow cannot be carried into `Python::detach`, whose closure must be `Send`, because `T` is not `Sync`.
unsafe impl<T> Sync for GilCell<T> {}
// SAFETY: as above; the owner is a Python object, hence dropped attached.
unsafe impl<T> Send for GilCell<T> {}

impl<T> GilCell<T> {
    /// Puts `value` under the guard of the GIL.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The content, for as long as the thread is attached.
    pub fn get<'a, 'py: 'a>(&'a self, _py: Python<'py>) -> &'a T {
        &self.0
    }

    /// The content, for the garbage collector's traversal, which holds the GIL and nothing that proves it but `_visit`.
    pub fn get_in_traverse<'a>(&'a self, _visit: &'a PyVisit<'_>) -> &'a T {
        &self.0
    }
}
