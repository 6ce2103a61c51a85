//! Which thread takes which job, and who is woken for it. Knows neither Python nor what a job is.
//!
//! A thread that ends a job takes the next one before it sleeps: under load nobody is woken. At most one thread, the
//! standby, is on its way from sleep to its first job: it waits for the interpreter, gets it when a job at work gives it
//! up, and has the next one called before it begins. The thread that slept last is woken first: its caches are warm.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread::{self, Thread};

/// Jobs for a bounded number of threads, which the user of the queue starts.
pub struct Queue<T> {
    most: usize,
    state: Mutex<State<T>>,
}

struct State<T> {
    waiting: VecDeque<T>,
    idle: Vec<Arc<Sleeper>>,
    /// A thread was called and has not taken anything since.
    standby: bool,
    threads: usize,
    /// Jobs that wait or are at work.
    unfinished: usize,
    closed: bool,
    /// Told when the last of them has ended.
    ended: Option<Waker>,
}

/// A thread as it sleeps.
struct Sleeper {
    thread: Thread,
    called: AtomicBool,
}

impl Sleeper {
    fn call(&self) {
        self.called.store(true, Ordering::Release);
        self.thread.unpark();
    }

    fn sleep(&self) {
        while !self.called.load(Ordering::Acquire) {
            thread::park();
        }
    }
}

/// Whence a thread comes that asks for a job.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// [`Queue::wait`] has let it go.
    Sleep,
    /// It has ended a job.
    Work,
}

/// A job, and whether one more thread should be started: no other one would be free for the next.
pub struct Taken<T> {
    pub job: T,
    pub hires: bool,
}

impl<T> Queue<T> {
    /// For at most `most` threads, none of which is there yet.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                idle: Vec::new(),
                standby: false,
                threads: 0,
                unfinished: 0,
                closed: false,
                ended: None,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a thread take `job`. The job comes back where the queue is closed.
    pub fn push(&self, job: T) -> Result<(), T> {
        let mut state = self.state();
        if state.closed {
            return Err(job);
        }
        state.waiting.push_back(job);
        state.unfinished += 1;
        let called = state.call();
        drop(state);
        called.inspect(|sleeper| sleeper.call());
        Ok(())
    }

    /// The next job, where there is one.
    pub fn take(&self, from: From) -> Option<Taken<T>> {
        let mut state = self.state();
        match from {
            From::Sleep => state.standby = false,
            From::Work => state.end(),
        }
        let job = state.waiting.pop_front()?;
        let called = state.call();
        let hires = state.idle.is_empty() && !state.standby && state.threads < self.most;
        drop(state);
        called.inspect(|sleeper| sleeper.call());
        Some(Taken { job, hires })
    }

    /// Sleeps until there may be a job. `false`: there will be none any more.
    pub fn wait(&self) -> bool {
        let sleeper = {
            let mut state = self.state();
            if state.closed {
                return false;
            }
            if !state.waiting.is_empty() && !state.standby {
                state.standby = true;
                return true;
            }
            let sleeper = Arc::new(Sleeper {
                thread: thread::current(),
                called: AtomicBool::new(false),
            });
            state.idle.push(Arc::clone(&sleeper));
            sleeper
        };
        sleeper.sleep();
        !self.state().closed
    }

    /// One more thread is about to be there; gives its number.
    pub fn enter(&self) -> usize {
        let mut state = self.state();
        state.threads += 1;
        state.threads
    }

    /// It could not be started, or ends.
    pub fn leave(&self) {
        self.state().threads -= 1;
    }

    /// Nothing is taken any more; threads end. What waits is given back.
    pub fn close(&self) -> VecDeque<T> {
        let mut state = self.state();
        state.closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        for _ in &waiting {
            state.end();
        }
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        for sleeper in idle {
            sleeper.call();
        }
        waiting
    }

    /// Jobs that wait or are at work.
    pub fn unfinished(&self) -> usize {
        self.state().unfinished
    }

    /// Waits until no job waits or is at work. One at a time may wait for that.
    pub async fn idle(&self) {
        poll_fn(|context| {
            let mut state = self.state();
            if state.unfinished == 0 {
                return Poll::Ready(());
            }
            state.ended = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl<T> State<T> {
    /// The thread to be called for what waits, where one has to be.
    fn call(&mut self) -> Option<Arc<Sleeper>> {
        if self.waiting.is_empty() || self.standby {
            return None;
        }
        let sleeper = self.idle.pop();
        self.standby = sleeper.is_some();
        sleeper
    }

    fn end(&mut self) {
        self.unfinished -= 1;
        if self.unfinished == 0
            && let Some(waker) = self.ended.take()
        {
            waker.wake();
        }
    }
}
