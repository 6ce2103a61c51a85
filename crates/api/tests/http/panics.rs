//! A panic is a 500 or a closed connection; the server lives.
//!
//! The borders are the calls of `metrics::contain`: accept, service, handler (a streamed body is part of it), connection (the
//! codec is part of it), connection end, timer, hangup, and both sides of a TLS handshake. Those of jobs are in `tests/native/test_bridge.py`.

use crate::support::{Client, PATIENCE, Running, serve, serve_service, serve_with};
use crate::tls::Authority;
use api::exchange::{Exchange, Observer};
use api::faults;
use api::native::{Body, Constant, Request, Routes};
use api::service::{LocalBoxFuture, Service};
use http::Response;
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

fn routes(routes: &mut Routes) {
    routes.get("/plain", Constant::text("hello")).unwrap();
    routes
        .get("/handler", async |_| -> &'static str {
            tokio::task::yield_now().await;
            panic!("in a handler")
        })
        .unwrap();
    routes
        .get("/call", |_| -> std::future::Ready<()> {
            panic!("before the future")
        })
        .unwrap();
    routes
        .get("/body", async |_| Response::new(Body::stream(Bomb(2))))
        .unwrap();
}

struct Bomb(u8);

impl futures_core::Stream for Bomb {
    type Item = Result<&'static str, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0 = self.0.checked_sub(1).unwrap();
        std::task::Poll::Ready(Some(Ok("part")))
    }
}

fn assert_alive(server: &Running) {
    assert_eq!(server.connect().get("/plain").text(), "hello");
}

#[test]
fn in_a_handler_it_is_a_500_and_the_connection_goes_on() {
    let server = serve(routes);
    let mut client = server.connect();
    let before = server.stats().panics_total;
    for target in ["/handler", "/call"] {
        assert_eq!(client.get(target).status, 500);
        assert_eq!(client.get("/plain").text(), "hello");
    }
    assert!(server.stats().panics_total >= before + 2);
}

#[test]
fn in_a_body_it_is_a_closed_connection() {
    let server = serve(routes);
    let mut client = server.connect();
    client.send("GET /body HTTP/1.1\r\nhost: x\r\n\r\n");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.rest(), b"4\r\npart\r\n4\r\npart\r\n");
    assert_alive(&server);
}

#[test]
fn in_a_service_it_is_a_500() {
    struct Panics;
    impl Service for Panics {
        fn call(&self, exchange: Exchange) -> Option<LocalBoxFuture<()>> {
            assert_eq!(exchange.head().raw_path(), b"/fine", "in a service");
            exchange.respond(200, [("x", "y")], &b"hello"[..]).unwrap();
            None
        }
    }
    let server = serve_service(|_| {}, || Rc::new(Panics));
    let mut client = server.connect();
    assert_eq!(client.get("/bad").status, 500);
    assert_eq!(client.get("/fine").status, 200);
}

#[test]
fn in_the_codec_it_is_a_closed_connection() {
    let server = serve(routes);
    for _ in 0..3 {
        let mut client = server.connect();
        assert_eq!(client.get("/plain").text(), "hello");
        client.send("GET /plain HTTP/1.1\r\nhost: x\r\nx-fault: codec\r\n\r\n");
        client.assert_closed();
    }
    server.until(|stats| stats.connections == 0 && stats.in_flight == 0);
    assert_alive(&server);
}

/// Has the server panic at its next coming to `point`.
fn arm(server: &Running, point: &'static str) {
    server.tell(move |_| faults::arm(point));
}

