//! Request bodies: by length, chunked, expected, unread, broken; and echoing them as they come.

use crate::support::{Client, serve};
use api::native::{Body, CollectError, Constant, Request, Routes};
use http::Response;

fn routes(routes: &mut Routes) {
    routes
        .any("/whole", async |mut request: Request| {
            request.bytes(1 << 20).await
        })
        .unwrap()
        .any("/streamed", async |request: Request| {
            Response::new(Body::stream(request.into_body()))
        })
        .unwrap()
        .any("/unread", Constant::text("unread"))
        .unwrap()
        .any("/refused", async |request: Request| {
            let _ = request;
            http::StatusCode::FORBIDDEN
        })
        .unwrap();
}

fn post(client: &mut Client, target: &str, rest: impl AsRef<[u8]>) {
    client
        .send(format!("POST {target} HTTP/1.1\r\nhost: x\r\n"))
        .send(rest);
}

#[test]
fn bodies_by_length_and_chunked_arrive_whole() {
    let server = serve(routes);
    let mut client = server.connect();
    for target in ["/whole", "/streamed"] {
        post(&mut client, target, "content-length: 5\r\n\r\nhello");
        assert_eq!(client.reply().text(), "hello");
        post(
            &mut client,
            target,
            "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\nx-t: 1\r\n\r\n",
        );
        assert_eq!(client.reply().text(), "hello!");
        post(&mut client, target, "content-length: 0\r\n\r\n");
        assert_eq!(client.reply().text(), "");
    }
}

#[test]
fn a_large_body_is_echoed_while_it_is_sent() {
    let server = serve(routes);
    let mut client = server.connect();
    let part: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    post(&mut client, "/streamed", "content-length: 10000000\r\n\r\n");
    let mut sender = client.stream.try_clone().unwrap();
    let sent = part.clone();
    let sending = std::thread::spawn(move || {
        for _ in 0..100 {
            std::io::Write::write_all(&mut sender, &sent).unwrap();
        }
    });
    let reply = client.reply();
    sending.join().unwrap();
    assert!(reply.body.chunks(100_000).all(|chunk| chunk == part));
    assert_eq!(reply.body.len(), 10_000_000);
    post(&mut client, "/whole", "content-length: 1\r\n\r\n.");
    assert_eq!(client.reply().text(), ".");
}

#[test]
fn continue_is_sent_when_the_body_is_first_read() {
    let server = serve(routes);
    let mut client = server.connect();
    post(
        &mut client,
        "/whole",
        "content-length: 5\r\nexpect: 100-continue\r\n\r\n",
    );
    assert_eq!(client.head().status, 100);
    client.send("hello");
    assert_eq!(client.reply().text(), "hello");
    // A client that does not wait is not told to go on.
    post(
        &mut client,
        "/whole",
        "content-length: 5\r\nexpect: 100-continue\r\n\r\nhello",
    );
    let reply = client.reply();
    if reply.status == 100 {
        assert_eq!(client.reply().text(), "hello");
    } else {
        assert_eq!(reply.text(), "hello");
    }
}

#[test]
fn continue_is_not_sent_with_a_refusal() {
    let server = serve(routes);
    for (target, status) in [("/refused", 403), ("/nowhere", 404)] {
        let mut client = server.connect();
        post(
            &mut client,
            target,
            "content-length: 5\r\nexpect: 100-continue\r\n\r\n",
        );
        let reply = client.reply();
        assert_eq!(
            (reply.status, reply.header("connection")),
            (status, Some("close"))
        );
        client.assert_closed();
    }
}

#[test]
fn a_small_body_that_nobody_reads_is_skipped() {
    let server = serve(routes);
    let mut client = server.connect();
    for _ in 0..3 {
        post(&mut client, "/unread", "content-length: 5\r\n\r\nhello");
        assert_eq!(client.reply().text(), "unread");
        post(
            &mut client,
            "/unread",
            "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        );
        assert_eq!(client.reply().text(), "unread");
        // The rest comes after the response.
        post(&mut client, "/unread", "content-length: 5\r\n\r\nhe");
        assert_eq!(client.reply().text(), "unread");
        client.send("llo");
    }
    assert_eq!(server.stats().connections, 1);
}

#[test]
fn a_large_body_that_nobody_reads_does_not_cost_the_client_its_response() {
    let server = serve(routes);
    let mut client = server.connect();
    post(&mut client, "/unread", "content-length: 50000000\r\n\r\n");
    let part = vec![b'x'; 1_000_000];
    // Straight on, as clients do that look at the response only when they are through.
    for _ in 0..20 {
        client.send(&part);
    }
    let reply = client.reply();
    assert_eq!(
        (reply.text(), reply.header("connection")),
        ("unread", Some("close"))
    );
    client.assert_closed();
}

#[test]
fn broken_and_truncated_bodies_are_the_clients_fault() {
    let server = serve(routes);
    let mut client = server.connect();
    post(
        &mut client,
        "/whole",
        "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n",
    );
    assert_eq!(client.reply().status, 400);
    client.assert_closed();

    let mut client = server.connect();
    post(&mut client, "/whole", "content-length: 5\r\n\r\nhel");
    assert_eq!(client.half_close().reply().status, 400);
    client.assert_closed();

    let mut client = server.connect();
    post(&mut client, "/streamed", "content-length: 5\r\n\r\nhel");
    let mut whole = client.head();
    assert_eq!(whole.status, 200);
    whole.body = client.half_close().rest();
    assert!(
        !whole.body.ends_with(b"0\r\n\r\n"),
        "an incomplete response looks complete"
    );
}

#[test]
fn a_declared_length_beyond_the_limit_is_refused_unread() {
    let server = serve(|routes| {
        routes
            .any("/", async |mut request: Request| {
                match request.bytes(10).await {
                    Err(error @ CollectError::TooLarge { limit: 10 }) => Err::<(), _>(error),
                    other => panic!("{other:?}"),
                }
            })
            .unwrap();
    });
    let mut client = server.connect();
    post(
        &mut client,
        "/",
        "content-length: 11\r\nexpect: 100-continue\r\n\r\n",
    );
    assert_eq!(client.reply().status, 413);
    client.assert_closed();
}
