//! tower services and axum routers, mounted among native routes.

use crate::support::serve;
use api::native::{Constant, RequestBody, Routes, Tower};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::routing::{get, post};
use http::Response;
use std::convert::Infallible;
use std::net::SocketAddr;

fn router() -> Router {
    Router::new()
        .route("/", get(async || "root"))
        .route(
            "/hello/{name}",
            get(async |Path(name): Path<String>| format!("hello {name}")),
        )
        .route(
            "/target",
            get(async |request: Request| request.uri().to_string()),
        )
        .route(
            "/peer",
            get(async |request: Request| {
                request
                    .extensions()
                    .get::<SocketAddr>()
                    .unwrap()
                    .to_string()
            }),
        )
        .route("/whole", post(async |body: String| body))
        .route(
            "/streamed",
            post(async |request: Request| {
                Body::from_stream(request.into_body().into_data_stream())
            }),
        )
        .route(
            "/panic",
            get(async || -> &'static str { panic!("in axum") }),
        )
}

fn routes(routes: &mut Routes) {
    let shout = tower::service_fn(async |request: http::Request<RequestBody>| {
        let loud = request.uri().path().to_uppercase();
        Ok::<_, Infallible>(Response::new(Body::from(loud)))
    });
    routes
        .get("/axum/literal", Constant::text("native"))
        .unwrap()
        .mount("/axum", Tower::new(router()))
        .unwrap()
        .mount("/axum/loud/", Tower::new(shout))
        .unwrap();
}

#[test]
fn a_router_sees_what_is_behind_its_prefix() {
    let server = serve(routes);
    let mut client = server.connect();
    assert_eq!(client.get("/axum").text(), "root");
    assert_eq!(client.get("/axum/").text(), "root");
    assert_eq!(client.get("/axum/hello/w%C3%B6rld").text(), "hello wörld");
    assert_eq!(client.get("/axum/target?a=1&b").text(), "/target?a=1&b");
    assert_eq!(client.get("/axum/nowhere").status, 404);
    assert_eq!(client.get("/axumen").status, 404);
    assert_eq!(client.get("/axum/literal").text(), "native");
    assert_eq!(client.get("/axum/loud/er").text(), "/ER");
    let peer = client.stream.local_addr().unwrap().to_string();
    assert_eq!(client.get("/axum/peer").text(), peer);
    let reply = client.get("/axum/hello/x");
    assert_eq!(reply.header("content-length"), Some("7"));
    assert_eq!(
        reply.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
}

#[test]
fn bodies_stream_both_ways() {
    let server = serve(routes);
    let mut client = server.connect();
    client.send("POST /axum/whole HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello");
    assert_eq!(client.reply().text(), "hello");
    client.send(
        "POST /axum/streamed HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
    );
    assert_eq!(client.head().header("transfer-encoding"), Some("chunked"));
    assert_eq!(client.take(8), b"3\r\nabc\r\n", "before the rest is sent");
    client.send("2\r\nde\r\n0\r\n\r\n");
    assert_eq!(client.take(12), b"2\r\nde\r\n0\r\n\r\n");
    client.send(
        "POST /axum/whole HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n",
    );
    assert_eq!(client.head().status, 100);
    assert_eq!(client.send("ok").reply().text(), "ok");
    assert_eq!(client.get("/axum/panic").status, 500);
    assert_eq!(client.get("/axum").text(), "root");
}
