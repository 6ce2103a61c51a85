//! The socket under a transport: who owns it, its addresses, and what `get_extra_info` says of it. Knows no I/O.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd, RawFd};

use pyo3::exceptions::PyOSError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple};
use pyo3::{PyTraverseError, PyVisit};
use socket2::SockAddr;

use crate::ffi::socket;

/// What a socket is: the numbers that Python's `socket.socket` takes.
#[derive(Clone, Copy)]
pub struct Kind {
    /// `AF_INET` and its like.
    pub family: i32,
    /// `SOCK_STREAM`.
    pub socket_type: i32,
    /// `IPPROTO_TCP`, or 0.
    pub protocol: i32,
}

/// Who closes the descriptor.
enum Holder {
    /// A Python socket: given by the user, or made because somebody asked for it.
    Python(Py<PyAny>),
    /// The object in C under a Python socket, which is made of it when somebody asks; open or closed.
    Bare(Py<PyAny>),
    /// Nobody has asked for a Python object yet.
    Native(OwnedFd, Kind),
    /// Closed before anybody asked.
    Closed(Kind),
}

/// An address; Python's tuple is made when somebody asks.
enum Address {
    Inet(SocketAddr),
    Python(Py<PyAny>),
    Unknown,
}

/// The socket and what is known of it.
pub struct Endpoint {
    fd: RawFd,
    holder: RefCell<Holder>,
    local: Address,
    peer: Address,
    extra: RefCell<Option<Py<PyDict>>>,
}

impl Address {
    /// What the kernel says, or what the Python socket says of a family that is not ours.
    fn of(
        sock: &Bound<'_, PyAny>,
        method: &Bound<'_, PyString>,
        address: io::Result<SockAddr>,
    ) -> PyResult<Self> {
        let Ok(address) = address else {
            return Ok(Self::Unknown);
        };
        if let Some(address) = address.as_socket() {
            return Ok(Self::Inet(address));
        }
        match sock.call_method0(method) {
            Ok(address) => Ok(Self::Python(address.unbind())),
            Err(error) if error.is_instance_of::<PyOSError>(sock.py()) => Ok(Self::Unknown),
            Err(error) => Err(error),
        }
    }
}

impl Kind {
    /// The numbers of a Python socket.
    pub fn of(sock: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = sock.py();
        let number = |name| sock.getattr(name)?.extract::<i32>();
        Ok(Self {
            family: number(intern!(py, "family"))?,
            socket_type: number(intern!(py, "type"))?,
            protocol: number(intern!(py, "proto"))?,
        })
    }

    fn is_inet(self) -> bool {
        matches!(self.family, libc::AF_INET | libc::AF_INET6)
    }

    /// A Python socket that owns `fd`.
    fn socket(self, py: Python<'_>, fd: Option<RawFd>) -> PyResult<Bound<'_, PyAny>> {
        static SOCKET: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        SOCKET.import(py, "socket", "socket")?.call1((
            self.family,
            self.socket_type,
            self.protocol,
            fd,
        ))
    }
}

impl Endpoint {
    /// The socket `sock`, or the object in C under one, which belongs to the transport from now on, as asyncio has it.
    pub fn given(sock: &Bound<'_, PyAny>, extra: Option<Py<PyDict>>) -> PyResult<Self> {
        let py = sock.py();
        let fd = fileno(sock)?;
        let is_bare = sock.get_type().is(bare_class(py)?);
        let object = sock.clone().unbind();
        Ok(Self {
            fd,
            local: Address::of(sock, intern!(py, "getsockname"), socket::local_address(fd))?,
            peer: Address::of(sock, intern!(py, "getpeername"), socket::peer_address(fd))?,
            holder: RefCell::new(if is_bare {
                Holder::Bare(object)
            } else {
                Holder::Python(object)
            }),
            extra: RefCell::new(extra),
        })
    }

    /// A connection that a listening socket of `kind` has accepted.
    pub fn accepted(py: Python<'_>, fd: OwnedFd, kind: Kind, peer: &SockAddr) -> PyResult<Self> {
        if !kind.is_inet() {
            // Python knows how to write the addresses of other families.
            let sock = kind.socket(py, Some(fd.as_raw_fd()))?;
            let _owned_by_python_now = fd.into_raw_fd();
            return Self::given(&sock, None);
        }
        let local = socket::local_address(fd.as_raw_fd()).ok();
        let address = |address: Option<SocketAddr>| address.map_or(Address::Unknown, Address::Inet);
        Ok(Self {
            fd: fd.as_raw_fd(),
            local: address(local.and_then(|local| local.as_socket())),
            peer: address(peer.as_socket()),
            holder: RefCell::new(Holder::Native(fd, kind)),
            extra: RefCell::default(),
        })
    }

    /// The descriptor, also after it was closed.
    pub fn fd(&self) -> RawFd {
        self.fd
    }

    /// `AF_INET` and its like, as the kernel says.
    pub fn family(&self) -> Option<i32> {
        let address = socket::local_address(self.fd).ok()?;
        Some(i32::from(address.family()))
    }

