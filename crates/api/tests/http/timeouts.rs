//! Slow and silent clients, each closed by the deadline of the phase it is in.

use crate::support::{Client, PATIENCE, Running, serve_with};
use api::native::{Body, Constant, Request, Routes};
use api::timeouts::Timeouts;
use http::Response;
use std::net::Shutdown;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(600);

fn routes(routes: &mut Routes) {
    routes.get("/plain", Constant::text("hello")).unwrap();
    routes
        .post("/whole", async |mut request: Request| {
            request.bytes(1 << 20).await
        })
        .unwrap()
        .get("/slow", async |_| tokio::time::sleep(3 * SHORT).await)
        .unwrap()
        .get("/large", async |_| {
            Response::new(Body::from(vec![b'x'; 50_000_000]))
        })
        .unwrap();
}

fn serve(change: impl FnOnce(&mut Timeouts) + Send + 'static) -> Running {
    let long = Timeouts {
        handshake: PATIENCE,
        header: PATIENCE,
        keep_alive: PATIENCE,
        body_stall: PATIENCE,
        body_rate: 0,
        body_grace: PATIENCE,
        answer: None,
        write_stall: PATIENCE,
        disconnect_grace: PATIENCE,
        linger: PATIENCE,
    };
    serve_with(
        move |config| {
            config.timeouts = long;
            change(&mut config.timeouts);
        },
        routes,
    )
}

/// Closed by the server, not before its time and not much later.
fn assert_closed_in_time(client: &mut Client, since: Instant) -> Vec<u8> {
    let rest = client.rest();
    let waited = since.elapsed();
    assert!(waited >= SHORT && waited < PATIENCE / 2, "after {waited:?}");
    rest
}

#[test]
fn a_silent_connection() {
    let server = serve(|timeouts| timeouts.header = SHORT);
    let start = Instant::now();
    assert_eq!(assert_closed_in_time(&mut server.connect(), start), b"");
}

#[test]
fn a_head_that_drips() {
    let server = serve(|timeouts| timeouts.header = SHORT);
    let mut client = server.connect();
    let start = Instant::now();
    client.send("GET /plain HTTP/1.1\r\nhost: x\r\n");
    let mut dripping = client.stream.try_clone().unwrap();
    let drip = std::thread::spawn(move || {
        while std::io::Write::write_all(&mut dripping, b"x: y\r\n").is_ok()
            && start.elapsed() < PATIENCE
        {
            std::thread::sleep(SHORT / 10);
        }
    });
    let reply = client.reply();
    assert_eq!(
        (reply.status, reply.header("connection")),
        (408, Some("close"))
    );
    assert!(start.elapsed() >= SHORT);
    client.stream.shutdown(Shutdown::Both).unwrap();
    drip.join().unwrap();
}

#[test]
fn the_head_of_a_later_request_has_its_own_time() {
    let server = serve(|timeouts| timeouts.header = SHORT);
    let mut client = server.connect();
    assert_eq!(client.get("/plain").text(), "hello");
    let start = Instant::now();
    client.send("GET /pl");
    assert_eq!(client.reply().status, 408);
    assert!(start.elapsed() >= SHORT);
}

#[test]
fn an_idle_connection() {
    let server = serve(|timeouts| timeouts.keep_alive = SHORT);
    let mut client = server.connect();
    for _ in 0..2 {
        assert_eq!(client.get("/plain").text(), "hello");
    }
    // Its time begins before the client has read the last answer.
    let start = Instant::now();
    assert_eq!(client.get("/plain").text(), "hello");
    assert_eq!(assert_closed_in_time(&mut client, start), b"");
}

#[test]
fn a_body_that_stalls() {
    let server = serve(|timeouts| timeouts.body_stall = SHORT);
    let mut client = server.connect();
    let start = Instant::now();
    client.send("POST /whole HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhel");
    let reply = client.reply();
    assert_eq!(
        (reply.status, reply.header("connection")),
        (408, Some("close"))
    );
    assert!(start.elapsed() >= SHORT);
}

#[test]
fn a_client_that_does_not_read() {
    let server = serve(|timeouts| timeouts.write_stall = SHORT);
    let mut client = server.connect();
    client.send("GET /large HTTP/1.1\r\nhost: x\r\n\r\n");
    server.until(|stats| stats.requests_total == 1 && stats.connections == 0);
}

#[test]
fn a_slow_download_is_not_idle() {
    let server = serve(|timeouts| timeouts.keep_alive = SHORT);
    let mut client = server.connect();
    client.send("GET /large HTTP/1.1\r\nhost: x\r\n\r\n");
    assert_eq!(client.head().status, 200);
    for _ in 0..15 {
        std::thread::sleep(SHORT / 10);
        assert_eq!(client.take(2_000_000).len(), 2_000_000);
    }
    // Of the rest the kernel may hold a part, for which the server is done already: it is no time to sleep.
    assert_eq!(client.take(20_000_000).len(), 20_000_000);
    assert_eq!(client.get("/plain").text(), "hello");
}

#[test]
fn a_handler_may_take_longer_than_any_of_them() {
    let server = serve(|timeouts| {
        *timeouts = Timeouts {
            header: SHORT,
            keep_alive: SHORT,
            body_stall: SHORT,
            write_stall: SHORT,
            ..*timeouts
        };
    });
    assert_eq!(server.connect().get("/slow").status, 200);
}

#[test]
fn a_body_that_drips() {
    let server = serve(|timeouts| {
        timeouts.body_rate = 1_000_000;
        timeouts.body_grace = SHORT;
    });
    let mut client = server.connect();
    let start = Instant::now();
    client.send("POST /whole HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n");
    let mut dripping = client.stream.try_clone().unwrap();
    let drip = std::thread::spawn(move || {
        while std::io::Write::write_all(&mut dripping, b"x").is_ok() && start.elapsed() < PATIENCE {
            std::thread::sleep(SHORT / 20);
        }
    });
    assert_eq!(client.reply().status, 408);
    assert!(start.elapsed() >= SHORT);
    client.stream.shutdown(Shutdown::Both).unwrap();
    drip.join().unwrap();
}

#[test]
fn an_answer_that_does_not_come() {
    let server = serve(|timeouts| timeouts.answer = Some(SHORT));
    let mut client = server.connect();
    let start = Instant::now();
    assert_eq!(client.get("/slow").status, 504);
    assert!(start.elapsed() >= SHORT);
    // The handler is gone with its answer, and the connection goes on.
    assert_eq!(client.get("/plain").text(), "hello");
}

#[test]
fn an_answer_that_was_begun_may_take_its_time() {
    let server = serve(|timeouts| timeouts.answer = Some(SHORT));
    let mut client = server.connect();
    client.send("GET /large HTTP/1.1\r\nhost: x\r\n\r\n");
    assert_eq!(client.head().status, 200);
    std::thread::sleep(2 * SHORT);
    assert_eq!(client.take(50_000_000).len(), 50_000_000);
    assert_eq!(client.get("/plain").text(), "hello");
}

#[test]
fn a_refused_client_that_stays() {
    let server = serve(|timeouts| timeouts.linger = SHORT);
    let mut client = server.connect();
    let start = Instant::now();
    client.send("GET\r\n\r\n");
    assert_eq!(client.head().status, 400);
    // The answer is whole, and the client has not left.
    client.rest();
    server.until(|stats| stats.connections == 0);
    assert!(start.elapsed() >= SHORT);
}
