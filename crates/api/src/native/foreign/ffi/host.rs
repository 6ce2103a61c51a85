//! What a foreign handler may call, for each kind of carrier.

use super::{Given, bytes_of, give};
use crate::error::{BodyError, ResponseError};
use crate::exchange::Chunk;
use crate::metrics::contain;
use crate::native::foreign::Carrier;
use bytes::Bytes;
use data_bridge_abi::{self as abi, Address, Code, Field, Host, Owned, Request, Slice, waker};
use std::ffi::c_void;
use std::ptr;
use std::task::Poll;

/// The functions for carriers of one kind.
pub(super) fn of<C: Carrier>() -> &'static Host {
    &const {
        Host {
            size: size_of::<Host>(),
            version: abi::VERSION,
            request: request::<C>,
            param: param::<C>,
            field: field::<C>,
            fields: fields::<C>,
            poll_chunk: poll_chunk::<C>,
            respond: respond::<C>,
            start: start::<C>,
            write: write::<C>,
            poll_writable: poll_writable::<C>,
            finish: finish::<C>,
            report,
        }
    }
}

/// # Safety
/// `call` is the carrier of a task that is not dropped.
unsafe fn carrier<'a, C: Carrier>(call: *mut c_void) -> &'a C {
    // SAFETY: of the caller; only shared references to it exist.
    unsafe { &*call.cast::<C>() }
}

/// The fields behind a pointer.
///
/// # Safety
/// There are `count` of them, valid for `'a`.
unsafe fn pairs<'a>(
    fields: *const Field,
    count: usize,
) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    let fields: &'a [Field] = if count == 0 {
        &[]
    } else {
        // SAFETY: of the caller.
        unsafe { std::slice::from_raw_parts(fields, count) }
    };
    // SAFETY: of the caller: what they show is valid as long as they are.
    fields
        .iter()
        .map(|field| unsafe { (bytes_of(field.name), bytes_of(field.value)) })
}

/// What a call of the carrier's came to; a panic is its end, too.
fn code(border: &'static str, call: impl FnOnce() -> Result<(), ResponseError>) -> Code {
    match contain(border, call) {
        Some(Ok(())) => abi::READY,
        Some(Err(error)) => {
            tracing::error!(%error, "a native handler's response cannot be sent");
            abi::FAILED
        }
        None => abi::FAILED,
    }
}

unsafe extern "C" fn request<C: Carrier>(call: *mut c_void, head: *mut Request) {
    // SAFETY: the task is at work, so its carrier is alive.
    let carrier = unsafe { carrier::<C>(call) };
    let known = Request {
        size: size_of::<Request>(),
        method: Slice::of(carrier.method()),
        path: Slice::of(carrier.path()),
        query: Slice::of(carrier.query()),
        params: carrier.params(),
        prefix: carrier.prefix(),
        body: carrier.body_length().unwrap_or(abi::UNKNOWN),
        id: Slice::of(carrier.request_id().unwrap_or_default().as_bytes()),
        client: carrier.client().map_or(Address::UNKNOWN, Address::from),
        flags: if carrier.is_secure() { abi::HTTPS } else { 0 },
    };
    // SAFETY: the other side's to be filled.
    unsafe { fill(head, known) };
}

/// Fills in what the other side knows of a head: its modules may be older than we, or newer.
///
/// # Safety
/// Behind `head` are as many bytes as its `size` says.
unsafe fn fill(head: *mut Request, known: Request) {
    // SAFETY: of the caller; the size stands first in every version.
    let size = unsafe { (*head).size };
    if size < Request::FIRST_SIZE {
        return;
    }
    let filled = Request { size, ..known };
    let length = size.min(size_of::<Request>());
    // SAFETY: of the caller, and no more than we have.
    unsafe { ptr::copy_nonoverlapping((&raw const filled).cast::<u8>(), head.cast(), length) };
}

unsafe extern "C" fn param<C: Carrier>(call: *mut c_void, index: usize, found: *mut Field) -> Code {
    // SAFETY: as in `request`.
    let Some((name, value)) = (unsafe { carrier::<C>(call) }).param(index) else {
        return abi::END;
    };
    let field = Field {
        name: Slice::of(name.as_bytes()),
        value: Slice::of(value.as_bytes()),
    };
    // SAFETY: the other side's, to be filled.
    unsafe { found.write(field) };
    abi::READY
}

unsafe extern "C" fn field<C: Carrier>(call: *mut c_void, name: Slice, value: *mut Slice) -> Code {
    // SAFETY: as in `request`; the name is valid for the call.
    let (carrier, name) = unsafe { (carrier::<C>(call), bytes_of(name)) };
    let Some(found) = carrier.field(name) else {
        return abi::END;
    };
    // SAFETY: the other side's, to be filled.
    unsafe { value.write(Slice::of(found)) };
    abi::READY
}

unsafe extern "C" fn fields<C: Carrier>(
    call: *mut c_void,
    visit: unsafe extern "C" fn(*mut c_void, *const Field),
    context: *mut c_void,
) {
    // SAFETY: as in `request`.
    let carrier = unsafe { carrier::<C>(call) };
    carrier.each_field(&mut |name, value| {
        let field = Field {
            name: Slice::of(name),
            value: Slice::of(value),
        };
        // SAFETY: the other side's function, with its own context, during its call.
        unsafe { visit(context, &raw const field) };
    });
}

