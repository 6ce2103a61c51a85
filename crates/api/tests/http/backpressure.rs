//! Every buffer has a bound: uploads, downloads, pipelined requests.

use crate::support::{PATIENCE, serve};
use api::native::{Body, Constant, Request, Routes};
use bytes::Bytes;
use futures_core::Stream;
use http::Response;
use std::io::{ErrorKind, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

const PART: usize = 10_000;

/// Parts without end; counts what was taken from it.
struct Endless(Arc<AtomicUsize>);

impl Stream for Endless {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.fetch_add(PART, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Bytes::from_static(&[b'x'; PART]))))
    }
}

/// What the kernel took when it takes no more; it has buffers of its own on both sides.
fn stuff(stream: &std::net::TcpStream, bytes: &[u8]) -> usize {
    let mut stream = stream;
    stream
        .set_write_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let mut total = 0;
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        match stream.write(bytes) {
            Ok(count) => total += count,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                return total;
            }
        }
    }
    panic!("the server takes everything: {total}");
}

fn routes(routes: &mut Routes) {
    routes
        .any("/never", async |_: Request| {
            std::future::pending::<()>().await;
        })
        .unwrap();
}

/// Far more than the server and the kernel may hold for one connection (loopback buffers are some MiB).
const BOUND: usize = 20_000_000;

#[test]
fn an_upload_that_nobody_reads_stops() {
    let server = serve(routes);
    let mut client = server.connect();
    client.send("POST /never HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n");
    assert!(stuff(&client.stream, &[b'x'; PART]) < BOUND);
}

#[test]
fn pipelined_requests_behind_one_in_flight_stop() {
    let server = serve(routes);
    let mut client = server.connect();
    client.send("GET /never HTTP/1.1\r\nhost: x\r\n\r\n");
    assert!(
        stuff(
            &client.stream,
            "GET /never HTTP/1.1\r\nhost: x\r\n\r\n"
                .repeat(100)
                .as_bytes()
        ) < BOUND
    );
    assert_eq!(server.stats().requests_total, 1);
}

#[test]
fn pipelined_requests_whose_answers_nobody_reads_stop() {
    let server = serve(|routes| {
        let large = Constant::text(vec![b'x'; 100_000]);
        routes.get("/", large).unwrap();
    });
    let mut client = server.connect();
    let requests = "GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1000);
    let sent = stuff(&client.stream, requests.as_bytes());
    assert!(sent < BOUND, "{sent}");
    // It goes on where it stopped.
    for _ in 0..100 {
        assert_eq!(client.reply().body.len(), 100_000);
    }
    client.reset();
}

#[test]
fn a_download_waits_for_its_client() {
    let produced = Arc::new(AtomicUsize::new(0));
    let source = Arc::clone(&produced);
    let server = serve(move |routes| {
        routes
            .get("/endless", move |_| {
                let source = Arc::clone(&source);
                async move { Response::new(Body::stream(Endless(source))) }
            })
            .unwrap();
    });
    let mut client = server.connect();
    client.send("GET /endless HTTP/1.1\r\nhost: x\r\n\r\n");
    assert_eq!(client.head().status, 200);
    let mut taken = 0;
    for _ in 0..5 {
        // Still for a while: whatever fits is produced, and not more.
        let mut last = usize::MAX;
        while last != produced.load(Ordering::Relaxed) {
            last = produced.load(Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(last < taken + BOUND, "{last} produced, {taken} taken");
        taken += client.take(1_000_000).len();
    }
    client.reset();
    server.until(|stats| stats.connections == 0);
}
