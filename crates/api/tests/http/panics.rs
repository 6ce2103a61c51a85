//! A panic is a 500 or a closed connection; the server lives.

use crate::support::{Running, serve, serve_service};
use api::exchange::Exchange;
use api::native::{Body, Constant, Routes};
use api::service::{LocalBoxFuture, Service};
use http::Response;
use std::rc::Rc;

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
