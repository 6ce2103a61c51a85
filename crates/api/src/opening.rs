//! What comes before a connection's first request: a PROXY header, a TLS handshake; each within its time, or not at all.

use crate::connection::{FRESH, Link};
use crate::metrics::contain;
use crate::proxy_protocol;
use crate::server::Stage;
use crate::socket::Socket;
use crate::stream::Stream;
use crate::timeouts::{Deadline, Millis};
use crate::tls::accept;
use rustix::net::{RecvFlags, recv};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;
use tokio::io::Interest;

/// Bytes looked at together: a usual PROXY header and what a client sends first.
const LOOK: usize = 512;

/// How long an opening is waited for.
pub(crate) struct Patience {
    pub(crate) due: Cell<Millis>,
    /// The client has said something: it is served, also by a server that stops meanwhile.
    pub(crate) begun: Cell<bool>,
}

impl Patience {
    fn until(due: Millis) -> Self {
        Self {
            due: Cell::new(due),
            begun: Cell::new(false),
        }
    }
}

/// The stream that requests come by. Nothing where the client is not let in.
pub(crate) async fn open(mut socket: Socket, link: &Link) -> Option<Stream> {
    let engine = &link.engine;
    if engine.proxy_protocol {
        let patience = Patience::until(engine.after(engine.timeouts.header));
        let header = introduced(socket, link, &patience.begun);
        socket = within(link, &patience, "PROXY header", header).await?;
    }
    let Some(handshakes) = &engine.handshakes else {
        return Some(Stream::Plain(socket));
    };
    let patience = Patience::until(engine.after(engine.timeouts.handshake));
    let handshake = accept::secure(socket, link, handshakes, &patience);
    let secured = within(link, &patience, "handshake", handshake).await?;
    Some(Stream::Tls(Box::new(secured)))
}

/// What `opening` comes to, unless it panics, takes too long, or the server stops while the client is silent.
async fn within<T>(
    link: &Link,
    patience: &Patience,
    what: &'static str,
    opening: impl Future<Output = Option<T>>,
) -> Option<T> {
    let engine = &link.engine;
    let mut opening = pin!(opening);
    let mut deadline = None;
    let fresh = engine.now().saturating_add(FRESH);
    poll_fn(|cx| {
        link.enter(cx.waker());
        let mut polled = contain(what, || opening.as_mut().poll(cx)).unwrap_or(Poll::Ready(None));
        let due = match engine.stage() {
            Stage::Draining if !patience.begun.get() => fresh.min(patience.due.get()),
            Stage::Serving | Stage::Leaving | Stage::Draining => patience.due.get(),
            Stage::Aborting => 0,
        };
        if polled.is_pending() && engine.now() >= due {
            polled = Poll::Ready(None);
        }
        deadline
            .get_or_insert_with(|| Deadline::new(&engine.wheel, cx.waker().clone()))
            .set(due);
        link.leave();
        polled
    })
    .await
}

/// Takes the PROXY header off `socket`, and nothing of what follows it.
async fn introduced(socket: Socket, link: &Link, begun: &Cell<bool>) -> Option<Socket> {
    let proxy = link.info.peer().map(|peer| peer.ip());
    if !link.engine.trusted.holds(proxy) {
        tracing::warn!(
            ?proxy,
            "closed: a PROXY header is believed of trusted proxies alone"
        );
        return None;
    }
    let mut header = Vec::new();
    loop {
        let taken = header.len();
        look(&socket, &mut header).await.ok()?;
        begun.set(true);
        let Ok(parsed) = proxy_protocol::parse(&header) else {
            tracing::warn!(?proxy, "closed: it does not begin with a PROXY header");
            return None;
        };
        let belongs = parsed.map_or(header.len(), |(_, length)| length);
        header.truncate(belongs);
        // They have come: one call takes them all.
        if socket.try_read(&mut header[taken..]).ok()? != belongs - taken {
            return None;
        }
        if let Some((told, _)) = parsed {
            link.info.introduce(told);
            return Some(socket);
        }
    }
}

/// Appends to `seen` what has come, and leaves it in the socket.
async fn look(socket: &Socket, seen: &mut Vec<u8>) -> io::Result<()> {
    let mut bytes = [0; LOOK];
    loop {
        socket.readable().await?;
        let look = || Ok(recv(socket, &mut bytes[..], RecvFlags::PEEK)?.0);
        match socket.try_io(Interest::READABLE, look) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                seen.extend_from_slice(&bytes[..count]);
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
