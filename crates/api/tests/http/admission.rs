//! Who is let in: bounds on connections, and on requests at work.

use crate::support::{PATIENCE, Running, serve_with};
use api::native::Constant;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

#[test]
fn a_full_server_lets_the_next_one_in_when_one_leaves() {
    let server = serve_with(
        |config| config.max_connections = 2,
        |routes| {
            routes.get("/", Constant::text("hello")).unwrap();
        },
    );
    let mut first = server.connect();
    let mut second = server.connect();
    assert_eq!(first.get("/").status, 200);
    assert_eq!(second.get("/").status, 200);
    let mut third = server.connect();
    third.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    // Those inside are served; the third waits.
    assert_eq!(first.get("/").status, 200);
    assert_eq!(server.stats().connections, 2);
    drop(first);
    assert_eq!(third.reply().status, 200);
    assert_eq!(second.get("/").status, 200);
}

/// One request at work, `queue` of them waiting; `/wait` ends when the semaphore has a permit for it.
fn narrow(queue: usize, wait: Duration) -> (Running, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let inside = Arc::clone(&gate);
    let server = serve_with(
        move |config| {
            config.overload.at_work = NonZeroUsize::new(1);
            config.overload.queue = queue;
            config.overload.wait = wait;
        },
        move |routes| {
            routes
                .get("/wait", move |_| {
                    let gate = Arc::clone(&inside);
                    async move {
                        gate.acquire().await.unwrap().forget();
                        "done"
                    }
                })
                .unwrap()
                .get("/", Constant::text("hello"))
                .unwrap();
        },
    );
    (server, gate)
}

#[test]
fn requests_wait_for_their_turn_in_order() {
    let (server, gate) = narrow(2, PATIENCE);
    let mut clients: Vec<_> = (0..3).map(|_| server.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n");
        server.until(|stats| stats.in_flight == number + 1);
    }
    let refused = server.connect().get("/");
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (503, Some("20"))
    );
    for client in &mut clients {
        gate.add_permits(1);
        assert_eq!(client.reply().text(), "done");
    }
    assert_eq!(server.connect().get("/").text(), "hello");
}

#[test]
fn a_request_does_not_wait_for_ever() {
    let wait = Duration::from_millis(300);
    let (server, gate) = narrow(1, wait);
    let mut working = server.connect();
    working.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n");
    server.until(|stats| stats.in_flight == 1);
    let start = Instant::now();
    let mut waiting = server.connect();
    let refused = waiting.get("/");
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (503, Some("1"))
    );
    assert!(start.elapsed() >= wait);
    gate.add_permits(1);
    assert_eq!(working.reply().text(), "done");
    // Its connection was not to blame.
    assert_eq!(waiting.get("/").text(), "hello");
}

#[test]
fn a_client_that_leaves_the_queue_makes_room() {
    let (server, gate) = narrow(1, PATIENCE);
    let mut working = server.connect();
    working.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n");
    server.until(|stats| stats.in_flight == 1);
    let mut leaving = server.connect();
    leaving.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    server.until(|stats| stats.in_flight == 2);
    leaving.reset();
    server.until(|stats| stats.in_flight == 1);
    let mut next = server.connect();
    next.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    server.until(|stats| stats.in_flight == 2);
    gate.add_permits(1);
    assert_eq!(working.reply().text(), "done");
    assert_eq!(next.reply().text(), "hello");
}

#[test]
fn idle_connections_take_no_place() {
    let (server, _) = narrow(0, PATIENCE);
    let mut idle = server.connect();
    assert_eq!(idle.get("/").text(), "hello");
    assert_eq!(server.connect().get("/").text(), "hello");
    assert_eq!(idle.get("/").text(), "hello");
}
