//! Changes of files, for a reloading master. Which of them count is `data_bridge.workers.reloader`'s.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use notify::event::ModifyKind;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

/// Changes kept until they are taken; of more, only that there were some matters, and these say so.
const KEPT: usize = 10_000;

/// Watches folders and all below them. Its thread never touches Python: a descriptor becomes readable instead.
#[pyclass(frozen, module = "data_bridge._native")]
pub struct Watcher {
    watching: Mutex<Option<RecommendedWatcher>>,
    changed: Arc<Mutex<Vec<PathBuf>>>,
    readable: UnixStream,
}

#[pymethods]
impl Watcher {
    /// Begins to watch. `OSError` where a folder cannot be watched.
    #[new]
    #[allow(clippy::needless_pass_by_value)] // what Python gives is made anew
    fn new(folders: Vec<PathBuf>) -> PyResult<Self> {
        let (readable, signal) = UnixStream::pair()?;
        readable.set_nonblocking(true)?;
        signal.set_nonblocking(true)?;
        let changed = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&changed);
        let mut watcher = notify::recommended_watcher(move |event| note(event, &noted, &signal))
            .map_err(|error| PyOSError::new_err(error.to_string()))?;
        for folder in &folders {
            watcher
                .watch(folder, RecursiveMode::Recursive)
                .map_err(|error| unwatched(folder, &error))?;
        }
        Ok(Self {
            watching: Mutex::new(Some(watcher)),
            changed,
            readable,
        })
    }

    /// The descriptor that is readable while there are changes to take.
    fn fileno(&self) -> RawFd {
        self.readable.as_raw_fd()
    }

    /// The files that have changed since the last call, as absolute paths.
    fn take(&self) -> PyResult<Vec<PathBuf>> {
        let mut sink = [0; 512];
        loop {
            match (&self.readable).read(&mut sink) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(std::mem::take(
            &mut self.changed.lock().unwrap_or_else(PoisonError::into_inner),
        ))
    }

    /// Ends watching.
    fn close(&self) {
        *self.watching.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Notes what an event changed, and makes the descriptor readable.
fn note(
    event: notify::Result<notify::Event>,
    changed: &Mutex<Vec<PathBuf>>,
    mut signal: &UnixStream,
) {
    let Ok(event) = event else { return };
    if !is_change(event.kind) {
        return;
    }
    let mut changed = changed.lock().unwrap_or_else(PoisonError::into_inner);
    if changed.len() < KEPT {
        changed.extend(event.paths);
    }
    // A full buffer is readable as well.
    let _ = signal.write(&[1]);
}

fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Create(_) | EventKind::Remove(_) | EventKind::Any => true,
        EventKind::Modify(what) => !matches!(what, ModifyKind::Metadata(_)),
        EventKind::Access(_) | EventKind::Other => false,
    }
}

fn unwatched(folder: &Path, error: &notify::Error) -> PyErr {
    let shown = folder.display();
    PyOSError::new_err(match error.kind {
        notify::ErrorKind::MaxFilesWatch => format!(
            "cannot watch {shown}: the system's limit of watched folders is reached; raise fs.inotify.max_user_watches, \
             or name fewer folders with --reload-dirs"
        ),
        _ => format!("cannot watch {shown}: {error}"),
    })
}
