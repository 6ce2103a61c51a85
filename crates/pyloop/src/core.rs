//! The state of one loop, and the few operations that every room shares. Knows no Python API: that is `event_loop.rs`.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use loopcore::{Inbox, Timers};
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::{PyTraverseError, PyVisit};

use crate::clock::{self, Nanos};
use crate::ffi::epoll::EventFd;
use crate::ffi::handle::{CANCELLED, HandleRef, SCHEDULED};
use crate::ffi::python::{self, Owner};
use crate::handle;
use crate::host::Job;
use crate::owed;
use crate::park::Park;
use crate::poller::{Events, Interest, Mode, Poller, Source};
use crate::ready::{Ready, ReadyQueue};
use crate::signals::Signals;

/// A call from another thread.
pub type RemoteCall = Box<dyn FnOnce(Python<'_>) + Send>;

/// The part of a loop that other threads may touch without the GIL.
pub struct Shared {
    inbox: Inbox<RemoteCall>,
    /// Rung with the lock held, so that a descriptor that is being closed is never written to.
    bell: Mutex<Option<EventFd>>,
    closed: AtomicBool,
}

impl Shared {
    /// Leaves a call and wakes the loop if it sleeps. `false`: the loop is closed.
    pub(crate) fn send(&self, call: RemoteCall) -> bool {
        if self.closed.load(Ordering::Acquire) {
            return false;
        }
        if self.inbox.push(call) {
            self.ring();
        }
        true
    }

    /// Leaves a call; this thread wakes the loop when it has given the interpreter up. `false`: the loop is closed.
    pub(crate) fn leave(self: &Arc<Self>, call: RemoteCall) -> bool {
        if self.closed.load(Ordering::Acquire) {
            return false;
        }
        self.inbox.leave(call);
        owed::owe(self);
        true
    }

    /// Wakes the loop if it sleeps.
    pub(crate) fn notify(&self) {
        if self.inbox.notify() {
            self.ring();
        }
    }

    #[cold]
    fn ring(&self) {
        self.bell().as_ref().inspect(|bell| bell.raise());
    }

    fn bell(&self) -> MutexGuard<'_, Option<EventFd>> {
        self.bell.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn inbox(&self) -> &Inbox<RemoteCall> {
        &self.inbox
    }

    pub(crate) fn bell_fd(&self) -> RawFd {
        self.bell().as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }
}

/// A transport with output that waits for the end of the batch.
pub trait Flush {
    /// Sends what has gathered: called once after the batch in which it was marked.
    fn flush(&self, py: Python<'_>, core: &Core);
}

/// The bell has no message: its ringing has ended the sleep.
struct Bell;

impl Source for Bell {
    fn only_queues(&self) -> bool {
        true
    }

    fn ready(&self, _py: Python<'_>, _core: &Core, _events: Events) {}
}

/// A call that came through the inbox, on its way through the ready queue.
struct Delivered(Cell<Option<RemoteCall>>);

impl Job for Delivered {
    fn run(self: Rc<Self>, py: Python<'_>) {
        if let Some(call) = self.0.take() {
            call(py);
        }
    }
}

const CLOSED: u8 = 1;
const DEBUG: u8 = 2;
const FORKED: u8 = 4;

/// One event loop.
pub struct Core {
    id: u64,
    state: Cell<u8>,
    pub(crate) stopping: Cell<bool>,
    /// `threading.get_ident()` of the thread that runs the loop.
    pub(crate) running_thread: Cell<Option<u64>>,
    shared: Arc<Shared>,
    pub(crate) ready: ReadyQueue,
    pub(crate) timers: RefCell<Timers<HandleRef>>,
    poller: Poller,
    dirty: RefCell<Vec<Rc<dyn Flush>>>,
    pub(crate) park: Park,
    pub(crate) signals: Signals,
    pub(crate) task_factory: RefCell<Option<Py<PyAny>>>,
    pub(crate) slow_callback_duration: Cell<f64>,
    pub(crate) current_handle: RefCell<Option<HandleRef>>,
    raised: RefCell<Option<PyErr>>,
    has_raised: Cell<bool>,
    owner: Owner,
}

impl Core {
    pub(crate) fn new() -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let shared = Arc::new(Shared {
            inbox: Inbox::default(),
            bell: Mutex::new(Some(EventFd::new()?)),
            closed: AtomicBool::new(false),
        });
        let poller = Poller::new()?;
        poller.register(shared.bell_fd(), Mode::Edge, Interest::READ, Rc::new(Bell))?;
        Ok(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            state: Cell::new(0),
            stopping: Cell::new(false),
            running_thread: Cell::new(None),
            shared,
            ready: ReadyQueue::default(),
            timers: RefCell::default(),
            poller,
            dirty: RefCell::default(),
            park: Park::default(),
            signals: Signals::default(),
            task_factory: RefCell::default(),
            slow_callback_duration: Cell::new(0.1),
            current_handle: RefCell::default(),
            raised: RefCell::default(),
            has_raised: Cell::new(false),
            owner: Owner::default(),
        })
    }

    /// A number that no other loop of the process has.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The descriptors of the loop.
    pub fn poller(&self) -> &Poller {
        &self.poller
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn set_owner(&self, event_loop: &Bound<'_, PyAny>) {
        self.owner.set(event_loop);
    }

    /// The loop as Python sees it. Always there while the loop runs.
    pub fn event_loop<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.owner
            .get(py)
            .ok_or_else(|| PyRuntimeError::new_err("Loop.__init__() was not called"))
    }

    /// Whether anything but the plain case holds: closed, forked or in debug mode.
    #[inline]
    pub(crate) fn is_special(&self) -> bool {
        self.state.get() != 0
    }

    /// Whether `close()` was called.
    pub fn is_closed(&self) -> bool {
        self.state.get() & CLOSED != 0
    }

    /// Whether debug mode is on.
    pub fn is_debug(&self) -> bool {
        self.state.get() & DEBUG != 0
    }

    pub(crate) fn set_debug(&self, on: bool) {
        let state = self.state.get();
        self.state
            .set(if on { state | DEBUG } else { state & !DEBUG });
    }

    /// Whether a thread is inside `run_forever`.
    pub fn is_running(&self) -> bool {
        self.running_thread.get().is_some()
    }

    /// Whether another thread than this one is inside `run_forever`.
    pub(crate) fn runs_elsewhere(&self) -> bool {
        self.running_thread
            .get()
            .is_some_and(|thread| thread != python::thread_ident())
    }

    /// This process is a fork of the one that made the loop.
    pub(crate) fn set_forked(&self) {
        self.state.set(self.state.get() | FORKED);
        self.running_thread.set(None);
    }

    pub(crate) fn is_forked(&self) -> bool {
        self.state.get() & FORKED != 0
    }

    /// Refuses a closed loop, and one that a forked child has inherited.
    pub fn check_usable(&self) -> PyResult<()> {
        if self.is_closed() {
            return Err(PyRuntimeError::new_err("Event loop is closed"));
        }
        if self.is_forked() {
            return Err(PyRuntimeError::new_err(
                "Event loop belongs to the parent process: a forked child must make a new one",
            ));
        }
        Ok(())
    }

    /// Has `source` flushed once after the current batch.
    pub fn mark_dirty(&self, source: Rc<dyn Flush>) {
        self.dirty.borrow_mut().push(source);
    }

    #[inline]
    pub(crate) fn flush_dirty(&self, py: Python<'_>) {
        if !self.dirty.borrow().is_empty() {
            self.flush_marked(py);
        }
    }

    fn flush_marked(&self, py: Python<'_>) {
        // What is marked by a flush waits for the next one.
        let mut marked = self.dirty.take();
        for source in marked.drain(..) {
            self.shield(py, || source.flush(py, self));
        }
        let mut dirty = self.dirty.borrow_mut();
        if dirty.is_empty() {
            *dirty = marked; // its memory serves again
        }
    }

    /// Queues native work behind the callbacks that are ready now.
    pub fn push_native(&self, job: Rc<dyn Job>) {
        self.ready.push(Ready::Native(job));
    }

    /// `loop.call_soon()` for native code: in the current context unless one is given.
    pub fn call_soon(
        &self,
        py: Python<'_>,
        callback: &Bound<'_, PyAny>,
        arguments: &[Bound<'_, PyAny>],
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        self.check_usable()?;
        let handle = HandleRef::create(&self.event_loop(py)?, callback, arguments, context, 0)?;
        self.ready.push(Ready::Handle(handle));
        Ok(())
    }

    /// Moves what other threads have left to the end of the ready queue.
    pub(crate) fn take_inbox(&self) {
        if self.shared.inbox.is_notified() {
            for call in self.shared.inbox.take() {
                self.ready
                    .push(Ready::Native(Rc::new(Delivered(Cell::new(Some(call))))));
            }
        }
    }

    /// What this thread has sent through the inbox goes before what it queues itself.
    #[inline]
    pub(crate) fn take_inbox_if_filled(&self) {
        if self.shared.inbox.is_filled() {
            self.take_inbox();
        }
    }

    pub(crate) fn add_timer(&self, when: f64, handle: HandleRef) {
        self.timers.borrow_mut().push(clock::deadline(when), handle);
    }

    /// A timer in the heap was cancelled.
    pub(crate) fn timer_cancelled(&self, handle: *mut pyo3::ffi::PyObject) {
        let removed = self
            .timers
            .borrow_mut()
            .cancel(|other| other.as_ptr() == handle);
        if let Some(handle) = removed {
            handle.set(SCHEDULED, false);
        }
    }

    /// Takes the cancelled timers out of the heap when it is time.
    pub(crate) fn sweep_timers(&self) {
        let mut removed = Vec::new();
        self.timers.borrow_mut().sweep(
            |handle| handle.has(CANCELLED),
            |handle| {
                handle.set(SCHEDULED, false);
                removed.push(handle);
            },
        );
        // `removed` is dropped here, outside the borrow: it may run Python code.
    }

    /// Moves the due timers to the ready queue.
    pub(crate) fn fire_timers(&self, now: Nanos) {
        let mut timers = self.timers.borrow_mut();
        while let Some(handle) = timers.pop_due(now) {
            handle.set(SCHEDULED, false);
            if handle.has(CANCELLED) {
                timers.cancelled_left();
            }
            self.ready.push(Ready::Handle(handle));
        }
    }

    /// Ends the loop with `error`, for `SystemExit` and `KeyboardInterrupt` raised where nobody can return them.
    pub fn interrupt(&self, error: PyErr) {
        let mut raised = self.raised.borrow_mut();
        if raised.is_none() {
            *raised = Some(error);
            self.has_raised.set(true);
        }
    }

    /// What [`Core::interrupt`] was told, once.
    #[inline]
    pub(crate) fn take_raised(&self) -> PyResult<()> {
        if !self.has_raised.get() {
            return Ok(());
        }
        self.has_raised.set(false);
        self.raised.take().map_or(Ok(()), Err)
    }

    /// Runs native work: a panic costs that work alone, and is reported like an exception in a callback.
    pub(crate) fn shield(&self, py: Python<'_>, work: impl FnOnce()) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
            let text = panic
                .downcast_ref::<&str>()
                .copied()
                .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            let error = PyRuntimeError::new_err(format!("panic: {}", text.unwrap_or("no message")));
            self.report(py, error, "Native work of the event loop panicked", &[]);
        }
    }

    /// Reports an exception in asyncio's way: to the exception handler, or out of `run_forever` if it must end the loop.
    pub fn report(
        &self,
        py: Python<'_>,
        error: PyErr,
        message: &str,
        details: &[(&str, &Bound<'_, PyAny>)],
    ) {
        if handle::ends_the_loop(py, &error) {
            self.interrupt(error);
            return;
        }
        let told = || -> PyResult<()> {
            let context = PyDict::new(py);
            context.set_item(intern!(py, "message"), message)?;
            context.set_item(intern!(py, "exception"), error.into_value(py))?;
            for (key, value) in details {
                context.set_item(key, value)?;
            }
            self.event_loop(py)?
                .call_method1(intern!(py, "call_exception_handler"), (context,))
                .map(drop)
        };
        if let Err(error) = told() {
            self.interrupt(error);
        }
    }

    /// Ends the loop's life: forgets what waits and whom it would have told.
    pub(crate) fn close(&self) {
        self.state.set(self.state.get() | CLOSED);
        self.shared.closed.store(true, Ordering::Release);
        drop(self.shared.inbox.take());
        self.clear();
        self.poller.close();
        self.park.close();
        drop(self.shared.bell().take());
    }

    /// Drops every queued callback.
    pub(crate) fn clear(&self) {
        drop(self.ready.drain());
        let timers = self.timers.borrow_mut().drain();
        for handle in &timers {
            handle.set(SCHEDULED, false);
        }
        drop(timers);
        drop(self.dirty.take());
    }

    /// Shows the garbage collector what the loop holds.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.ready.try_visit(|handle| handle.visit_queued(visit))?;
        if let Ok(timers) = self.timers.try_borrow() {
            timers
                .iter()
                .try_for_each(|handle| handle.visit_queued(visit))?;
        }
        if let Ok(factory) = self.task_factory.try_borrow()
            && let Some(factory) = factory.as_ref()
        {
            visit.call(factory)?;
        }
        self.signals.traverse(visit)?;
        self.poller.traverse(visit)
    }
}
