//! Lines on their way to standard output, which may not take them: no write waits; what is too much is thrown away, and
//! counted. Knows no request.
//!
//! Whether writes wait is said of an open file, which other processes share: it is not ours to change. So a pipe or a terminal
//! is opened once more; where that is not allowed, it is asked before each write. A file on a disk takes everything.

use crate::metrics;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::{Errno, fcntl_dupfd_cloexec, write};
use rustix::net::{SendFlags, send};
use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::time::Duration;
use tokio::time::sleep;

/// Bytes that wait at most.
const MOST: usize = 1 << 20;

/// How long to wait before the next attempt.
const PAUSE: Duration = Duration::from_millis(50);

/// At the end there are so many attempts, with such pauses: a second. Not by the clock, which runs on while a reader cannot.
const LAST_ATTEMPTS: u32 = 100;
const LAST_PAUSE: Duration = Duration::from_millis(10);

/// A pipe that can be written to takes so much at once (Linux's `PIPE_BUF`).
const WHOLE: usize = 4096;

/// Where lines go.
pub struct Outlet {
    way: Way,
    /// Lines of this turn, which are written together.
    fresh: RefCell<String>,
    /// What was not taken yet: the end of a line, and lines.
    waiting: RefCell<Vec<u8>>,
    /// Lines thrown away since the last that was taken.
    dropped: Cell<u64>,
}

/// How a write is kept from waiting.
enum Way {
    /// It does not wait.
    Ready(OwnedFd),
    /// A socket's writes can be told.
    Socket(OwnedFd),
    /// It is asked before.
    Asked(OwnedFd),
    /// There is no standard output.
    None,
}

impl Outlet {
    /// To what standard output is now.
    pub fn stdout() -> Rc<Self> {
        Self::new(Way::of(io::stdout()))
    }

    fn new(way: Way) -> Rc<Self> {
        Rc::new(Self {
            way,
            fresh: RefCell::default(),
            waiting: RefCell::default(),
            dropped: Cell::new(0),
        })
    }

    /// Has a line written soon, inside the runtime; `prefix` comes before it, and the line break after it.
    pub fn line(self: &Rc<Self>, prefix: &str, line: &str) {
        let mut fresh = self.fresh.borrow_mut();
        if fresh.is_empty() {
            let outlet = Rc::clone(self);
            tokio::task::spawn_local(async move { outlet.write(&outlet.fresh.take()) });
        }
        fresh.push_str(prefix);
        fresh.push_str(line);
        fresh.push('\n');
    }

    /// Writes what is kept for as long as it is taken, a second at most; what is left is thrown away. For a server's end.
    pub async fn finish(self: Rc<Self>) {
        self.write(&self.fresh.take());
        for _ in 0..LAST_ATTEMPTS {
            if self.is_written() {
                break;
            }
            sleep(LAST_PAUSE).await;
        }
        if !self.is_written() {
            self.throw_away(&self.waiting.take());
        }
        self.tell();
    }

    /// Has `lines`, each with its line break, written now or later, inside the runtime.
    fn write(self: &Rc<Self>, lines: &str) {
        let mut waiting = self.waiting.borrow_mut();
        if !waiting.is_empty() {
            self.keep(&mut waiting, lines.as_bytes());
            return;
        }
        let taken = self.way.write(lines.as_bytes());
        if taken < lines.len() {
            self.keep(&mut waiting, &lines.as_bytes()[taken..]);
            drop(waiting);
            tokio::task::spawn_local(Rc::clone(self).catch_up());
        }
    }

    fn keep(&self, waiting: &mut Vec<u8>, lines: &[u8]) {
        if waiting.len() + lines.len() <= MOST {
            waiting.extend_from_slice(lines);
            return;
        }
        self.throw_away(lines);
    }

    fn throw_away(&self, lines: &[u8]) {
        let count = memchr::memchr_iter(b'\n', lines).count() as u64;
        self.dropped.set(self.dropped.get() + count);
        metrics::lines_dropped(count);
    }

    /// Writes what waits, as it is taken.
    async fn catch_up(self: Rc<Self>) {
        loop {
            sleep(PAUSE).await;
            if self.is_written() {
                break;
            }
        }
        self.tell();
    }

    /// Whether nothing waits any more, after one attempt.
    fn is_written(&self) -> bool {
        let mut waiting = self.waiting.borrow_mut();
        let taken = self.way.write(&waiting);
        waiting.drain(..taken);
        if waiting.is_empty() {
            *waiting = Vec::new();
        }
        waiting.is_empty()
    }