unsafe extern "C" fn poll_chunk<C: Carrier>(
    call: *mut c_void,
    waker: *const abi::Waker,
    chunk: *mut Owned,
) -> Code {
    // SAFETY: as in `request`.
    let carrier = unsafe { carrier::<C>(call) };
    let polled = contain("native body", || {
        // SAFETY: the waker is valid for this call.
        unsafe { waker::with(waker, |cx| carrier.poll_chunk(cx)) }
    });
    match polled {
        Some(Poll::Pending) => abi::PENDING,
        Some(Poll::Ready(None)) => abi::END,
        Some(Poll::Ready(Some(Ok(bytes)))) => {
            // SAFETY: the other side's, to be filled.
            unsafe { chunk.write(give(bytes)) };
            abi::READY
        }
        Some(Poll::Ready(Some(Err(BodyError::Disconnected)))) => abi::GONE,
        Some(Poll::Ready(Some(Err(BodyError::Stalled)))) => abi::STALLED,
        Some(Poll::Ready(Some(Err(BodyError::Malformed(_) | BodyError::Incomplete)))) | None => {
            abi::FAILED
        }
    }
}

/// Takes bytes that were shown or given.
fn taken<'a>(owned: Owned) -> Chunk<'a> {
    if owned.release.is_some() {
        return Chunk::Owned(Bytes::from_owner(Given(owned)));
    }
    // SAFETY: shown bytes are valid for the call that this is part of.
    Chunk::Borrowed(unsafe { bytes_of(owned.bytes) })
}

unsafe extern "C" fn respond<C: Carrier>(
    call: *mut c_void,
    status: u16,
    fields: *const Field,
    count: usize,
    body: Owned,
) -> Code {
    // SAFETY: as in `request`; the fields are valid for the call.
    let (carrier, fields) = unsafe { (carrier::<C>(call), pairs(fields, count)) };
    code("native response", || {
        carrier.respond(status, fields, taken(body))
    })
}

unsafe extern "C" fn start<C: Carrier>(
    call: *mut c_void,
    status: u16,
    fields: *const Field,
    count: usize,
) -> Code {
    // SAFETY: as in `respond`.
    let (carrier, fields) = unsafe { (carrier::<C>(call), pairs(fields, count)) };
    code("native response", || carrier.start(status, fields))
}

unsafe extern "C" fn write<C: Carrier>(call: *mut c_void, chunk: Owned) -> Code {
    // SAFETY: as in `request`.
    let carrier = unsafe { carrier::<C>(call) };
    code("native response", || carrier.write(taken(chunk)))
}

unsafe extern "C" fn poll_writable<C: Carrier>(
    call: *mut c_void,
    waker: *const abi::Waker,
) -> Code {
    // SAFETY: as in `request`.
    let carrier = unsafe { carrier::<C>(call) };
    let polled = contain("native response", || {
        // SAFETY: the waker is valid for this call.
        unsafe { waker::with(waker, |cx| carrier.poll_writable(cx)) }
    });
    match polled {
        Some(Poll::Pending) => abi::PENDING,
        _ => abi::READY,
    }
}

unsafe extern "C" fn finish<C: Carrier>(
    call: *mut c_void,
    trailers: *const Field,
    count: usize,
) -> Code {
    // SAFETY: as in `respond`.
    let (carrier, trailers) = unsafe { (carrier::<C>(call), pairs(trailers, count)) };
    code("native response", || carrier.finish(trailers))
}

unsafe extern "C" fn report(_: *mut c_void, text: Slice) {
    // SAFETY: the text is valid for the call.
    let message = String::from_utf8_lossy(unsafe { bytes_of(text) });
    let message = &*message;
    let _ = contain("native report", || {
        tracing::error!(message, "a native handler failed");
    });
}

#[cfg(test)]
mod tests {
    use super::fill;
    use data_bridge_abi::{Request, Slice};

    /// What a head has that states this size, and whether a byte behind it was touched.
    fn filled(size: usize) -> (Request, bool) {
        assert!(size <= size_of::<[Request; 2]>());
        let mut heads = [Request::EMPTY, Request::EMPTY];
        heads[0].size = size;
        let known = Request {
            method: Slice::of(b"GET"),
            id: Slice::of(b"7"),
            flags: 5,
            ..Request::EMPTY
        };
        // SAFETY: two heads are behind the pointer, and not more than that is stated.
        unsafe { fill(heads.as_mut_ptr(), known) };
        (heads[0], heads[1].size != Request::EMPTY.size)
    }

    #[test]
    fn an_older_module_gets_what_it_knows() {
        let (head, _) = filled(Request::FIRST_SIZE);
        assert_eq!((head.size, head.method.len), (Request::FIRST_SIZE, 3));
        assert_eq!((head.id.len, head.flags), (0, 0));
    }

    #[test]
    fn a_newer_module_gets_what_we_know() {
        let (head, is_touched) = filled(size_of::<Request>() + 64);
        assert_eq!((head.method.len, head.id.len, head.flags), (3, 1, 5));
        assert!(!is_touched);
    }

    #[test]
    fn what_is_no_head_is_left_alone() {
        let (head, _) = filled(Request::FIRST_SIZE - 1);
        assert_eq!(head.method.len, 0);
    }
}
