//! What accepts: sockets that listen, and the loop that takes connections from them. Knows no HTTP.

use crate::exchange::ConnectionInfo;
use crate::metrics::contain;
use crate::socket::Socket;
use socket2::{Domain, Protocol, SockRef, Type};
use std::future::{Future, poll_fn};
use std::io;
use std::net::{SocketAddr, TcpListener as StdTcp};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener as StdUnix;
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::time::{Sleep, sleep};

/// How long to wait when the process or the system is out of file descriptors or buffers.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// Accepts per poll, so that connections already there have their turn in a storm of new ones …
const BATCH: usize = 64;

/// … and so that processes that share a socket have their share of the storm.
const SHARED_BATCH: usize = 1;

/// Where accepted connections go, and who says how long to go on.
pub(crate) trait Intake {
    /// Whether to go on, to wait until `waker` is woken, or to stop for good.
    fn admit(&self, waker: &Waker) -> Admission;
    /// Takes one connection.
    fn take(&self, socket: Socket, info: ConnectionInfo);
}

/// What [`Intake::admit`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    Open,
    /// Those that wait already, and no more.
    Last,
    Full,
    Closed,
}

/// A socket that listens.
#[derive(Debug)]
pub enum Listener {
    /// At an address.
    Tcp(StdTcp),
    /// At a path, or at a name without one.
    Unix(StdUnix),
}

/// A listener that the runtime knows, and where it listens.
pub(crate) enum Registered {
    Tcp(TcpListener, SocketAddr),
    Unix(UnixListener, Option<Rc<Path>>),
}

/// Opens a listening socket. `only_v6` keeps an IPv6 wildcard from taking the IPv4 port as well.
pub(crate) fn listen(at: SocketAddr, backlog: u32, only_v6: bool) -> io::Result<StdTcp> {
    let socket = socket2::Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if at.is_ipv6() && only_v6 {
        socket.set_only_v6(true)?;
    }
    socket.bind(&at.into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}

impl Listener {
    /// The listening socket that `descriptor` stands for.
    pub fn of(descriptor: OwnedFd) -> io::Result<Self> {
        let address = SockRef::from(&descriptor).local_addr()?;
        Ok(if address.is_unix() {
            Self::Unix(descriptor.into())
        } else {
            Self::Tcp(descriptor.into())
        })
    }

    /// Makes it ready for [`accept`]: whatever it accepts inherits `TCP_NODELAY`.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                SockRef::from(listener).set_tcp_nodelay(true)
            }
            Self::Unix(listener) => listener.set_nonblocking(true),
        }
    }

    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix(_) => None,
        }
    }

    /// Makes it known to the runtime in whose context this is called.
    pub(crate) fn register(self) -> io::Result<Registered> {
        Ok(match self {
            Self::Tcp(listener) => {
                let address = listener.local_addr()?;
                Registered::Tcp(TcpListener::from_std(listener)?, address)
            }
            Self::Unix(listener) => {
                let address = listener.local_addr()?;
                let path = address.as_pathname().map(Rc::from);
                Registered::Unix(UnixListener::from_std(listener)?, path)
            }
        })
    }
}

impl Registered {
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Socket, ConnectionInfo)>> {
        match self {
            Self::Tcp(listener, at) => listener
                .poll_accept(cx)
                .map_ok(|(stream, peer)| of_tcp(stream, peer, *at)),
            Self::Unix(listener, path) => listener
                .poll_accept(cx)
                .map_ok(|(stream, _)| of_unix(stream, path.as_ref())),
        }
    }

    /// Takes one that waits in the kernel, whatever the runtime has heard of it.
    fn accept_now(&self) -> io::Result<(Socket, ConnectionInfo)> {
        match self {
            Self::Tcp(listener, at) => {
                let (socket, peer) = SockRef::from(listener).accept()?;
                socket.set_nonblocking(true)?;
                let peer = peer.as_socket().ok_or(io::ErrorKind::InvalidData)?;
                Ok(of_tcp(TcpStream::from_std(socket.into())?, peer, *at))
            }
            Self::Unix(listener, path) => {
                let (socket, _) = SockRef::from(listener).accept()?;
                socket.set_nonblocking(true)?;
                let stream = UnixStream::from_std(socket.into())?;
                Ok(of_unix(stream, path.as_ref()))
            }
        }
    }
}

fn of_tcp(stream: TcpStream, peer: SocketAddr, at: SocketAddr) -> (Socket, ConnectionInfo) {
    let local = if at.ip().is_unspecified() {
        stream.local_addr().ok()
    } else {
        Some(at)
    };
    (Socket::Tcp(stream), ConnectionInfo::of_tcp(local, peer))
}

fn of_unix(stream: UnixStream, path: Option<&Rc<Path>>) -> (Socket, ConnectionInfo) {
    (Socket::Unix(stream), ConnectionInfo::of_unix(path.cloned()))
}

/// Accepts until `intake` says that it is closed. `shared`: other processes accept from the same socket.
pub(crate) async fn accept(listener: Registered, intake: impl Intake, shared: bool) {
    let batch = if shared { SHARED_BATCH } else { BATCH };
    let mut pause: Option<Pin<Box<Sleep>>> = None;
    // Said once, however long it lasts.
    let mut exhausted = false;
    poll_fn(|cx| {
        for _ in 0..batch {
            match intake.admit(cx.waker()) {
                Admission::Open => {}
                Admission::Last => {
                    take_waiting(&listener, &intake);
                    return Poll::Ready(());
                }
                Admission::Full => return Poll::Pending,
                Admission::Closed => return Poll::Ready(()),
            }
            if let Some(sleep) = &mut pause {
                std::task::ready!(sleep.as_mut().poll(cx));
                pause = None;
            }
            match std::task::ready!(accept_one(&listener, cx)) {
                Ok(Some((socket, info))) => {
                    exhausted = false;
                    contain("accept", || intake.take(socket, info));
                }
                Ok(None) => {}
                Err(error) => {
                    if !std::mem::replace(&mut exhausted, true) {
                        tracing::warn!(%error, "cannot accept connections for now");
                    }
                    pause = Some(Box::pin(sleep(EXHAUSTED_PAUSE)));
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Takes the connections that wait in the kernel. It is asked itself: the runtime may not have heard of them yet.
fn take_waiting(listener: &Registered, intake: &impl Intake) {
    while intake.admit(Waker::noop()) == Admission::Last {
        let Ok((socket, info)) = listener.accept_now() else {
            return;
        };
        contain("accept", || intake.take(socket, info));
    }
}

/// `Ok(None)`: that one connection failed, which says nothing about the next one.
fn accept_one(
    listener: &Registered,
    cx: &mut Context<'_>,
) -> Poll<io::Result<Option<(Socket, ConnectionInfo)>>> {
    listener.poll_accept(cx).map(|accepted| match accepted {
        Ok(accepted) => Ok(Some(accepted)),
        Err(error) if is_exhausted(&error) => Err(error),
        Err(_) => Ok(None),
    })
}

fn is_exhausted(error: &io::Error) -> bool {
    const EXHAUSTED: [i32; 4] = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
    error
        .raw_os_error()
        .is_some_and(|code| EXHAUSTED.contains(&code))
}
