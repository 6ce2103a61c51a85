//! A server of the monitor's own on a thread of its own: it answers whatever the event loop is doing.

use super::Monitor;
use crate::server::{Config, Listener, Server};
use std::io;
use std::rc::Rc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::oneshot;

/// Connections at once: those who watch are few.
const MOST: usize = 256;
/// What is being answered at the end may be finished.
const GRACE: Duration = Duration::from_millis(200);

/// The running thread. Dropping it ends the thread.
pub struct Station {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Station {
    /// Answers by `monitor` on sockets that listen.
    pub fn start(monitor: Monitor, listeners: Vec<Listener>) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("data_bridge-monitor".to_owned())
            .spawn(move || {
                if let Err(error) = run(monitor, listeners, stopped) {
                    tracing::error!(%error, "the monitor does not run");
                }
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Ends the thread, within a moment.
    pub fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Its panic was reported where it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(
    monitor: Monitor,
    listeners: Vec<Listener>,
    stopped: oneshot::Receiver<()>,
) -> io::Result<()> {
    let config = Config {
        listeners,
        max_connections: MOST,
        ..Config::default()
    };
    let server = Server::bind(config)?;
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(async {
        let handle = server.serve(Rc::new(monitor))?;
        // Nothing is ever sent: the sender goes.
        let _ = stopped.await;
        handle.drain(GRACE).await;
        Ok(())
    })
}
