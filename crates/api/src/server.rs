//! Owns listeners, connections and drain: the order of start-up and shutdown. Knows no bytes.
//!
//! Start-up: [`Server::bind`], then whatever the application wants to do before its first request, then
//! [`Server::serve`]. Shutdown: [`Handle::stop_accepting`], [`Handle::drain`], which ends with [`Handle::abort`].

mod engine;
mod hangups;

pub(crate) use engine::{Engine, Stage};
pub(crate) use hangups::{Hangup, Watch};

pub use crate::listener::Listener;

use crate::access_log::AccessLog;
use crate::compress::Compression;
use crate::forwarded::{Dialect, Trusted};
use crate::http1::encode::Stamp;
use crate::http2;
use crate::limits::Limits;
use crate::listener;
use crate::metrics::{self, Meter};
use crate::overload::Overload;
use crate::request_id::RequestIds;
use crate::service::Service;
use crate::timeouts::Timeouts;
use crate::tls::accept;
use crate::tls::handshakes::Handshakes;
use crate::tls::keyring::Keyring;
use crate::websocket;
use engine::Acceptor;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::timeout;

/// Everything a server can be told.
#[derive(Debug)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub addresses: Vec<SocketAddr>,
    /// Sockets that listen already (inherited ones), beside `addresses`.
    pub listeners: Vec<Listener>,
    /// Other processes accept from the same sockets.
    pub shared: bool,
    /// Connections the kernel keeps before they are accepted.
    pub backlog: u32,
    /// Open connections from which on no more are accepted.
    pub max_connections: usize,
    /// Bounds on what a client may send.
    pub limits: Limits,
    /// Bounds on how long a client may take.
    pub timeouts: Timeouts,
    /// The bound on requests at work, and on those that wait for their turn.
    pub overload: Overload,
    /// Which proxies are believed.
    pub trusted: Trusted,
    /// The headers by which they tell who asks.
    pub dialect: Dialect,
    /// Every connection begins with a PROXY header, which a trusted proxy writes.
    pub proxy_protocol: bool,
    /// The certificates, where clients are to speak TLS.
    pub tls: Option<Keyring>,
    /// What each WebSocket is told.
    pub websocket: websocket::Options,
    /// What clients of HTTP/2 are held to; `None` where nobody shall speak it.
    pub http2: Option<http2::Options>,
    /// The value of the `Server` header, where a response has none.
    pub server_header: Option<String>,
    /// Whether to send a `Date` header where a response has none.
    pub date_header: bool,
    /// What is compressed, where something is.
    pub compression: Option<Compression>,
    /// What names the requests, where they are to have names.
    pub request_ids: Option<RequestIds>,
    /// Where to log each answered request.
    pub access_log: Option<AccessLog>,
    /// Where to count what the server does.
    pub meter: Option<Rc<Meter>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            listeners: Vec::new(),
            shared: false,
            backlog: 2048,
            max_connections: 10_000,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            overload: Overload::default(),
            trusted: Trusted::default(),
            dialect: Dialect::default(),
            proxy_protocol: false,
            tls: None,
            websocket: websocket::Options::default(),
            http2: Some(http2::Options::default()),
            server_header: Some("data_bridge".to_owned()),
            date_header: true,
            compression: None,
            request_ids: None,
            access_log: None,
            meter: None,
        }
    }
}

/// A server that listens and does not accept yet.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<Listener>,
    stamp: Stamp,
    config: Config,
}

impl Server {
    /// Opens all listening sockets; needs no runtime. Clients may connect from now on, and wait.
    pub fn bind(mut config: Config) -> io::Result<Self> {
        let stamp = Stamp::new(config.server_header.as_deref(), config.date_header)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let mut listeners = std::mem::take(&mut config.listeners);
        let only_v6 = config.addresses.iter().any(SocketAddr::is_ipv4);
        for &address in &config.addresses {
            let listener = listener::listen(address, config.backlog, only_v6)?;
            listeners.push(Listener::Tcp(listener));
        }
        for listener in &listeners {
            listener.prepare()?;
        }
        Ok(Self {
            listeners,
            stamp,
            config,
        })
    }

    /// Where it listens by TCP, in the order of the configuration (given listeners first).
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        let addresses = self.listeners.iter().filter_map(Listener::address);
        addresses.collect()
    }

    /// Starts to accept: spawns onto the local runtime in whose context it is called.
    pub fn serve(self, service: Rc<dyn Service>) -> io::Result<Handle> {
        let listeners: Vec<_> = self
            .listeners
            .into_iter()
            .map(Listener::register)
            .collect::<io::Result<_>>()?;
        let mut config = self.config;
        let shared = config.shared;
        let handshakes = config.tls.take().map(Handshakes::start).transpose()?;
        let engine = Rc::new(Engine::new(config, self.stamp, handshakes, service)?);
        for listener in listeners {
            let acceptor = Acceptor::new(Rc::clone(&engine));
            tokio::task::spawn_local(listener::accept(listener, acceptor, shared));
        }
        Ok(Handle { engine })
    }
}

/// A running server. Dropping it changes nothing: the server runs until it is drained or aborted.
#[derive(Clone)]
pub struct Handle {
    engine: Rc<Engine>,
}

/// What a server is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Open connections.
    pub connections: usize,
    /// Requests whose response is not complete.
    pub in_flight: usize,
    /// Requests since the start.
    pub requests_total: u64,
    /// Panics caught since the start of the process.
    pub panics_total: u64,
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrainReport {
    /// Connections that were still open when the grace was over, and were cut.
    pub aborted: usize,
    /// Requests among them whose response was not complete.
    pub unfinished: usize,
}

impl Handle {
    /// Closes the listening sockets; every response from now on says `Connection: close`. For a process whose sockets
    /// another one serves on: clients go there with their next connection. Waits at most `grace` for the last to go.
    pub async fn leave(&self, grace: Duration) {
        self.engine.enter(Stage::Leaving);
        // Who has not gone by then is `drain`'s.
        let _ = timeout(grace, self.engine.empty()).await;
    }

    /// Closes idle connections and, once what waits there has been accepted, the listening sockets; every response from now on
    /// says `Connection: close`.
    pub fn stop_accepting(&self) {
        self.engine.enter(Stage::Draining);
    }

    /// Stops accepting and waits until all connections have ended, at most `grace`; then cuts the rest.
    pub async fn drain(&self, grace: Duration) -> DrainReport {
        self.stop_accepting();
        if timeout(grace, self.engine.empty()).await.is_ok() {
            return DrainReport {
                aborted: 0,
                unfinished: 0,
            };
        }
        let report = DrainReport {
            aborted: self.engine.connections(),
            unfinished: self.engine.in_flight.get(),
        };
        self.abort();
        self.engine.empty().await;
        report
    }

    /// Cuts all connections now, whatever they are doing.
    pub fn abort(&self) {
        self.engine.enter(Stage::Aborting);
    }

    /// Reads the certificates' files anew, for the connections to come. Where they cannot be used, the old ones stay
    /// and the log says so.
    pub async fn reload_certificates(&self) {
        if let Some(handshakes) = &self.engine.handshakes
            && let Some(result) = handshakes.reload().await
        {
            accept::report(result);
        }
    }

    /// What the server is doing.
    pub fn stats(&self) -> Stats {
        Stats {
            connections: self.engine.connections(),
            in_flight: self.engine.in_flight.get(),
            requests_total: self.engine.requests_total.get(),
            panics_total: metrics::panics_total(),
        }
    }
}
