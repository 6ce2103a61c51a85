//! Readiness of descriptors: who wants to hear what about which fd. Knows epoll, and neither time nor callbacks.
//!
//! A descriptor number is used again as soon as it is closed, so every registration has a generation, which travels
//! through the kernel with the event; an event of an earlier registration is dropped.

use std::cell::{Cell, RefCell};
use std::io;
use std::ops::BitOr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use crate::core::Core;
use crate::ffi::epoll::{Change, Epoll, epoll_event};
use crate::ffi::sys::{COARSE_SLICE, coarse_ticks};
use crate::ready::Ready;

/// What happened to a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Events(u32);

impl Events {
    /// There is something to read: data, a connection, or the end of the stream.
    pub fn readable(self) -> bool {
        self.has(
            libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR | libc::EPOLLPRI,
        )
    }

    /// There is room to write, or the write will fail at once.
    pub fn writable(self) -> bool {
        self.has(libc::EPOLLOUT | libc::EPOLLHUP | libc::EPOLLERR)
    }

    /// The peer will send no more.
    pub fn read_closed(self) -> bool {
        self.has(libc::EPOLLRDHUP | libc::EPOLLHUP)
    }

    /// Both directions are closed.
    pub fn hangup(self) -> bool {
        self.has(libc::EPOLLHUP)
    }

    /// An error is pending on the descriptor.
    pub fn error(self) -> bool {
        self.has(libc::EPOLLERR)
    }

    /// Out-of-band data has come: reads stop short of it.
    pub fn urgent(self) -> bool {
        self.has(libc::EPOLLPRI)
    }

    fn has(self, flags: libc::c_int) -> bool {
        self.0 & flags.cast_unsigned() != 0
    }
}

/// An event on its way through the ready queue.
#[derive(Clone, Copy)]
pub struct Arrived {
    /// Generation and number of the descriptor, as the kernel carries them.
    registration: u64,
    events: Events,
}

/// How a descriptor repeats itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Each poll reports what is still the case.
    Level,
    /// A change is reported once; the source reads or writes until the kernel has no more.
    Edge,
}

/// Which directions are of interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest(u32);

impl Interest {
    /// Neither direction; errors and hang-ups are reported all the same.
    pub const NONE: Self = Self(0);
    /// Reading, and the peer's end of stream.
    pub const READ: Self = Self((libc::EPOLLIN | libc::EPOLLRDHUP).cast_unsigned());
    /// Writing.
    pub const WRITE: Self = Self(libc::EPOLLOUT.cast_unsigned());
    /// Out-of-band data.
    pub const URGENT: Self = Self(libc::EPOLLPRI.cast_unsigned());
    /// Both directions.
    pub const BOTH: Self = Self(Self::READ.0 | Self::WRITE.0);
}

impl BitOr for Interest {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Who is told about a descriptor. Called attached, in the tick's I/O phase.
pub trait Source {
    /// `events` happened. Raise what must end the loop by [`Core::interrupt`].
    fn ready(&self, py: Python<'_>, core: &Core, events: Events);

    /// Whether [`ready`](Self::ready) only queues callbacks. Any other source waits for those that were queued before.
    fn only_queues(&self) -> bool {
        false
    }

    /// The transport that owns the descriptor, if one does: `add_reader` and its like refuse such a descriptor.
    fn transport<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let _ = py;
        None
    }

    /// Shows the garbage collector the Python objects that the source holds.
    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let _ = visit;
        Ok(())
    }

    /// The `sock_*` calls that wait for the descriptor, if it has seen any.
    fn operations(&self) -> Option<Rc<crate::sock::Operations>> {
        None
    }

    /// For this crate's own `add_reader` registrations.
    fn as_watch(&self) -> Option<&crate::readers::Watch> {
        None
    }
}

struct Slot {
    generation: u32,
    mode: Mode,
    /// Taken out of the kernel's set by [`Poller::mute`].
    muted: bool,
    source: Option<Rc<dyn Source>>,
}

/// The descriptors of one loop.
pub struct Poller {
    /// Gone once the loop is closed.
    epoll: RefCell<Option<Epoll>>,
    slots: RefCell<Vec<Slot>>,
    generation: Cell<u32>,
    polls: Cell<u32>,
}

