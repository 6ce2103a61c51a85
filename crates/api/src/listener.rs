//! What accepts: sockets that listen, and the loop that takes connections from them. Knows no HTTP.

use crate::metrics::contain;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::future::{Future, poll_fn};
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
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
    fn take(&self, stream: TcpStream, peer: SocketAddr, listening_at: SocketAddr);
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

/// Opens a listening socket. `only_v6` keeps an IPv6 wildcard from taking the IPv4 port as well.
pub(crate) fn listen(at: SocketAddr, backlog: u32, only_v6: bool) -> io::Result<StdListener> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if at.is_ipv6() && only_v6 {
        socket.set_only_v6(true)?;
    }
    socket.bind(&at.into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}

/// Makes a listening socket ready for [`accept`]: whatever it accepts inherits `TCP_NODELAY`.
pub(crate) fn prepare(listener: &StdListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    socket2::SockRef::from(listener).set_tcp_nodelay(true)
}

/// Accepts until `intake` says that it is closed. `shared`: other processes accept from the same socket.
pub(crate) async fn accept(listener: TcpListener, intake: impl Intake, shared: bool) {
    let batch = if shared { SHARED_BATCH } else { BATCH };
    let Ok(listening_at) = listener.local_addr() else {
        tracing::error!("a listening socket has no address");
        return;
    };
    let mut pause: Option<Pin<Box<Sleep>>> = None;
    // Said once, however long it lasts.
    let mut exhausted = false;
    poll_fn(|cx| {
        for _ in 0..batch {
            match intake.admit(cx.waker()) {
                Admission::Open => {}
                Admission::Last => {
                    take_waiting(&listener, listening_at, &intake);
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
                Ok(Some((stream, peer))) => {
                    exhausted = false;
                    contain("accept", || intake.take(stream, peer, listening_at));
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
fn take_waiting(listener: &TcpListener, listening_at: SocketAddr, intake: &impl Intake) {
    while intake.admit(Waker::noop()) == Admission::Last {
        let Ok((socket, peer)) = SockRef::from(listener).accept() else {
            return;
        };
        let stream = socket
            .set_nonblocking(true)
            .and_then(|()| TcpStream::from_std(socket.into()));
        if let (Ok(stream), Some(peer)) = (stream, peer.as_socket()) {
            contain("accept", || intake.take(stream, peer, listening_at));
        }
    }
}

/// `Ok(None)`: that one connection failed, which says nothing about the next one.
fn accept_one(
    listener: &TcpListener,
    cx: &mut Context<'_>,
) -> Poll<io::Result<Option<(TcpStream, SocketAddr)>>> {
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