    /// Whether the other end has a name that is not empty.
    pub fn has_peer(&self, py: Python<'_>) -> PyResult<bool> {
        match &self.peer {
            Address::Inet(_) => Ok(true),
            Address::Python(address) => address.bind(py).is_truthy(),
            Address::Unknown => Ok(false),
        }
    }

    /// Small writes go out at once on TCP.
    pub fn set_nodelay(&self) {
        if matches!(self.local, Address::Inet(_)) {
            socket::set_nodelay(self.fd);
        }
    }

    /// Closes the descriptor, once.
    pub fn close(&self, py: Python<'_>) -> PyResult<()> {
        let object = match &mut *self.holder.borrow_mut() {
            Holder::Python(sock) | Holder::Bare(sock) => sock.clone_ref(py),
            native => {
                if let Holder::Native(_, kind) = native {
                    *native = Holder::Closed(*kind);
                }
                return Ok(());
            }
        };
        object.call_method0(py, intern!(py, "close")).map(drop)
    }

    /// `transport.get_extra_info(name)`.
    pub fn extra_info<'py>(
        &self,
        py: Python<'py>,
        name: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let extra = self.extra(py);
        if let Some(value) = extra.get_item(name)? {
            return Ok(Some(value));
        }
        let Ok(name) = name.cast::<PyString>() else {
            return Ok(None);
        };
        let value = match name.to_str()? {
            "socket" => transport_socket(&self.python_socket(py)?)?,
            "sockname" => address_object(py, &self.local)?,
            "peername" => address_object(py, &self.peer)?,
            _ => return Ok(None),
        };
        extra.set_item(name, &value)?;
        Ok(Some(value))
    }

    fn extra<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        self.extra
            .borrow_mut()
            .get_or_insert_with(|| PyDict::new(py).unbind())
            .bind(py)
            .clone()
    }

    /// The socket as Python knows it; from the first time on, the Python object owns the descriptor.
    pub(super) fn python_socket<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (kind, is_open) = match &*self.holder.borrow() {
            Holder::Python(sock) => return Ok(sock.bind(py).clone()),
            Holder::Bare(bare) => (Kind::of(bare.bind(py))?, fileno(bare.bind(py))? >= 0),
            Holder::Native(_, kind) => (*kind, true),
            Holder::Closed(kind) => (*kind, false),
        };
        let sock = kind.socket(py, is_open.then_some(self.fd))?;
        if is_open {
            // The object takes the mode of new sockets for that of the descriptor.
            sock.call_method1(intern!(py, "setblocking"), (false,))?;
        } else {
            sock.call_method0(intern!(py, "close"))?;
        }
        // From here on it alone owns the descriptor.
        match self.holder.replace(Holder::Python(sock.clone().unbind())) {
            Holder::Native(fd, _) => drop(fd.into_raw_fd()),
            Holder::Bare(bare) => drop(bare.call_method0(py, intern!(py, "detach"))?),
            Holder::Python(_) | Holder::Closed(_) => {}
        }
        Ok(sock)
    }

    /// The peer's address and the socket, for a log.
    pub fn describe<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        Ok((address_object(py, &self.peer)?, self.python_socket(py)?))
    }

    /// Shows the garbage collector what is held.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(holder) = self.holder.try_borrow()
            && let Holder::Python(sock) | Holder::Bare(sock) = &*holder
        {
            visit.call(sock)?;
        }
        if let Ok(extra) = self.extra.try_borrow() {
            visit.call(&*extra)?;
        }
        [&self.local, &self.peer]
            .into_iter()
            .try_for_each(|address| match address {
                Address::Python(address) => visit.call(address),
                _ => Ok(()),
            })
    }
}

/// `sock.fileno()`
pub fn fileno(sock: &Bound<'_, PyAny>) -> PyResult<RawFd> {
    sock.call_method0(intern!(sock.py(), "fileno"))?.extract()
}

/// The class in C that `socket.socket` stands on.
pub fn bare_class(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    CLASS.import(py, "_socket", "socket")
}

/// The wrapper in which users get a transport's socket.
pub fn transport_socket<'py>(sock: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    CLASS
        .import(sock.py(), "asyncio.trsock", "TransportSocket")?
        .call1((sock,))
}

fn address_object<'py>(py: Python<'py>, address: &Address) -> PyResult<Bound<'py, PyAny>> {
    match address {
        Address::Python(address) => Ok(address.bind(py).clone()),
        Address::Inet(address) => inet_tuple(py, address).map(Bound::into_any),
        Address::Unknown => Ok(py.None().into_bound(py)),
    }
}

/// An address as Python's socket module writes it.
pub fn inet_tuple<'py>(py: Python<'py>, address: &SocketAddr) -> PyResult<Bound<'py, PyTuple>> {
    match address {
        SocketAddr::V4(address) => (address.ip().to_string(), address.port()).into_pyobject(py),
        SocketAddr::V6(address) => {
            // The C library's spelling, which differs from Rust's for a few addresses.
            let octets = address.ip().octets();
            let ip = py
                .import("socket")?
                .call_method1("inet_ntop", (libc::AF_INET6, octets.as_slice()))?;
            (
                ip,
                address.port(),
                u32::from_be(address.flowinfo()),
                address.scope_id(),
            )
                .into_pyobject(py)
        }
    }
}