    fn tell(&self) {
        let dropped = self.dropped.take();
        if dropped > 0 {
            tracing::warn!(
                lines = dropped,
                "lines of the access log were thrown away: nobody read standard output"
            );
        }
    }
}

impl Way {
    fn of(file: impl AsFd) -> Self {
        let Ok(own) = fcntl_dupfd_cloexec(&file, 3) else {
            return Self::None;
        };
        let Ok(found) = fstat(&own) else {
            return Self::None;
        };
        match FileType::from_raw_mode(found.st_mode) {
            FileType::Socket => Self::Socket(own),
            FileType::Fifo | FileType::CharacterDevice => {
                reopened(&own).map_or(Self::Asked(own), Self::Ready)
            }
            _ => Self::Ready(own),
        }
    }

    /// How much was taken. A log that cannot be written must not stop the server: it then goes nowhere.
    fn write(&self, mut bytes: &[u8]) -> usize {
        let length = bytes.len();
        while !bytes.is_empty() {
            match self.try_write(bytes) {
                Ok(taken) => bytes = &bytes[taken.min(bytes.len())..],
                Err(Errno::AGAIN) => return length - bytes.len(),
                Err(Errno::INTR) => {}
                Err(_) => return length,
            }
        }
        length
    }

    fn try_write(&self, bytes: &[u8]) -> rustix::io::Result<usize> {
        match self {
            Self::Ready(file) => write(file, bytes),
            Self::Socket(file) => send(file, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL),
            Self::Asked(file) => {
                let mut asked = [PollFd::new(file, PollFlags::OUT)];
                match poll(&mut asked, Some(&Timespec::default()))? {
                    0 => Err(Errno::AGAIN),
                    _ => write(file, &bytes[..bytes.len().min(WHOLE)]),
                }
            }
            Self::None => Ok(bytes.len()),
        }
    }
}

/// The same pipe or terminal, whose writes do not wait.
fn reopened(file: &OwnedFd) -> Option<OwnedFd> {
    use std::os::fd::AsRawFd;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    open(path, flags, Mode::empty()).ok()
}

#[cfg(test)]
mod tests {
    use super::{MOST, Outlet, Way};
    use crate::metrics::lines_dropped_total;
    use rustix::fs::{OFlags, fcntl_getfl};
    use std::io::Read;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use tokio::runtime::{Builder, LocalOptions};

    const LINE: &str = "a line of the log\n";

    /// Writes until lines are thrown away, reads all that was kept, and then one line more.
    fn runs_full_and_recovers(way: Way, mut reader: impl Read + Send + 'static) {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default())
            .unwrap();
        runtime.block_on(async {
            let outlet = Outlet::new(way);
            let before = lines_dropped_total();
            let mut kept = 0;
            while outlet.dropped.get() == 0 {
                outlet.write(LINE);
                kept += LINE.len();
            }
            kept -= LINE.len();
            assert!(kept > MOST - LINE.len());
            assert_eq!(outlet.dropped.get(), 1);
            assert!(lines_dropped_total() > before);
            let read = tokio::task::spawn_blocking(move || {
                let mut found = vec![0; kept];
                reader.read_exact(&mut found).unwrap();
                (reader, found)
            });
            let (mut reader, found) = read.await.unwrap();
            assert!(found.chunks(LINE.len()).all(|line| line == LINE.as_bytes()));
            while outlet.dropped.get() > 0 {
                tokio::task::yield_now().await;
            }
            outlet.write(LINE);
            let mut last = vec![0; LINE.len()];
            reader.read_exact(&mut last).unwrap();
            assert_eq!(last, LINE.as_bytes());
        });
    }

    #[test]
    fn a_pipe_nobody_reads() {
        let (reader, writer) = std::io::pipe().unwrap();
        let way = Way::of(&writer);
        assert!(matches!(way, Way::Ready(_)));
        assert!(!fcntl_getfl(&writer).unwrap().contains(OFlags::NONBLOCK));
        runs_full_and_recovers(way, reader);
    }

    #[test]
    fn a_pipe_that_cannot_be_opened_again() {
        let (reader, writer) = std::io::pipe().unwrap();
        runs_full_and_recovers(Way::Asked(OwnedFd::from(writer)), reader);
    }

    #[test]
    fn a_socket() {
        let (reader, writer) = UnixStream::pair().unwrap();
        let way = Way::of(&writer);
        assert!(matches!(way, Way::Socket(_)));
        runs_full_and_recovers(way, reader);
    }
}