/// Waits until it has.
fn await_panic(server: &Running) {
    let start = Instant::now();
    while server.tell(|_| faults::is_armed()) {
        assert!(start.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
}

#[test]
fn in_accepting_it_is_a_closed_connection() {
    let server = serve(routes);
    arm(&server, "accept");
    server.connect().assert_closed();
    await_panic(&server);
    assert_alive(&server);
}

#[test]
fn in_a_handshake_it_is_a_closed_connection() {
    let (authority, keyring) = Authority::new();
    let server = serve_with(|config| config.tls = Some(keyring), routes);
    arm(&server, "handshake");
    authority.assert_closed(&server, "localhost");
    await_panic(&server);
    authority.assert_closed(&server, "fault.test");
    server.until(|stats| stats.connections == 0);
    let answer = authority.get(&server, "localhost", "/plain").unwrap();
    assert!(answer.ends_with("hello"));
}

#[test]
fn in_the_timers_it_ends_no_deadline() {
    let header = Duration::from_millis(300);
    let server = serve_with(move |config| config.timeouts.header = header, routes);
    let mut silent = server.connect();
    server.until(|stats| stats.connections == 1);
    arm(&server, "timer");
    silent.assert_closed();
    await_panic(&server);
    assert_alive(&server);
}

/// A client whose upload nobody takes, so that its connection does not read.
fn unread(server: &Running) -> Client {
    let in_flight = server.stats().in_flight;
    let mut client = server.connect();
    client.send("POST /never HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n");
    client.send(vec![b'x'; 200_000]);
    server.until(|stats| stats.in_flight > in_flight);
    client
}

#[test]
fn where_hangups_are_heard_the_next_one_is() {
    let server = serve(|all| {
        routes(all);
        all.any("/never", async |_: Request| {
            std::future::pending::<()>().await;
        })
        .unwrap();
    });
    let lost = unread(&server);
    arm(&server, "hangup");
    lost.reset();
    await_panic(&server);
    let told = unread(&server);
    let connections = server.stats().connections;
    told.reset();
    server.until(|stats| stats.connections < connections);
    assert_alive(&server);
}

thread_local! {
    /// What `Explosive` took, on the server's thread.
    static KEPT: RefCell<Vec<(Exchange, Rc<dyn Observer>)>> = const { RefCell::new(Vec::new()) };
}

#[test]
fn in_whoever_is_told_of_the_end_it_is_the_end_all_the_same() {
    struct Explosive;
    impl Observer for Explosive {
        fn body_ready(&self) {}
        fn writable(&self) {}
        fn disconnected(&self) {
            panic!("told of the end")
        }
    }
    struct Keeps;
    impl Service for Keeps {
        fn call(&self, exchange: Exchange) -> Option<LocalBoxFuture<()>> {
            if exchange.head().raw_path() == b"/plain" {
                exchange.respond(200, [("x", "y")], &b"hello"[..]).unwrap();
                return None;
            }
            let observer: Rc<dyn Observer> = Rc::new(Explosive);
            exchange.watch(Rc::downgrade(&observer) as Weak<dyn Observer>);
            KEPT.with_borrow_mut(|kept| kept.push((exchange, observer)));
            None
        }
    }
    let server = serve_service(|_| {}, || Rc::new(Keeps));
    let before = server.stats().panics_total;
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    server.until(|stats| stats.in_flight == 1);
    client.reset();
    server.until(|stats| stats.connections == 0 && stats.in_flight == 0);
    assert!(server.stats().panics_total > before);
    assert_alive(&server);
    server.tell(|_| drop(KEPT.take()));
}

#[test]
fn an_unanswered_exchange_is_a_500() {
    struct Forgets;
    impl Service for Forgets {
        fn call(&self, exchange: Exchange) -> Option<LocalBoxFuture<()>> {
            match exchange.head().raw_path() {
                b"/start" => exchange.start(200, [("x", "y")]).unwrap(),
                b"/part" => {
                    exchange.start(200, [("x", "y")]).unwrap();
                    exchange.write(&b"part"[..]).unwrap();
                }
                _ => {}
            }
            None
        }
    }
    let server = serve_service(|_| {}, || Rc::new(Forgets));
    let mut client = server.connect();
    assert_eq!(client.get("/nothing").status, 500);
    assert_eq!(client.get("/start").status, 500);
    client.send("GET /part HTTP/1.1\r\nhost: x\r\n\r\n");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.rest(), b"4\r\npart\r\n");
}
