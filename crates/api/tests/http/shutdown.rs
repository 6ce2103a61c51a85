//! Stop accepting, drain, abort.

use crate::support::{PATIENCE, connect, serve};
use api::native::{Constant, Routes};
use api::server::Handle;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

fn routes(routes: &mut Routes) {
    routes.get("/plain", Constant::text("hello")).unwrap();
    routes
        .get("/never", async |_| std::future::pending::<()>().await)
        .unwrap();
}

/// Releases on demand what waits on the server's thread.
fn gated() -> (
    tokio::sync::watch::Sender<bool>,
    impl FnOnce(&mut Routes) + Send,
) {
    let (open, gate) = tokio::sync::watch::channel(false);
    let add = move |all: &mut Routes| {
        routes(all);
        all.get("/gated", move |_| {
            let mut gate = gate.clone();
            async move {
                gate.wait_for(|open| *open).await.unwrap();
                "at last"
            }
        })
        .unwrap();
    };
    (open, add)
}

#[test]
fn idle_connections_close_and_requests_in_flight_are_finished() {
    let (gate, routes) = gated();
    let server = serve(routes);
    let mut idle = server.connect();
    assert_eq!(idle.get("/plain").header("connection"), None);
    let mut silent = server.connect();
    let mut busy = server.connect();
    busy.send("GET /gated HTTP/1.1\r\nhost: x\r\n\r\n");
    server.until(|stats| stats.in_flight == 1 && stats.connections == 3);

    server.tell(Handle::stop_accepting);
    idle.assert_closed();
    silent.assert_closed();
    server.until(|stats| stats.connections == 1);
    let start = Instant::now();
    while TcpStream::connect(server.address).is_ok() {
        assert!(start.elapsed() < PATIENCE, "it still accepts");
    }

    gate.send(true).unwrap();
    let reply = busy.reply();
    assert_eq!(
        (reply.text(), reply.header("connection")),
        ("at last", Some("close"))
    );
    busy.assert_closed();
}

#[test]
fn a_connection_of_just_now_may_still_ask() {
    // It has a quarter of a second; on a busy machine even that can pass between two of our lines.
    let answered = (0..20).any(|_| {
        let server = serve(routes);
        let mut new = server.connect();
        server.until(|stats| stats.connections == 1);
        server.tell(Handle::stop_accepting);
        let mut reply = String::new();
        let asked = new
            .stream
            .write_all(b"GET /plain HTTP/1.1\r\nhost: x\r\n\r\n");
        let read = asked.and_then(|()| new.stream.read_to_string(&mut reply));
        read.is_ok()
            && reply.to_lowercase().contains("connection: close")
            && reply.ends_with("hello")
    });
    assert!(answered);
}

#[test]
fn requests_that_wait_to_be_accepted_are_answered() {
    const WAITING: usize = 100;
    let server = serve(routes);
    let address = server.address;
    // The server's thread is here, and accepts nothing meanwhile.
    let clients = server.tell(move |handle| {
        let clients: Vec<_> = (0..WAITING)
            .map(|_| {
                let mut client = connect(address);
                client.send("GET /plain HTTP/1.1\r\nhost: x\r\n\r\n");
                client
            })
            .collect();
        let silent = connect(address);
        handle.stop_accepting();
        (clients, silent)
    });
    let (clients, mut silent) = clients;
    for mut client in clients {
        let reply = client.reply();
        assert_eq!(
            (reply.text(), reply.header("connection")),
            ("hello", Some("close"))
        );
        client.assert_closed();
    }
    silent.assert_closed();
}

fn drain(
    server: &crate::support::Running,
    grace: Duration,
) -> std::sync::mpsc::Receiver<api::server::DrainReport> {
    let (sender, report) = channel();
    server.tell(move |handle| {
        let handle = handle.clone();
        tokio::task::spawn_local(async move {
            let _ = sender.send(handle.drain(grace).await);
        });
    });
    report
}

#[test]
fn drain_ends_with_the_last_connection() {
    let (gate, routes) = gated();
    let server = serve(routes);
    let mut busy = server.connect();
    busy.send("GET /gated HTTP/1.1\r\nhost: x\r\n\r\n");
    server.until(|stats| stats.in_flight == 1);
    let report = drain(&server, PATIENCE);
    gate.send(true).unwrap();
    assert_eq!(busy.reply().text(), "at last");
    let report = report.recv_timeout(PATIENCE).unwrap();
    assert_eq!((report.aborted, report.unfinished), (0, 0));
}

#[test]
fn drain_cuts_what_is_left_after_the_grace() {
    let server = serve(routes);
    let mut busy = server.connect();
    busy.send("GET /never HTTP/1.1\r\nhost: x\r\n\r\n");
    server.until(|stats| stats.in_flight == 1);
    let grace = Duration::from_millis(100);
    let start = Instant::now();
    let report = drain(&server, grace).recv_timeout(PATIENCE).unwrap();
    assert!(start.elapsed() >= grace);
    assert_eq!((report.aborted, report.unfinished), (1, 1));
    busy.assert_closed();
}
