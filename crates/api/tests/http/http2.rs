//! HTTP/2 in front of native routes, by the client that comes with h2.

use crate::support::{PATIENCE, Running, serve, serve_with};
use api::http2::Options;
use api::native::{Constant, Request as Asked, Routes};
use bytes::Bytes;
use h2::client::{self, SendRequest};
use h2::{Reason, RecvStream};
use http::{Request, Response};
use std::future::Future;
use tokio::net::TcpStream;

fn routes(routes: &mut Routes) {
    routes.get("/hello", Constant::text("hello")).unwrap();
    routes
        .get("/never", async |_: Asked| -> &'static str {
            std::future::pending().await
        })
        .unwrap();
    routes
        .get("/panic", async |_: Asked| -> &'static str {
            tokio::task::yield_now().await;
            panic!("in a handler")
        })
        .unwrap();
}

/// Runs a client; it has some time for all that it does.
fn run<F: Future>(client: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let limited = async { tokio::time::timeout(PATIENCE, client).await.unwrap() };
    runtime.block_on(limited)
}

async fn connect(server: &Running) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (send, connection) = client::handshake(stream).await.unwrap();
    // Its end is seen where a request is made.
    tokio::spawn(async move { drop(connection.await) });
    send.ready().await.unwrap()
}

fn get(server: &Running, path: &str) -> Request<()> {
    let uri = format!("http://{}{path}", server.address);
    Request::get(uri).body(()).unwrap()
}

async fn whole(response: Response<RecvStream>) -> (u16, Vec<u8>) {
    let (head, mut body) = response.into_parts();
    let mut content = Vec::new();
    while let Some(part) = body.data().await {
        content.extend_from_slice(&part.unwrap());
    }
    (head.status.as_u16(), content)
}

async fn ask(server: &Running, send: &mut SendRequest<Bytes>, path: &str) -> (u16, Vec<u8>) {
    let (response, _) = send.send_request(get(server, path), true).unwrap();
    whole(response.await.unwrap()).await
}

/// Lets the client's connection run meanwhile.
async fn until_in_flight(server: &Running, count: usize) {
    while server.stats().in_flight != count {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_hundred_requests_at_once_on_one_connection() {
    let server = serve(routes);
    run(async {
        let mut send = connect(&server).await;
        let asked: Vec<_> = (0..100)
            .map(|_| send.send_request(get(&server, "/hello"), true).unwrap().0)
            .collect();
        for response in asked {
            assert_eq!(whole(response.await.unwrap()).await, (200, b"hello".into()));
        }
        assert_eq!(ask(&server, &mut send, "/missing").await.0, 404);
    });
    assert_eq!(server.stats().requests_total, 101);
    server.until(|stats| stats.connections == 0 && stats.in_flight == 0);
}

#[test]
fn a_panic_is_a_500_and_the_connection_goes_on() {
    let server = serve(routes);
    run(async {
        let mut send = connect(&server).await;
        assert_eq!(ask(&server, &mut send, "/panic").await.0, 500);
        assert_eq!(ask(&server, &mut send, "/hello").await.0, 200);
    });
}

#[test]
fn a_reset_ends_the_handler() {
    let server = serve(routes);
    run(async {
        let mut send = connect(&server).await;
        let (response, mut stream) = send.send_request(get(&server, "/never"), false).unwrap();
        until_in_flight(&server, 1).await;
        stream.send_reset(Reason::CANCEL);
        assert_eq!(ask(&server, &mut send, "/hello").await.0, 200);
        until_in_flight(&server, 0).await;
        drop(response);
    });
}

#[test]
fn more_streams_than_are_allowed_wait_for_their_turn() {
    let one = |config: &mut api::server::Config| {
        config.http2 = Some(Options {
            streams: 1,
            ..Options::default()
        });
    };
    let server = serve_with(one, routes);
    run(async {
        let mut send = connect(&server).await;
        for _ in 0..10 {
            assert_eq!(ask(&server, &mut send, "/hello").await.0, 200);
        }
    });
}

#[test]
fn an_abort_cuts_streams_that_have_no_end() {
    let server = serve(routes);
    run(async {
        let mut send = connect(&server).await;
        let (response, _) = send.send_request(get(&server, "/never"), true).unwrap();
        until_in_flight(&server, 1).await;
        server.tell(api::server::Handle::abort);
        assert!(response.await.is_err());
    });
}
