//! A handler as the host calls it.

use super::abi::{self, Code, Owned, waker};
use super::bytes;
use super::call::Call;
use crate::handler::{self, Handler};
use crate::request::Request;
use crate::state::Module;
use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr;
use std::task::Poll;

/// What the host calls for a handler of `module`. To be kept in a `static`.
pub const fn export<H: Handler>(module: &'static Module) -> abi::Handler {
    abi::Handler {
        size: size_of::<abi::Handler>(),
        version: abi::VERSION,
        data: ptr::from_ref(module).cast(),
        describe: describe::<H>,
        start,
        stop,
        call: call::<H>,
        poll,
        drop: drop_task,
    }
}

/// # Safety
/// `data` is that of an `export`.
unsafe fn module(data: *const c_void) -> &'static Module {
    // SAFETY: `export` took it from a `&'static Module`.
    unsafe { &*data.cast::<Module>() }
}

unsafe extern "C" fn describe<H: Handler>(data: *const c_void, text: *mut Owned) -> Code {
    // SAFETY: the host hands our data back.
    let module = unsafe { module(data) };
    let (code, answer) = match contain(|| crate::describe::of::<H>(module)) {
        Ok(description) => (abi::READY, description),
        Err(message) => (abi::PANICKED, message),
    };
    // SAFETY: `text` is the host's to be filled; what stands there needs no drop.
    unsafe { text.write(bytes::give(answer.into())) };
    code
}

unsafe extern "C" fn start(data: *const c_void, message: *mut Owned) -> Code {
    // SAFETY: the host hands our data back.
    let module = unsafe { module(data) };
    let (code, answer) = match contain(|| module.start()) {
        Ok(Ok(())) => return abi::READY,
        Ok(Err(error)) => (abi::FAILED, error),
        Err(message) => (abi::PANICKED, message),
    };
    // SAFETY: as in `describe`.
    unsafe { message.write(bytes::give(answer.into())) };
    code
}

unsafe extern "C" fn stop(data: *const c_void) {
    // SAFETY: the host hands our data back.
    let module = unsafe { module(data) };
    // A panic in a state's drop has nobody to be told to; the panic hook has said it.
    let _ = contain(|| module.stop());
}

/// A task: what its kind needs, then the future. The host holds a pointer to the former.
#[repr(C)]
struct Task<F> {
    kind: Kind,
    future: F,
}

#[derive(Clone, Copy)]
struct Kind {
    call: Call,
    poll: unsafe fn(*mut c_void, *const abi::Waker) -> Poll<()>,
    drop: unsafe fn(*mut c_void),
}

unsafe extern "C" fn call<H: Handler>(
    data: *const c_void,
    host: *const abi::Host,
    call: *mut c_void,
) -> *mut c_void {
    // SAFETY: the host hands our data back; host and call are those of the task that is made here.
    let (module, call) = unsafe { (module(data), Call::new(host, call)) };
    let request = Request::new(call, module);
    match contain(|| boxed(call, handler::run::<H>(request))) {
        Ok(task) => task,
        Err(message) => {
            call.report(&message);
            ptr::null_mut()
        }
    }
}

fn boxed<F: Future<Output = ()>>(call: Call, future: F) -> *mut c_void {
    let kind = Kind {
        call,
        poll: poll_future::<F>,
        drop: drop_future::<F>,
    };
    Box::into_raw(Box::new(Task { kind, future })).cast()
}

/// # Safety
/// `task` came from `boxed` with this type of future, and nobody else holds it now; `waker` is valid.
unsafe fn poll_future<F: Future<Output = ()>>(
    task: *mut c_void,
    waker: *const abi::Waker,
) -> Poll<()> {
    // SAFETY: of the caller. The future stays in its box until it is dropped there: it is pinned.
    let future = unsafe { Pin::new_unchecked(&mut (*task.cast::<Task<F>>()).future) };
    // SAFETY: the waker is valid for this poll.
    unsafe { waker::with(waker, |cx| future.poll(cx)) }
}

/// # Safety
/// `task` came from `boxed` with this type of future, and is not used afterwards.
unsafe fn drop_future<F>(task: *mut c_void) {
    // SAFETY: of the caller.
    drop(unsafe { Box::from_raw(task.cast::<Task<F>>()) });
}

unsafe extern "C" fn poll(task: *mut c_void, waker: *const abi::Waker) -> Code {
    // SAFETY: a task begins with its kind.
    let kind = unsafe { *task.cast::<Kind>() };
    // SAFETY: it is of this kind, and the host polls from one place at a time.
    match contain(|| unsafe { (kind.poll)(task, waker) }) {
        Ok(Poll::Ready(())) => abi::READY,
        Ok(Poll::Pending) => abi::PENDING,
        Err(message) => {
            kind.call.report(&message);
            abi::PANICKED
        }
    }
}

unsafe extern "C" fn drop_task(task: *mut c_void) {
    // SAFETY: as in `poll`.
    let kind = unsafe { *task.cast::<Kind>() };
    // SAFETY: the host drops a task once.
    if let Err(message) = contain(|| unsafe { (kind.drop)(task) }) {
        kind.call.report(&message);
    }
}

/// Runs `f`; of a panic comes back what it said.
fn contain<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
        let message = message_of(&*payload);
        // A payload may panic again in its own drop.
        if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(second);
        }
        message
    })
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}
