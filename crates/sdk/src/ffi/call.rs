//! One request at the host, as safe calls.

use super::abi::{self, Code, Field, Host, Owned, Slice, waker};
use super::{bytes, bytes_of};
use crate::body::BodyError;
use ::bytes::Bytes;
use http::HeaderMap;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::task::{Context, Poll};

/// Responses with more fields than this cost an allocation.
const FIELDS_ON_STACK: usize = 12;

/// A request at the host. Not `Send`; lives inside of its task's future.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    host: *const Host,
    call: *mut c_void,
}

/// A part of a request's body, the end, or why there is none.
pub(crate) type Chunk = Option<Result<Bytes, BodyError>>;

/// The host did not take a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused;

impl Call {
    /// # Safety
    /// Both are of the call that the task of this is made for.
    pub(super) unsafe fn new(host: *const Host, call: *mut c_void) -> Self {
        Self { host, call }
    }

    fn host(&self) -> &Host {
        // SAFETY: the host outlives the task.
        unsafe { &*self.host }
    }

    pub(crate) fn head(&self) -> abi::Request {
        let mut head = abi::Request::EMPTY;
        // SAFETY: `head` is ours to be filled, up to the size it states.
        unsafe { (self.host().request)(self.call, &raw mut head) };
        head
    }

    /// What a slice of the head shows, until the task's end.
    #[expect(clippy::unused_self, reason = "the bytes live no longer than it")]
    pub(crate) fn text(&self, slice: Slice) -> &[u8] {
        // SAFETY: the head's slices are valid until the task is dropped, which owns us.
        unsafe { bytes_of(slice) }
    }

    pub(crate) fn param(&self, index: usize) -> Option<(&str, &str)> {
        let mut found = Field::EMPTY;
        // SAFETY: `found` is ours to be filled.
        let code = unsafe { (self.host().param)(self.call, index, &raw mut found) };
        if code != abi::READY {
            return None;
        }
        let name = std::str::from_utf8(self.text(found.name)).ok()?;
        Some((name, std::str::from_utf8(self.text(found.value)).ok()?))
    }

    pub(crate) fn field(&self, name: &str) -> Option<&[u8]> {
        let mut found = Slice::EMPTY;
        let name = Slice::of(name.as_bytes());
        // SAFETY: `name` is valid for the call, and `found` ours to be filled.
        let code = unsafe { (self.host().field)(self.call, name, &raw mut found) };
        (code == abi::READY).then(|| self.text(found))
    }

    /// All header fields.
    pub(crate) fn fields(&self) -> Vec<(&[u8], &[u8])> {
        unsafe extern "C" fn visit(context: *mut c_void, field: *const Field) {
            // SAFETY: `context` is the vector below, and nobody else holds it; `field` is valid for the call.
            let (list, field) = unsafe { (&mut *context.cast::<Vec<Field>>(), &*field) };
            list.push(*field);
        }
        let mut list: Vec<Field> = Vec::with_capacity(16);
        // SAFETY: `visit` takes the context that it is given here, and only during this call.
        unsafe { (self.host().fields)(self.call, visit, (&raw mut list).cast()) };
        let text = |field: Field| (self.text(field.name), self.text(field.value));
        list.into_iter().map(text).collect()
    }

    pub(crate) fn poll_chunk(self, cx: &mut Context<'_>) -> Poll<Chunk> {
        let waker = waker::lend(cx.waker());
        let mut chunk = Owned::borrowed(&[]);
        // SAFETY: the waker is lent for this call, `chunk` is ours to be filled.
        let code = unsafe { (self.host().poll_chunk)(self.call, &raw const waker, &raw mut chunk) };
        Poll::Ready(match code {
            // SAFETY: with `READY` the chunk is ours.
            abi::READY => Some(Ok(unsafe { bytes::take(chunk) })),
            abi::PENDING => return Poll::Pending,
            abi::END => None,
            abi::GONE => Some(Err(BodyError::Disconnected)),
            abi::STALLED => Some(Err(BodyError::Stalled)),
            _ => Some(Err(BodyError::Malformed)),
        })
    }

    pub(crate) fn respond(
        self,
        status: u16,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<(), Refused> {
        done(bytes::pass(body, |body| {
            with_fields(headers, |fields| {
                // SAFETY: fields and a borrowed body are valid for the call; an owned one is the host's from here.
                unsafe {
                    let fields: (*const Field, usize) = (fields.as_ptr(), fields.len());
                    (self.host().respond)(self.call, status, fields.0, fields.1, body)
                }
            })
        }))
    }

    pub(crate) fn start(self, status: u16, headers: &HeaderMap) -> Result<(), Refused> {
        done(with_fields(headers, |fields| {
            // SAFETY: the fields are valid for the call.
            unsafe { (self.host().start)(self.call, status, fields.as_ptr(), fields.len()) }
        }))
    }

    pub(crate) fn write(self, chunk: Bytes) -> Result<(), Refused> {
        // SAFETY: a borrowed chunk is valid for the call; an owned one is the host's from here.
        let write = |chunk| unsafe { (self.host().write)(self.call, chunk) };
        done(bytes::pass(chunk, write))
    }

    pub(crate) fn poll_writable(self, cx: &mut Context<'_>) -> Poll<()> {
        let waker = waker::lend(cx.waker());
        // SAFETY: the waker is lent for this call.
        match unsafe { (self.host().poll_writable)(self.call, &raw const waker) } {
            abi::PENDING => Poll::Pending,
            _ => Poll::Ready(()),
        }
    }

    pub(crate) fn finish(self, trailers: &HeaderMap) -> Result<(), Refused> {
        done(with_fields(trailers, |fields| {
            // SAFETY: the fields are valid for the call.
            unsafe { (self.host().finish)(self.call, fields.as_ptr(), fields.len()) }
        }))
    }

    pub(crate) fn report(self, text: &str) {
        // SAFETY: the text is valid for the call.
        unsafe { (self.host().report)(self.call, Slice::of(text.as_bytes())) }
    }
}

fn done(code: Code) -> Result<(), Refused> {
    if code == abi::READY {
        Ok(())
    } else {
        Err(Refused)
    }
}

fn with_fields<R>(headers: &HeaderMap, pass: impl FnOnce(&[Field]) -> R) -> R {
    let count = headers.len();
    let fields = headers.iter().map(|(name, value)| Field {
        name: Slice::of(name.as_str().as_bytes()),
        value: Slice::of(value.as_bytes()),
    });
    if count > FIELDS_ON_STACK {
        return pass(&fields.collect::<Vec<_>>());
    }
    let mut room = [const { MaybeUninit::<Field>::uninit() }; FIELDS_ON_STACK];
    for (place, field) in room.iter_mut().zip(fields) {
        place.write(field);
    }
    // SAFETY: the first `count` of them were written: there are as many fields, and not more than places.
    pass(unsafe { std::slice::from_raw_parts(room.as_ptr().cast::<Field>(), count) })
}
