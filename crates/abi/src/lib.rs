//! The C ABI between `data_bridge` and a module with native handlers: version 1, as data, and the wakers that cross it either way
//! ([`waker`]). Depends on nothing.
//!
//! The module exports a [`Handler`] in a Python capsule named [`CAPSULE`]; `data_bridge` gives it a [`Host`] for each call.
//! Both begin with their own size: within a version, fields are only added at the end, and nobody reads beyond the size
//! that the other side states. Anything else makes a new version, which has another capsule name.
//!
//! Rules, for both sides:
//! * Every function is called on the thread of the event loop, except those of a [`Waker`], which any thread may call, and
//!   [`Owned::release`], which is called once, by any thread.
//! * No function unwinds: a panic is caught on the side where it happens and becomes [`PANICKED`] or [`FAILED`].
//! * What a [`Slice`] shows is valid until the end of the call that it is an argument of; where the [`Host`] gives it, until the
//!   task is dropped.
#![no_std]

extern crate alloc;

mod ffi;

pub use ffi::waker;

use core::ffi::{CStr, c_void};
use core::net::{IpAddr, SocketAddr};

/// The version that this crate describes.
pub const VERSION: u32 = 1;

/// What the capsule's name begins with; the version follows.
pub const CAPSULE_STEM: &str = "data_bridge.native.v";

/// The name of a capsule that points to a [`Handler`] of this version.
pub const CAPSULE: &CStr = c"data_bridge.native.v1";

/// What a function came to.
pub type Code = u32;

/// Done.
pub const READY: Code = 0;
/// Not yet: the waker that was given will be woken.
pub const PENDING: Code = 1;
/// There is no more, or no such thing.
pub const END: Code = 2;
/// It cannot be done; of a request's body: the framing is broken or ended early.
pub const FAILED: Code = 3;
/// It panicked on the other side.
pub const PANICKED: Code = 4;
/// The client is gone.
pub const GONE: Code = 5;
/// The client sent nothing for too long.
pub const STALLED: Code = 6;

/// Borrowed bytes. Where `len` is 0, `data` may be anything.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    /// The first byte.
    pub data: *const u8,
    /// How many there are.
    pub len: usize,
}

impl Slice {
    /// No bytes.
    pub const EMPTY: Self = Self::of(&[]);

    /// Shows `bytes`, without their lifetime.
    pub const fn of(bytes: &[u8]) -> Self {
        Self {
            data: bytes.as_ptr(),
            len: bytes.len(),
        }
    }
}

/// A name and a value: a header field, or a parameter of the path.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Of a header field in any case.
    pub name: Slice,
    /// Its bytes; of a parameter, percent-decoded UTF-8.
    pub value: Slice,
}

impl Field {
    /// An empty name and value.
    pub const EMPTY: Self = Self {
        name: Slice::EMPTY,
        value: Slice::EMPTY,
    };
}

/// Bytes together with what keeps them alive.
///
/// Without `release` they are borrowed, as a [`Slice`]'s. With it they belong to the receiver, who calls it once, with `owner`.
#[repr(C)]
#[derive(Debug)]
pub struct Owned {
    /// The bytes.
    pub bytes: Slice,
    /// What `release` is called with.
    pub owner: *mut c_void,
    /// Gives the bytes up.
    pub release: Option<unsafe extern "C" fn(owner: *mut c_void)>,
}

impl Owned {
    /// Bytes that the receiver has to copy.
    pub const fn borrowed(bytes: &[u8]) -> Self {
        Self {
            bytes: Slice::of(bytes),
            owner: core::ptr::null_mut(),
            release: None,
        }
    }
}

/// Wakes a task, from any thread, also after the task's end.
#[repr(C)]
#[derive(Debug)]
pub struct Waker {
    /// What the functions are called with.
    pub data: *const c_void,
    /// The functions.
    pub vtable: *const WakerVtable,
}

/// The functions of a [`Waker`].
#[repr(C)]
#[derive(Debug)]
pub struct WakerVtable {
    /// Size of this structure in bytes.
    pub size: usize,
    /// Makes another one, which has to be dropped or woken.
    pub clone: unsafe extern "C" fn(data: *const c_void) -> Waker,
    /// Wakes, and drops.
    pub wake: unsafe extern "C" fn(data: *const c_void),
    /// Wakes.
    pub wake_by_ref: unsafe extern "C" fn(data: *const c_void),
    /// Drops.
    pub drop: unsafe extern "C" fn(data: *const c_void),
}

/// The head of a request.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// Size of this structure in bytes, set by whoever asks for it.
    pub size: usize,
    /// The method as received.
    pub method: Slice,
    /// The path as received, percent-encoded, without the query.
    pub path: Slice,
    /// The query as received, without its question mark.
    pub query: Slice,
    /// How many parameters the path has.
    pub params: usize,
    /// How much of `path` is the prefix that the handler is mounted under.
    pub prefix: usize,
    /// The body's length in bytes; [`UNKNOWN`] where the head does not say.
    pub body: u64,
    /// The name that the server gives the request; empty where it gives none. From here on: what the first hosts of this version leave as it is.
    pub id: Slice,
    /// The client: what a trusted proxy says of it, else the connection's peer.
    pub client: Address,
    /// [`HTTPS`], or 0.
    pub flags: u32,
}

/// Of [`Request::flags`]: the client speaks TLS, to the server or to a trusted proxy.
pub const HTTPS: u32 = 1;

impl Request {
    /// What the first modules of this version state as the size: all that ends before `id`.
    pub const FIRST_SIZE: usize = core::mem::offset_of!(Self, id);

