//! What a handler is, and the course of a request through it.

use crate::describe::Operation;
use crate::ffi::Call;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::response::{IntoResponse, Response, send};

/// A handler, as [`#[handler]`](macro@crate::handler) makes one of a function.
#[allow(async_fn_in_trait, reason = "handlers run on the loop's thread")]
pub trait Handler: 'static {
    /// Its name in Python.
    const NAME: &'static str;
    /// What its documentation says.
    const DOC: &'static str = "";
    /// Whether it takes all that is below its path.
    const MOUNT: bool = false;

    /// What the request gives it.
    type Arguments;

    /// Takes that.
    async fn extract(request: &mut Request) -> Result<Self::Arguments, Rejection>;

    /// Answers.
    async fn answer(arguments: Self::Arguments) -> Response;

    /// Describes what it takes and gives.
    fn describe(operation: &mut Operation);
}

/// Answers one request.
pub(crate) async fn run<H: Handler>(mut request: Request) {
    let call = request.call;
    match H::extract(&mut request).await {
        Err(rejection) => send(call, rejection.into_response()).await,
        Ok(arguments) => match request.pipe.take() {
            None => answer::<H>(call, arguments).await,
            Some(pipe) => pipe.feed(call, answer::<H>(call, arguments)).await,
        },
    }
}

async fn answer<H: Handler>(call: Call, arguments: H::Arguments) {
    send(call, H::answer(arguments).await).await;
}
