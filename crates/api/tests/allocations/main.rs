//! A constant native route allocates nothing once its connection is warm.

#![allow(clippy::unwrap_used)]

mod ffi;
#[path = "../http/support.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod support;

use api::native::Constant;
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
