//! Who answers requests. Knows the exchange, not who carries it.

use crate::exchange::Exchange;
use std::future::Future;
use std::pin::Pin;

/// A future of this thread, polled by the task of the connection it belongs to.
pub type LocalBoxFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// Answers the requests of a server: one per server, called on its thread.
pub trait Service: 'static {
    /// Takes one exchange.
    ///
    /// `Some(future)` is polled by the connection's own task until it is done, or until the client is gone.
    /// `None` says that the exchange is answered already, or that somebody keeps it and answers later.
    /// An exchange that is dropped without an answer becomes a 500.
    fn call(&self, exchange: Exchange) -> Option<LocalBoxFuture<()>>;
}
