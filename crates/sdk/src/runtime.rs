//! A Tokio runtime of the module's own: what `#[handler(tokio)]` runs on.

use crate::response::BoxError;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, ready};
use tokio::runtime::{Builder, EnterGuard, Runtime};
use tokio::task::JoinHandle;

/// Made when it is first needed; lives as long as the process.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut builder = Builder::new_multi_thread();
        builder
            .worker_threads(threads.min(4))
            .thread_name("native-handlers")
            .enable_all();
        builder
            .build()
            .unwrap_or_else(|error| panic!("no Tokio runtime can be made: {error}"))
    })
}

/// Lets what is polled while the guard lives find the runtime.
pub(crate) fn enter() -> EnterGuard<'static> {
    runtime().enter()
}

/// Runs a future on the module's runtime and waits for it: for functions in `states: […]`, never in a handler.
///
/// # Errors
/// As the future.
pub fn block_on<T, E: Into<BoxError>>(
    future: impl Future<Output = Result<T, E>>,
) -> Result<T, BoxError> {
    runtime().block_on(future).map_err(Into::into)
}

/// Runs a future on the module's runtime; dropping this ends it there.
pub fn run<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = T> {
    Running(runtime().spawn(future))
}

struct Running<T>(JoinHandle<T>);

impl<T> Future for Running<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match ready!(Pin::new(&mut self.0).poll(cx)) {
            Ok(value) => Poll::Ready(value),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // Only a runtime that is being shut down cancels what we hold.
            Err(_) => Poll::Pending,
        }
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