    /// An empty head of the size that this crate knows, for the host to fill in.
    pub const EMPTY: Self = Self {
        size: size_of::<Self>(),
        method: Slice::EMPTY,
        path: Slice::EMPTY,
        query: Slice::EMPTY,
        params: 0,
        prefix: 0,
        body: UNKNOWN,
        id: Slice::EMPTY,
        client: Address::UNKNOWN,
        flags: 0,
    };
}

/// An IP address and a port.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Address {
    /// How many of `octets` there are: 4, 16, or 0 where the address is not known.
    pub len: u16,
    /// 0 where it is not known.
    pub port: u16,
    /// In the network's order; the rest is 0.
    pub octets: [u8; 16],
}

impl Address {
    /// No address.
    pub const UNKNOWN: Self = Self {
        len: 0,
        port: 0,
        octets: [0; 16],
    };
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        let mut octets = [0; 16];
        let len = match address.ip() {
            IpAddr::V4(ip) => {
                octets[..4].copy_from_slice(&ip.octets());
                4
            }
            IpAddr::V6(ip) => {
                octets = ip.octets();
                16
            }
        };
        Self {
            len,
            port: address.port(),
            octets,
        }
    }
}

impl Address {
    /// As the standard library has it.
    pub fn to_socket_addr(self) -> Option<SocketAddr> {
        let [a, b, c, d, ..] = self.octets;
        let ip = match self.len {
            4 => IpAddr::from([a, b, c, d]),
            16 => IpAddr::from(self.octets),
            _ => return None,
        };
        Some(SocketAddr::new(ip, self.port))
    }
}

/// The length of a body that does not announce it.
pub const UNKNOWN: u64 = u64::MAX;

/// What `data_bridge` lets a handler do with one request. `call` stands for the request, until the task is dropped.
#[repr(C)]
#[derive(Debug)]
pub struct Host {
    /// Size of this structure in bytes.
    pub size: usize,
    /// [`VERSION`].
    pub version: u32,
    /// Fills `head` in, up to its size; what it does not know it leaves as it is.
    pub request: unsafe extern "C" fn(call: *mut c_void, head: *mut Request),
    /// A parameter of the path by its number: [`READY`] or [`END`].
    pub param: unsafe extern "C" fn(call: *mut c_void, index: usize, found: *mut Field) -> Code,
    /// The value of the first header field of this name, in any case: [`READY`] or [`END`].
    pub field: unsafe extern "C" fn(call: *mut c_void, name: Slice, value: *mut Slice) -> Code,
    /// Shows every header field in its order.
    pub fields: unsafe extern "C" fn(
        call: *mut c_void,
        visit: unsafe extern "C" fn(context: *mut c_void, field: *const Field),
        context: *mut c_void,
    ),
    /// The next part of the body: [`READY`] (`chunk` is the receiver's), [`PENDING`], [`END`], [`FAILED`], [`GONE`] or
    /// [`STALLED`].
    pub poll_chunk:
        unsafe extern "C" fn(call: *mut c_void, waker: *const Waker, chunk: *mut Owned) -> Code,
    /// Answers with a whole response: [`READY`], or [`FAILED`] where it cannot be sent, as before then.
    /// `body` is released in any case.
    pub respond: unsafe extern "C" fn(
        call: *mut c_void,
        status: u16,
        fields: *const Field,
        count: usize,
        body: Owned,
    ) -> Code,
    /// Begins a streamed response.
    pub start: unsafe extern "C" fn(
        call: *mut c_void,
        status: u16,
        fields: *const Field,
        count: usize,
    ) -> Code,
    /// Appends to it. `chunk` is released in any case.
    pub write: unsafe extern "C" fn(call: *mut c_void, chunk: Owned) -> Code,
    /// [`READY`] once the client has taken enough of it, or is gone.
    pub poll_writable: unsafe extern "C" fn(call: *mut c_void, waker: *const Waker) -> Code,
    /// Ends it, with these trailer fields.
    pub finish:
        unsafe extern "C" fn(call: *mut c_void, trailers: *const Field, count: usize) -> Code,
    /// A line for the server's log: what went wrong in the handler.
    pub report: unsafe extern "C" fn(call: *mut c_void, text: Slice),
}

/// A handler, as its module exports it. Lives as long as the process.
#[repr(C)]
#[derive(Debug)]
pub struct Handler {
    /// Size of this structure in bytes.
    pub size: usize,
    /// [`VERSION`].
    pub version: u32,
    /// What the functions below are called with.
    pub data: *const c_void,
    /// Describes the handler in JSON (see docs/design/0026): [`READY`], or [`PANICKED`] and a message.
    pub describe: unsafe extern "C" fn(data: *const c_void, text: *mut Owned) -> Code,
    /// Makes what the handler shares between requests, unless another one of its module has. Called before `call`, once for
    /// each `stop`. [`READY`], or [`FAILED`] or [`PANICKED`] and a message.
    pub start: unsafe extern "C" fn(data: *const c_void, message: *mut Owned) -> Code,
    /// Drops it, where no other handler of the module needs it.
    pub stop: unsafe extern "C" fn(data: *const c_void),
    /// Makes a task that answers a request; null after a panic. `host` outlives it.
    pub call: unsafe extern "C" fn(
        data: *const c_void,
        host: *const Host,
        call: *mut c_void,
    ) -> *mut c_void,
    /// Goes on with a task: [`PENDING`], [`READY`] or [`PANICKED`]; after the latter two it is only dropped.
    pub poll: unsafe extern "C" fn(task: *mut c_void, waker: *const Waker) -> Code,
    /// Drops a task, done or not. `call` is no longer touched once this has returned.
    pub drop: unsafe extern "C" fn(task: *mut c_void),
}
