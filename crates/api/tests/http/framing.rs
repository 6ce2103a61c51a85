//! Which bytes follow which: keep-alive, pipelining, HEAD, HTTP/1.0, closing.

use crate::support::serve;
use api::native::{Body, Constant, Request, Routes};
use http::{Response, StatusCode};

fn routes(routes: &mut Routes) {
    routes.get("/plain", Constant::text("hello")).unwrap();
    routes
        .get("/n/{n}", async |request: Request| {
            request.param("n").unwrap().into_owned()
        })
        .unwrap();
    routes
        .get("/turns/{n}", async |request: Request| {
            let n: usize = request.param("n").unwrap().parse().unwrap();
            for _ in 0..n {
                tokio::task::yield_now().await;
            }
            n.to_string()
        })
        .unwrap();
    routes
        .get("/large", Constant::text(vec![b'x'; 200_000]))
        .unwrap();
    routes
        .get("/none", async |_| StatusCode::NO_CONTENT)
        .unwrap();
    routes
        .get("/streamed", async |_| Response::new(Body::stream(Two(2))))
        .unwrap();
}

struct Two(u8);

impl futures_core::Stream for Two {
    type Item = Result<&'static str, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0 = self.0.wrapping_sub(1);
        std::task::Poll::Ready((self.0 < 2).then_some(Ok("part")))
    }
}

#[test]
fn a_connection_serves_many_requests() {
    let server = serve(routes);
    let mut client = server.connect();
    for n in 0..100 {
        let reply = client.get("/plain");
        assert_eq!((reply.status, reply.text()), (200, "hello"));
        assert!(reply.header("date").unwrap().ends_with(" GMT"));
        assert_eq!(reply.header("server"), Some("data_bridge"));
        assert_eq!(client.get(&format!("/n/{n}")).text(), n.to_string());
    }
    let stats = server.stats();
    assert_eq!((stats.connections, stats.requests_total), (1, 200));
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = serve(routes);
    let mut client = server.connect();
    let order: Vec<usize> = (0..200).map(|n| (n * 7) % 13).collect();
    let request = |n: &usize| format!("GET /turns/{n} HTTP/1.1\r\nhost: x\r\n\r\n");
    client.send(order.iter().map(request).collect::<Vec<_>>().concat());
    for n in order {
        assert_eq!(client.reply().text(), n.to_string());
    }
}

#[test]
fn pipelined_requests_with_large_answers_are_all_answered() {
    let server = serve(routes);
    let mut client = server.connect();
    client.send("GET /large HTTP/1.1\r\nhost: x\r\n\r\n".repeat(40));
    for _ in 0..40 {
        assert_eq!(client.reply().body.len(), 200_000);
    }
}

#[test]
fn requests_may_come_in_any_pieces() {
    let server = serve(routes);
    let mut client = server.connect();
    let request = b"GET /n/7 HTTP/1.1\r\nhost: x\r\nx-more: yes\r\n\r\n";
    for byte in request {
        client.send([*byte]);
    }
    assert_eq!(client.reply().text(), "7");
    client.send(&request[..20]).send(&request[20..]);
    assert_eq!(client.reply().text(), "7");
}

#[test]
fn head_has_the_length_and_no_body() {
    let server = serve(routes);
    let mut client = server.connect();
    client.send("HEAD /plain HTTP/1.1\r\nhost: x\r\n\r\nHEAD /n/abc HTTP/1.1\r\nhost: x\r\n\r\n");
    assert_eq!(client.head().header("content-length"), Some("5"));
    assert_eq!(client.head().header("content-length"), Some("3"));
    assert_eq!(client.get("/plain").text(), "hello");
}

#[test]
fn no_content_has_neither_body_nor_length() {
    let server = serve(routes);
    let mut client = server.connect();
    let reply = client.get("/none");
    assert_eq!((reply.status, reply.header("content-length")), (204, None));
    assert_eq!(reply.header("transfer-encoding"), None);
    assert_eq!(client.get("/plain").text(), "hello");
}

#[test]
fn streamed_responses_are_chunked() {
    let server = serve(routes);
    let mut client = server.connect();
    let reply = client.get("/streamed");
    assert_eq!(reply.header("transfer-encoding"), Some("chunked"));
    assert_eq!(reply.text(), "partpart");
    assert_eq!(client.get("/plain").text(), "hello");
}

#[test]
fn http_1_0_closes_unless_asked_to_stay() {
    let server = serve(routes);
    let mut client = server.connect();
    client.send("GET /plain HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    let reply = client.reply();
    assert_eq!(
        reply.header("connection").unwrap().to_lowercase(),
        "keep-alive"
    );
    client.send("GET /streamed HTTP/1.0\r\n\r\n");
    let reply = client.reply();
    assert_eq!(reply.header("transfer-encoding"), None);
    assert_eq!(reply.text(), "partpart");
    client.assert_closed();
}

#[test]
fn connection_close_is_obeyed() {
    let server = serve(routes);
    let mut client = server.connect();
    client.send("GET /plain HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert_eq!(
        client.reply().header("connection").unwrap().to_lowercase(),
        "close"
    );
    client.assert_closed();
    server.until(|stats| stats.connections == 0);
}

#[test]
fn what_is_no_request_is_refused_and_closed() {
    let server = serve(routes);
    for (bytes, status) in [
        ("\x16\x03\x01\r\n\r\n", 400),
        ("GET /plain HTTP/1.1\r\n\r\n", 400),
        ("GET /plain HTTP/9.1\r\nhost: x\r\n\r\n", 505),
    ] {
        let mut client = server.connect();
        let reply = client.send(bytes).reply();
        assert_eq!(reply.status, status, "{bytes:?}");
        assert_eq!(reply.header("connection"), Some("close"));
        client.assert_closed();
    }
}
