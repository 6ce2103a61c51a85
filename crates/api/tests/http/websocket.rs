//! WebSocket over real sockets: raw frames against a native echo.

use crate::support::{Client, Running, serve_service};
use api::exchange::Exchange;
use api::service::{LocalBoxFuture, Service};
use api::websocket::Options;
use std::io::{ErrorKind, Write};
use std::rc::Rc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

const REQUEST: &str = "GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Echoes messages; says how each WebSocket ended.
struct Echo(Sender<u16>);

impl Service for Echo {
    fn call(&self, exchange: Exchange) -> Option<LocalBoxFuture<()>> {
        let ended = self.0.clone();
        let handshake = match exchange.handshake()? {
            Ok(handshake) => handshake,
            Err(refusal) => {
                exchange.refuse(refusal).unwrap();
                return None;
            }
        };
        let deaf = exchange.head().path() == "/deaf".as_bytes();
        let headers = std::iter::empty::<(&str, &str)>();
        let socket = exchange.upgrade(&handshake, None, headers).unwrap();
        Some(Box::pin(async move {
            if deaf {
                std::future::pending::<()>().await;
            }
            let close = loop {
                match socket.message().await {
                    Ok(message) if &message.data[..] == b"bye" => socket.close(4001, "").unwrap(),
                    Ok(message) => {
                        let _ = socket.send(message.kind, message.data);
                        socket.writable().await;
                    }
                    Err(close) => break close,
                }
            };
            ended.send(close.code).unwrap();
        }))
    }
}

fn echo(
    options: impl FnOnce(&mut Options) + Send + 'static,
) -> (Running, std::sync::mpsc::Receiver<u16>) {
    let (ended, codes) = channel();
    let server = serve_service(
        |config| {
            config.websocket.ping_interval = Duration::ZERO;
            options(&mut config.websocket);
        },
        move || Rc::new(Echo(ended)),
    );
    (server, codes)
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    // The mask of zeros leaves the payload as it is.
    [&[first, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

fn open(server: &Running) -> Client {
    let mut client = server.connect();
    let reply = client.send(REQUEST).head();
    assert_eq!(reply.status, 101);
    assert_eq!(
        reply.header("sec-websocket-accept"),
        Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    );
    client
}

#[test]
fn messages_come_back_and_the_close_is_returned() {
    let (server, codes) = echo(|_| {});
    let mut client = open(&server);
    client.send(frame(0x81, b"hello"));
    assert_eq!(client.take(7), b"\x81\x05hello");
    client.send(frame(0x88, b"\x03\xe9"));
    assert_eq!(client.rest(), b"\x88\x02\x03\xe9");
    assert_eq!(codes.recv().unwrap(), 1001);
}

#[test]
fn frames_may_stand_behind_the_request_in_one_packet() {
    let (server, _codes) = echo(|_| {});
    let mut client = server.connect();
    client.send([REQUEST.as_bytes(), &frame(0x82, b"early")].concat());
    assert_eq!(client.head().status, 101);
    assert_eq!(client.take(7), b"\x82\x05early");
}

#[test]
fn a_wrong_request_is_refused_and_the_connection_lives() {
    let (server, _codes) = echo(|_| {});
    let mut client = server.connect();
    let reply = client
        .send(REQUEST.replace("version: 13", "version: 8"))
        .reply();
    assert_eq!(reply.status, 426);
    assert_eq!(reply.header("sec-websocket-version"), Some("13"));
    assert_eq!(client.send(REQUEST).head().status, 101);
}

#[test]
fn an_end_without_a_close_is_1006() {
    let (server, codes) = echo(|_| {});
    open(&server).half_close().assert_closed();
    assert_eq!(codes.recv().unwrap(), 1006);
}

#[test]
fn a_client_that_breaks_the_rules_is_told_so() {
    let (server, codes) = echo(|_| {});
    let mut client = open(&server);
    client.send(b"\x81\x01a");
    let told = client.rest();
    assert_eq!(told[2..4], 1002u16.to_be_bytes());
    assert_eq!(codes.recv().unwrap(), 1002);
}

#[test]
fn a_client_that_does_not_answer_our_close_is_cut() {
    let (server, codes) = echo(|options| options.close_timeout = Duration::from_millis(50));
    let mut client = open(&server);
    client.send(frame(0x81, b"bye"));
    assert_eq!(client.rest(), b"\x88\x02\x0f\xa1");
    assert_eq!(codes.recv().unwrap(), 4001);
    server.until(|stats| stats.connections == 0);
}

#[test]
fn a_client_that_answers_no_ping_is_closed() {
    let (server, codes) = echo(|options| {
        options.ping_interval = Duration::from_millis(100);
        options.ping_timeout = Duration::from_millis(500);
    });
    let mut client = open(&server);
    assert_eq!(client.take(2), b"\x89\x00");
    client.send(frame(0x8a, b""));
    let told = client.rest();
    let close = told.iter().position(|byte| *byte == 0x88).unwrap();
    assert!(told[..close].chunks(2).all(|ping| ping == b"\x89\x00"));
    assert_eq!(told[close + 2..close + 4], 1011u16.to_be_bytes());
    assert_eq!(codes.recv().unwrap(), 1011);
}

#[test]
fn a_stop_closes_with_1012() {
    let (server, codes) = echo(|_| {});
    let mut client = open(&server);
    server.tell(api::server::Handle::stop_accepting);
    assert_eq!(client.take(4), b"\x88\x02\x03\xf4");
    client.send(frame(0x88, b"\x03\xf4")).assert_closed();
    assert_eq!(codes.recv().unwrap(), 1012);
}

/// How many bytes the server takes before it stops for good.
fn taken(client: &mut Client, bytes: &[u8]) -> usize {
    let patience = Some(Duration::from_millis(500));
    client.stream.set_write_timeout(patience).unwrap();
    let mut total = 0;
    loop {
        match client.stream.write(&bytes[total % bytes.len()..]) {
            Ok(count) => total += count,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                return total;
            }
        }
        assert!(total < 64 << 20, "no end to it");
    }
}

#[test]
fn a_flood_of_pings_without_a_reader_stops() {
    let (server, _codes) = echo(|_| {});
    let mut client = open(&server);
    // The kernel's buffers on both sides are most of it.
    let flood = frame(0x89, &[b'x'; 125]).repeat(500);
    assert!(taken(&mut client, &flood) > 0);
}

#[test]
fn messages_that_nobody_takes_stop_the_reading() {
    let (server, _codes) = echo(|options| options.max_queue = 4);
    let mut client = server.connect();
    client.send(REQUEST.replace("GET /", "GET /deaf"));
    assert_eq!(client.head().status, 101);
    let flood = frame(0x82, &[b'x'; 125]).repeat(500);
    assert!(taken(&mut client, &flood) > 0);
}
