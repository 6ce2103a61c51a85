//! The memory that the processes of one service share: a slot of words for each, and the sums over all. Knows no HTTP.
//!
//! A worker that takes over the slot of one that ended goes on counting where that one stopped, so that no counter falls.

use super::cells::{self, BEGAN, BUSY_SINCE, SLOT, STATE, SUMMED};
use super::histogram::{self, Histogram};
use super::rows::{self, Table};
use super::{LoopMeter, Meter};
use crate::ffi::Words;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fstat, ftruncate, memfd_create};
use rustix::time::{ClockId, clock_gettime};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

const SLOT_BYTES: u64 = (SLOT * size_of::<u64>()) as u64;

/// What a process is doing, as probes see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is none.
    Free,
    /// Its app is not up yet.
    Starting,
    /// It accepts.
    Ready,
    /// It has been told to end.
    Leaving,
}

impl State {
    fn read(word: u64) -> Self {
        match word {
            1 => Self::Starting,
            2 => Self::Ready,
            3 => Self::Leaving,
            _ => Self::Free,
        }
    }
}

/// The shared memory. Slot 0 is of the process that made it.
pub struct Board {
    file: OwnedFd,
}

/// The sums over all processes.
pub(super) struct Totals {
    head: Vec<u64>,
    pub(super) histograms: [Histogram; 3],
    pub(super) rows: Table,
    /// Of each process: what it does, and for how long it has done something else than waiting.
    pub(super) processes: Vec<(State, Duration)>,
    /// Since the board was made.
    pub(super) age: Duration,
}

impl Board {
    /// Memory for one process.
    pub fn create() -> io::Result<Self> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = memfd_create("data_bridge metrics", flags)?;
        ftruncate(&file, SLOT_BYTES)?;
        fcntl_add_seals(&file, SealFlags::SHRINK)?;
        let board = Self { file };
        board.slot(0)?[BEGAN].store(now(), Ordering::Relaxed);
        Ok(board)
    }

    /// The memory that another process has made.
    pub fn inherit(file: OwnedFd) -> Self {
        Self { file }
    }

    /// Makes room for the slots up to `number`.
    pub fn reserve(&self, number: usize) -> io::Result<()> {
        let wanted = (number as u64 + 1) * SLOT_BYTES;
        if self.length()? < wanted {
            ftruncate(&self.file, wanted)?;
        }
        Ok(())
    }

    /// The counters of the process that takes over slot `number`, which starts.
    pub fn meter(&self, number: usize) -> io::Result<Rc<Meter>> {
        let words = self.slot(number)?;
        forget(&words, State::Starting);
        Ok(Rc::new(Meter::new(words)))
    }

    /// What the event loop of that process notes.
    pub fn loop_meter(&self, number: usize) -> io::Result<Arc<LoopMeter>> {
        Ok(Arc::new(LoopMeter::new(self.slot(number)?)))
    }

    /// The process of slot `number` has ended; what it has counted stays.
    pub fn release(&self, number: usize) -> io::Result<()> {
        forget(&self.slot(number)?, State::Free);
        Ok(())
    }

    /// A worker is replaced, for one of the reasons that are known.
    pub fn count_restart(&self, reason: &str) -> io::Result<()> {
        let known = &cells::RESTART_REASONS;
        if let Some(place) = known.iter().position(|known| *known == reason) {
            cells::add(&self.slot(0)?[cells::RESTARTS + place], 1);
        }
        Ok(())
    }

    pub(super) fn read(&self) -> io::Result<Totals> {
        let now = now();
        let began = self.slot(0)?[BEGAN].load(Ordering::Relaxed);
        let mut totals = Totals {
            head: vec![0; cells::HEAD],
            histograms: Default::default(),
            rows: Table::new(),
            processes: Vec::new(),
            age: Duration::from_nanos(now.saturating_sub(began)),
        };
        for number in 0..self.length()? / SLOT_BYTES {
            totals.take(&self.slot(usize::try_from(number).unwrap_or(0))?, now);
        }
        Ok(totals)
    }

    fn slot(&self, number: usize) -> io::Result<Words<SLOT>> {
        Words::map(self.file.as_fd(), number as u64 * SLOT_BYTES)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(u64::try_from(fstat(&self.file)?.st_size).unwrap_or(0))
    }
}

impl AsFd for Board {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Totals {
    fn take(&mut self, words: &Words<SLOT>, now: u64) {
        let state = State::read(words[STATE].load(Ordering::Relaxed));
        let busy_since = words[BUSY_SINCE].load(Ordering::Relaxed);
        if state != State::Free {
            let busy = if busy_since == 0 {
                0
            } else {
                now.saturating_sub(busy_since)
            };
            self.processes.push((state, Duration::from_nanos(busy)));
        }
        for (sum, word) in self.head[SUMMED..].iter_mut().zip(&words[SUMMED..]) {
            *sum = sum.wrapping_add(word.load(Ordering::Relaxed));
        }
        for (histogram, at) in
            self.histograms
                .iter_mut()
                .zip([cells::QUEUE, cells::LAG, cells::GIL])
        {
            histogram.take(&words[at..at + histogram::WORDS]);
        }
        rows::take(&mut self.rows, &**words);
    }

    /// The sum of one figure.
    pub(super) fn of(&self, cell: usize) -> u64 {
        self.head[cell]
    }
}

/// Sets what is true of this moment alone to nothing.
fn forget(words: &Words<SLOT>, state: State) {
    words[BUSY_SINCE].store(0, Ordering::Relaxed);
    for word in &words[SUMMED..cells::COUNTERS] {
        word.store(0, Ordering::Relaxed);
    }
    words[STATE].store(state as u64, Ordering::Relaxed);
}

/// The monotonic clock, which all processes share.
fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Board, State};
    use crate::metrics::Standing;
    use std::os::fd::AsFd;
    use std::sync::Arc;
    use std::time::Duration;

    #[test]
    fn sums_over_processes_and_over_those_that_ended() {
        let board = Board::create().unwrap();
        board.reserve(2).unwrap();
        let other = Board::inherit(board.as_fd().try_clone_to_owned().unwrap());
        let route: Arc<str> = "/items/{id}".into();
        for number in [1, 2, 1] {
            let meter = other.meter(number).unwrap();
            meter.stand(Standing::Gone, Standing::Idle);
            meter.in_flight(1);
            meter.set_state(State::Ready);
            let row = meter.row(&route, b"GET");
            meter.answered(row, 200, Duration::from_millis(3));
        }
        let totals = board.read().unwrap();
        let (_, row) = totals.rows.first_key_value().unwrap();
        assert_eq!((row.durations.count(), row.statuses[&200]), (3, 3));
        assert_eq!(totals.of(super::cells::IN_FLIGHT), 2);
        assert_eq!(totals.processes.len(), 2);
        board.release(1).unwrap();
        let totals = board.read().unwrap();
        assert_eq!(totals.of(super::cells::IN_FLIGHT), 1);
        assert_eq!(totals.processes.len(), 1);
        assert_eq!(totals.rows.len(), 1);
    }
}
