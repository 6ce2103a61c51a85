//! A native route allocates nothing once its connection is warm, beyond its own future and response.

#![allow(clippy::unwrap_used)]

mod ffi;
#[path = "../http/support.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod support;

use api::native::{Constant, IntoResponse, Json, Request};
use support::{Client, Running, serve};

const REQUESTS: u64 = 1000;

fn allocations_of(server: &Running, client: &mut Client, request: &str) -> u64 {
    let mut run = |count: u64| {
        for _ in 0..count {
            assert_eq!(client.send(request).reply().status, 200);
        }
    };
    run(REQUESTS);
    let before = server.tell(|_| ffi::allocations());
    run(REQUESTS);
    server.tell(|_| ffi::allocations()) - before
}

#[test]
fn a_constant_route_allocates_nothing_per_request() {
    let server = serve(|routes| {
        routes.get("/", Constant::text("hello")).unwrap();
        routes.get("/users/{id}", Constant::text("hello")).unwrap();
    });
    for target in ["/", "/users/7"] {
        let browser = format!(
            "GET {target} HTTP/1.1\r\nhost: localhost\r\nuser-agent: x\r\naccept: */*\r\n\
             accept-encoding: gzip\r\naccept-language: en\r\ncookie: a=b\r\nx-more: 1\r\n\r\n"
        );
        let allocated = allocations_of(&server, &mut server.connect(), &browser);
        // The questions about it allocate, and the wheel's rounds.
        assert!(
            allocated < REQUESTS / 50,
            "{allocated} for {REQUESTS} of {target}"
        );
    }
}

/// What a response costs by itself.
fn allocations_of_response<R: IntoResponse>(make: impl Fn() -> R) -> u64 {
    let before = ffi::allocations();
    drop(make().into_response());
    ffi::allocations() - before
}

#[test]
fn a_handler_allocates_nothing_beyond_its_future_and_its_response() {
    let server = serve(|routes| {
        routes
            .get("/text/{id}", async |request: Request| {
                assert_eq!(request.param("id").as_deref(), Some("7"));
                "hello"
            })
            .unwrap()
            .get("/json", async |_| Json([1, 2, 3]))
            .unwrap()
            .post("/body", async |mut request: Request| {
                request.bytes(1 << 20).await.unwrap()
            })
            .unwrap();
    });
    let get = |target| format!("GET {target} HTTP/1.1\r\nhost: localhost\r\naccept: */*\r\n\r\n");
    let post = "POST /body HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nhello";
    for (request, response) in [
        (get("/text/7"), allocations_of_response(|| "hello")),
        (get("/json"), allocations_of_response(|| Json([1, 2, 3]))),
        (
            post.to_owned(),
            allocations_of_response(|| bytes::Bytes::from_static(b"hello")),
        ),
    ] {
        let allocated = allocations_of(&server, &mut server.connect(), &request);
        let expected = REQUESTS * (response + 1);
        assert!(
            allocated < expected + REQUESTS / 20,
            "{allocated} for {REQUESTS} of {request:?}, of which {expected} are its own"
        );
    }
}
