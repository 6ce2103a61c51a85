//! A server on a thread of its own, and clients that see every byte.

use api::native::Routes;
use api::server::{Config, Handle, Server, Stats};
use api::service::Service;
use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// No wait of a test is longer than this.
pub const PATIENCE: Duration = Duration::from_secs(20);

type Command = Box<dyn FnOnce(&Handle) + Send>;

/// A server that runs until it is dropped.
pub struct Running {
    pub address: SocketAddr,
    commands: Option<UnboundedSender<Command>>,
    thread: Option<JoinHandle<()>>,
}

/// Serves `routes` with the default configuration.
pub fn serve(routes: impl FnOnce(&mut Routes) + Send + 'static) -> Running {
    serve_with(|_| {}, routes)
}

/// Serves `routes` with a changed configuration.
pub fn serve_with(
    configure: impl FnOnce(&mut Config) + Send + 'static,
    routes: impl FnOnce(&mut Routes) + Send + 'static,
) -> Running {
    serve_service(configure, move || {
        let mut all = Routes::new();
        routes(&mut all);
        Rc::new(all)
    })
}

/// Serves any service.
pub fn serve_service(
    configure: impl FnOnce(&mut Config) + Send + 'static,
    service: impl FnOnce() -> Rc<dyn Service> + Send + 'static,
) -> Running {
    let (bound, address) = mpsc::channel();
    let (commands, mut received) = unbounded_channel::<Command>();
    let thread = std::thread::spawn(move || {
        let mut config = Config {
            addresses: vec![(Ipv4Addr::LOCALHOST, 0).into()],
            ..Config::default()
        };
        configure(&mut config);
        let server = Server::bind(config).unwrap();
        bound.send(server.local_addrs()[0]).unwrap();
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default())
            .unwrap();
        runtime.block_on(async {
            let handle = server.serve(service()).unwrap();
            while let Some(command) = received.recv().await {
                command(&handle);
            }
            handle.drain(Duration::ZERO).await;
            assert_eq!(handle.stats().connections, 0);
            assert_eq!(handle.stats().in_flight, 0);
        });
    });
    Running {
        address: address.recv_timeout(PATIENCE).unwrap(),
        commands: Some(commands),
        thread: Some(thread),
    }
}

impl Running {
    pub fn connect(&self) -> Client {
        connect(self.address)
    }

    /// Runs `command` on the server's thread, and brings back what it says.
    pub fn tell<R: Send + 'static>(
        &self,
        command: impl FnOnce(&Handle) -> R + Send + 'static,
    ) -> R {
        let (answer, said) = mpsc::channel();
        let command = move |handle: &Handle| answer.send(command(handle)).unwrap();
        self.commands
            .as_ref()
            .unwrap()
            .send(Box::new(command))
            .unwrap_or_else(|_| panic!());
        said.recv_timeout(PATIENCE).unwrap()
    }

    pub fn stats(&self) -> Stats {
        self.tell(Handle::stats)
    }

    /// Waits until the server's figures are as expected.
    pub fn until(&self, expected: impl Fn(&Stats) -> bool) {
        let start = Instant::now();
        while !expected(&self.stats()) {
            assert!(start.elapsed() < PATIENCE, "still {:?}", self.stats());
            std::thread::yield_now();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.commands = None;
        let ended = self.thread.take().unwrap().join();
        if !std::thread::panicking() {
            ended.unwrap();
        }
    }
}

/// A new connection to `address`.
pub fn connect(address: SocketAddr) -> Client {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    Client {
        stream,
        buffer: Vec::new(),
    }
}

/// One connection.
pub struct Client {
    pub stream: TcpStream,
    buffer: Vec<u8>,
}

/// One response.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

impl Client {
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.stream.write_all(bytes.as_ref()).unwrap();
        self
    }

    pub fn get(&mut self, target: &str) -> Reply {
        self.send(format!("GET {target} HTTP/1.1\r\nhost: x\r\n\r\n"))
            .reply()
    }

    /// The next response to anything but HEAD.
    pub fn reply(&mut self) -> Reply {
        let mut reply = self.head();
        reply.body = match reply.header("content-length") {
            Some(length) => self.take(length.parse().unwrap()),
            None if reply.header("transfer-encoding") == Some("chunked") => self.chunks(),
            None if reply.status < 200 || reply.status == 204 || reply.status == 304 => Vec::new(),
            None => self.rest(),
        };
        reply
    }

    /// The head of the next response.
    pub fn head(&mut self) -> Reply {
        let head = self.until(b"\r\n\r\n");
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap();
        assert!(status.starts_with("HTTP/1.1 "), "{status:?}");
        let headers = lines.map(|line| line.split_once(": ").unwrap_or_else(|| panic!("{line:?}")));
        Reply {
            status: status[9..12].parse().unwrap(),
            headers: headers
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect(),
            body: Vec::new(),
        }
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let size = self.until(b"\r\n");
            let size = std::str::from_utf8(&size[..size.len() - 2]).unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            if size == 0 {
                while self.until(b"\r\n") != b"\r\n" {}
                return body;
            }
            body.extend(self.take(size));
            assert_eq!(self.take(2), b"\r\n");
        }
    }

    fn until(&mut self, end: &[u8]) -> Vec<u8> {
        loop {
            if let Some(at) = self
                .buffer
                .windows(end.len())
                .position(|window| window == end)
            {
                return self.take(at + end.len());
            }
            assert!(
                self.more(),
                "closed after {:?}",
                String::from_utf8_lossy(&self.buffer)
            );
        }
    }

    pub fn take(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count {
            assert!(
                self.more(),
                "closed after {} of {count} bytes",
                self.buffer.len()
            );
        }
        self.buffer.drain(..count).collect()
    }

    /// Everything until the server closes.
    pub fn rest(&mut self) -> Vec<u8> {
        while self.more() {}
        std::mem::take(&mut self.buffer)
    }

    /// The server closes the connection without another byte.
    pub fn assert_closed(&mut self) {
        let rest = self.rest();
        assert!(rest.is_empty(), "{:?}", String::from_utf8_lossy(&rest));
    }

    pub fn half_close(&mut self) -> &mut Self {
        self.stream.shutdown(Shutdown::Write).unwrap();
        self
    }

    /// Leaves with a reset instead of a FIN.
    pub fn reset(self) {
        let socket = socket2::SockRef::from(&self.stream);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }

    fn more(&mut self) -> bool {
        let mut block = [0; 16 * 1024];
        match self.stream.read(&mut block) {
            Ok(count) => {
                self.buffer.extend_from_slice(&block[..count]);
                count > 0
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                panic!("the server said nothing")
            }
            Err(error) => panic!("{error}"),
        }
    }
}