/// Ticks (some 200 µs) for which the output of one poll is gathered: sends in a row cost less than each beside its read,
/// but slow callbacks do not keep the first answer waiting.
const LONGEST_GATHERING: u64 = 4 * COARSE_SLICE;

/// How many events one poll takes from the kernel.
pub(crate) const BATCH: usize = 256;

fn index(fd: RawFd) -> io::Result<usize> {
    usize::try_from(fd).map_err(|_| io::Error::from_raw_os_error(libc::EBADF))
}

fn closed() -> io::Error {
    io::Error::from_raw_os_error(libc::EBADF)
}

fn bits(mode: Mode, interest: Interest) -> u32 {
    match mode {
        Mode::Level => interest.0,
        Mode::Edge => interest.0 | libc::EPOLLET.cast_unsigned(),
    }
}

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            epoll: RefCell::new(Some(Epoll::new()?)),
            slots: RefCell::default(),
            generation: Cell::new(0),
            polls: Cell::new(0),
        })
    }

    /// The epoll descriptor, which is all that detached code may touch.
    pub(crate) fn epoll_fd(&self) -> RawFd {
        self.epoll.borrow().as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    /// A second descriptor of the set, to nest it in another.
    pub(crate) fn duplicate(&self) -> io::Result<OwnedFd> {
        self.epoll
            .borrow()
            .as_ref()
            .map_or_else(|| Err(closed()), Epoll::duplicate)
    }

    fn control(&self, change: Change, fd: RawFd, events: u32, data: u64) -> io::Result<()> {
        self.epoll.borrow().as_ref().map_or_else(
            || Err(closed()),
            |epoll| epoll.control(change, fd, events, data),
        )
    }

    /// Tells `source` what happens to `fd` from now on. Replaces an earlier registration of the same number.
    pub fn register(
        &self,
        fd: RawFd,
        mode: Mode,
        interest: Interest,
        source: Rc<dyn Source>,
    ) -> io::Result<()> {
        let index = index(fd)?;
        let generation = self.generation.get().wrapping_add(1);
        self.generation.set(generation);
        let data = u64::from(generation) << 32 | u64::from(fd.cast_unsigned());
        // The table may be wrong about the kernel's set: a number may be closed and used again unseen, or be shared.
        let (likely, other) = if self.source(fd).is_some() {
            (Change::Modify, Change::Add)
        } else {
            (Change::Add, Change::Modify)
        };
        match self.control(likely, fd, bits(mode, interest), data) {
            Err(error) if matches!(error.raw_os_error(), Some(libc::EEXIST | libc::ENOENT)) => {
                self.control(other, fd, bits(mode, interest), data)?;
            }
            result => result?,
        }
        let replaced = {
            let mut slots = self.slots.borrow_mut();
            if slots.len() <= index {
                slots.resize_with(index + 1, || Slot {
                    generation: 0,
                    mode: Mode::Level,
                    muted: false,
                    source: None,
                });
            }
            std::mem::replace(
                &mut slots[index],
                Slot {
                    generation,
                    mode,
                    muted: false,
                    source: Some(source),
                },
            )
        };
        drop(replaced); // outside the borrow: it may run Python code
        Ok(())
    }

    /// Changes the directions of a registered descriptor; an edge that is already there is reported again.
    pub fn modify(&self, fd: RawFd, interest: Interest) -> io::Result<()> {
        let index = index(fd)?;
        let mut slots = self.slots.borrow_mut();
        let slot = slots.get_mut(index).filter(|slot| slot.source.is_some());
        let slot = slot.ok_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))?;
        let data = u64::from(slot.generation) << 32 | u64::from(fd.cast_unsigned());
        let change = if slot.muted {
            Change::Add
        } else {
            Change::Modify
        };
        self.control(change, fd, bits(slot.mode, interest), data)?;
        slot.muted = false;
        Ok(())
    }

    /// Hears nothing of a registered descriptor, not even of errors, until it is modified; its source stays known.
    pub fn mute(&self, fd: RawFd) -> io::Result<()> {
        let index = index(fd)?;
        let mut slots = self.slots.borrow_mut();
        let slot = slots.get_mut(index).filter(|slot| slot.source.is_some());
        if let Some(slot) = slot.filter(|slot| !slot.muted) {
            self.control(Change::Delete, fd, 0, 0)?;
            slot.muted = true;
        }
        Ok(())
    }

    /// Forgets a descriptor, closed already or not. `false`: it was not registered.
    pub fn deregister(&self, fd: RawFd) -> bool {
        let removed = index(fd).ok().and_then(|index| {
            let mut slots = self.slots.borrow_mut();
            slots.get_mut(index).and_then(|slot| slot.source.take())
        });
        if removed.is_some() {
            // A descriptor closed before has left the set by itself: nothing to report.
            let _ = self.control(Change::Delete, fd, 0, 0);
        }
        removed.is_some()
    }

    /// Forgets a descriptor that is about to be closed, which takes it out of the kernel's set by itself.
    ///
    /// For edges only: should a copy of the descriptor live on in another process, the kernel goes on reporting it.
    pub fn forget(&self, fd: RawFd) {
        let removed = index(fd).ok().and_then(|index| {
            let mut slots = self.slots.borrow_mut();
            slots.get_mut(index).and_then(|slot| slot.source.take())
        });
        drop(removed); // outside the borrow: it may run Python code
    }

    /// Who is told about `fd`.
    pub fn source(&self, fd: RawFd) -> Option<Rc<dyn Source>> {
        self.slots.borrow().get(index(fd).ok()?)?.source.clone()
    }

    /// Forgets everything and closes the set; for the end of the loop.
    pub(crate) fn close(&self) {
        drop(self.epoll.take());
        drop(self.slots.take());
    }

    /// The registered sources with their descriptors.
    pub(crate) fn sources(&self) -> Vec<(RawFd, Rc<dyn Source>)> {
        let slots = self.slots.borrow();
        (0..)
            .zip(slots.iter())
            .filter_map(|(fd, slot)| Some((fd, slot.source.clone()?)))
            .collect()
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(slots) = self.slots.try_borrow() else {
            return Ok(());
        };
        slots
            .iter()
            .filter_map(|slot| slot.source.as_ref())
            .try_for_each(|source| source.traverse(visit))
    }

    /// Tells the sources, or queues what they will be told behind the callbacks that are ready already, where asyncio
    /// would run it. `true`: a level-triggered one was among them, which may still be ready.
    pub(crate) fn dispatch(&self, py: Python<'_>, core: &Core, events: &[epoll_event]) -> bool {
        self.polls.set(self.polls.get().wrapping_add(1));
        let queued = !core.ready.is_empty();
        let mut level = false;
        let mut flushed = coarse_ticks();
        for event in events {
            let arrived = Arrived {
                registration: event.u64,
                events: Events(event.events),
            };
            let Some((mode, source)) = self.registered(arrived.registration) else {
                continue;
            };
            level |= mode == Mode::Level;
            if queued && !source.only_queues() {
                core.ready.push(Ready::Event(arrived));
            } else {
                core.shield(py, || source.ready(py, core, arrived.events));
                if coarse_ticks().wrapping_sub(flushed) > LONGEST_GATHERING {
                    core.flush_dirty(py);
                    flushed = coarse_ticks();
                }
            }
        }
        core.flush_dirty(py);
        level
    }

    /// The number of the poll that [`dispatch`](Self::dispatch) was called for last.
    pub(crate) fn polls(&self) -> u32 {
        self.polls.get()
    }

    /// Tells the source of an event whose turn has come, unless it has been deregistered meanwhile.
    pub(crate) fn deliver(&self, py: Python<'_>, core: &Core, arrived: Arrived) {
        if let Some((_mode, source)) = self.registered(arrived.registration) {
            core.shield(py, || source.ready(py, core, arrived.events));
        }
    }

    /// The source of a registration that still holds.
    fn registered(&self, registration: u64) -> Option<(Mode, Rc<dyn Source>)> {
        #[allow(clippy::cast_possible_truncation)] // the two halves of the number
        let (generation, index) = ((registration >> 32) as u32, registration as u32 as usize);
        let slots = self.slots.borrow();
        let slot = slots.get(index)?;
        if slot.generation != generation {
            return None;
        }
        Some((slot.mode, slot.source.clone()?))
    }
}
