//! Sockets that nobody reads from for now, watched for their client's leaving. Knows no bytes.
//!
//! A connection whose buffer is full stops reading, and would learn that its client is gone only when it reads on. So its
//! socket stands in an epoll set of the server's own, which reports nothing of it but a reset and a FIN.

use crate::connection::{Link, WakerSlot};
use crate::faults;
use crate::ffi;
use crate::metrics::contain;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};
use tokio::io::unix::AsyncFd;

/// Events taken out of the set by one call.
const BATCH: usize = 64;

/// What a socket said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hangup {
    /// The client will send no more.
    Half,
    /// Nothing reaches the client any more.
    Whole,
}

/// The watched sockets of one server.
pub(crate) struct Hangups {
    set: AsyncFd<OwnedFd>,
    links: RefCell<HashMap<u64, Weak<Link>>>,
    next: Cell<u64>,
    driver: WakerSlot,
}

impl Hangups {
    /// An empty set, and the local task that listens to it.
    pub(crate) fn start() -> io::Result<Rc<Self>> {
        let hangups = Rc::new(Self {
            set: ffi::readable(epoll::create(CreateFlags::CLOEXEC)?)?,
            links: RefCell::default(),
            next: Cell::new(0),
            driver: WakerSlot::default(),
        });
        tokio::task::spawn_local(drive(Rc::downgrade(&hangups)));
        Ok(hangups)
    }

    /// Tells `link` what happens to `socket`, as long as the [`Watch`] lives. Where the system has no room for that, nothing
    /// is told: the connection finds out when it reads or writes.
    pub(crate) fn watch(self: &Rc<Self>, socket: impl AsFd, link: &Rc<Link>) -> Watch {
        let key = self.next.get();
        self.next.set(key + 1);
        self.links.borrow_mut().insert(key, Rc::downgrade(link));
        let flags = EventFlags::RDHUP | EventFlags::ET;
        let added = epoll::add(self.set.get_ref(), socket, EventData::new_u64(key), flags);
        if let Err(error) = added {
            tracing::debug!(%error, "a socket is not watched");
        }
        Watch {
            hangups: Rc::clone(self),
            key,
        }
    }

    fn poll_turn(&self, cx: &mut Context<'_>) {
        while let Poll::Ready(Ok(mut ready)) = self.set.poll_read_ready(cx) {
            let mut events = [MaybeUninit::<Event>::uninit(); BATCH];
            let none = rustix::event::Timespec::default();
            match epoll::wait(self.set.get_ref(), &mut events[..], Some(&none)) {
                Ok((told, _)) if !told.is_empty() => told.iter().for_each(|event| self.tell(event)),
                _ => ready.clear_ready(),
            }
        }
    }

    fn tell(&self, event: &Event) {
        faults::here("hangup");
        let link = self.links.borrow().get(&event.data.u64()).cloned();
        if let Some(link) = link.and_then(|link| link.upgrade()) {
            // A copy: the kernel's struct is packed.
            let flags = event.flags;
            let gone = flags.intersects(EventFlags::ERR | EventFlags::HUP);
            link.hung_up(if gone { Hangup::Whole } else { Hangup::Half });
        }
    }
}

async fn drive(hangups: Weak<Hangups>) {
    poll_fn(|cx| {
        let Some(hangups) = hangups.upgrade() else {
            return Poll::Ready(());
        };
        hangups.driver.register(cx.waker());
        if contain("hangup", || hangups.poll_turn(cx)).is_none() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await;
}

impl Drop for Hangups {
    fn drop(&mut self) {
        self.driver.wake();
    }
}

/// One socket's place in the set. The socket has to be closed with it: the set itself forgets it only then.
pub(crate) struct Watch {
    hangups: Rc<Hangups>,
    key: u64,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.hangups.links.borrow_mut().remove(&self.key);
    }
}
