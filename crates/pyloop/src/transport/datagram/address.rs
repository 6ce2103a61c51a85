//! Addresses of datagrams in Python's form and in the kernel's. Knows no I/O and resolves no name.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::unix::ffi::OsStrExt;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyString, PyTuple};
use pyo3::{PyTraverseError, PyVisit};
use socket2::SockAddr;

use super::super::endpoint::inet_tuple;

/// The largest flow label of IPv6.
const FLOW_LABELS: u32 = 0xf_ffff;
/// Room for a path in an address, without the NUL at its end.
const PATH: usize = 107;

/// One address in both forms.
struct Known {
    object: Py<PyAny>,
    address: SockAddr,
}

/// The addresses of one socket. Peers repeat, so the last one in each direction is kept.
pub struct Addresses {
    family: Option<i32>,
    sender: RefCell<Option<Known>>,
    target: RefCell<Option<Known>>,
}

impl Addresses {
    /// Addresses of a family; `None`: not known, so Python has to read and write them.
    pub fn new(family: Option<i32>) -> Self {
        Self {
            family,
            sender: RefCell::default(),
            target: RefCell::default(),
        }
    }

    /// Whether a sender of this family is understood here.
    pub fn reads_senders(&self) -> bool {
        matches!(
            self.family,
            Some(libc::AF_INET | libc::AF_INET6 | libc::AF_UNIX)
        )
    }

    /// The sender as the socket module writes it.
    pub fn sender<'py>(&self, py: Python<'py>, address: SockAddr) -> PyResult<Bound<'py, PyAny>> {
        if let Some(known) = &*self.sender.borrow()
            && known.address == address
        {
            return Ok(known.object.bind(py).clone());
        }
        let object = match address.as_socket() {
            Some(inet) => inet_tuple(py, &inet)?.into_any(),
            None => unix_name(py, &address)?,
        };
        let known = Known {
            object: object.clone().unbind(),
            address,
        };
        let replaced = self.sender.replace(Some(known));
        drop(replaced); // outside the borrow
        Ok(object)
    }

    /// The kernel's form of a target; `None`: only the socket module knows what it means, or what is wrong with it.
    pub fn target(&self, object: &Bound<'_, PyAny>) -> Option<SockAddr> {
        for slot in [&self.target, &self.sender] {
            if let Some(known) = &*slot.borrow()
                && known.object.is(object)
            {
                return Some(known.address.clone());
            }
        }
        let address = match self.family? {
            libc::AF_INET => inet4(object)?.into(),
            libc::AF_INET6 => inet6(object)?.into(),
            libc::AF_UNIX => unix_path(object)?,
            _ => return None,
        };
        let known = Known {
            object: object.clone().unbind(),
            address: address.clone(),
        };
        let replaced = self.target.replace(Some(known));
        drop(replaced);
        Some(address)
    }

    /// Shows the garbage collector what is held.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        for slot in [&self.target, &self.sender] {
            if let Ok(slot) = slot.try_borrow()
                && let Some(known) = &*slot
            {
                visit.call(&known.object)?;
            }
        }
        Ok(())
    }
}

/// A path is text, an abstract name bytes, and a socket without a name has none.
fn unix_name<'py>(py: Python<'py>, address: &SockAddr) -> PyResult<Bound<'py, PyAny>> {
    if let Some(path) = address.as_pathname() {
        return Ok(path.as_os_str().into_pyobject(py)?.into_any());
    }
    Ok(match address.as_abstract_namespace() {
        Some(name) => PyBytes::new(py, &[b"\0", name].concat()).into_any(),
        None => py.None().into_bound(py),
    })
}

fn number(object: &Bound<'_, PyAny>) -> Option<u32> {
    object.cast_exact::<PyInt>().ok()?.extract().ok()
}

fn host_and_port<T: std::str::FromStr>(tuple: &Bound<'_, PyTuple>) -> Option<(T, u16)> {
    let host = tuple.get_item(0).ok()?;
    let ip = host.cast_exact::<PyString>().ok()?.to_str().ok()?;
    let port = number(&tuple.get_item(1).ok()?)?;
    Some((ip.parse().ok()?, u16::try_from(port).ok()?))
}

fn inet4(object: &Bound<'_, PyAny>) -> Option<SocketAddr> {
    let tuple = object.cast_exact::<PyTuple>().ok()?;
    if tuple.len() != 2 {
        return None;
    }
    let (ip, port) = host_and_port::<Ipv4Addr>(tuple)?;
    Some(SocketAddrV4::new(ip, port).into())
}

fn inet6(object: &Bound<'_, PyAny>) -> Option<SocketAddr> {
    let tuple = object.cast_exact::<PyTuple>().ok()?;
    if !(2..=4).contains(&tuple.len()) {
        return None;
    }
    let (ip, port) = host_and_port::<Ipv6Addr>(tuple)?;
    let optional = |index| {
        let item = tuple.get_item(index);
        item.map_or(Some(0), |item| number(&item))
    };
    let flow = optional(2).filter(|flow| *flow <= FLOW_LABELS)?;
    Some(SocketAddrV6::new(ip, port, flow.to_be(), optional(3)?).into())
}

/// A plain path; abstract names and other spellings are left to the socket module.
fn unix_path(object: &Bound<'_, PyAny>) -> Option<SockAddr> {
    let path = match object.cast_exact::<PyString>() {
        Ok(text) => text
            .to_str()
            .ok()
            .filter(|text| text.is_ascii())?
            .as_bytes(),
        Err(_) => object.cast_exact::<PyBytes>().ok()?.as_bytes(),
    };
    if path.is_empty() || path.len() > PATH || path.contains(&0) {
        return None;
    }
    SockAddr::unix(OsStr::from_bytes(path)).ok()
}
