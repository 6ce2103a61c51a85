//! What heads of responses look like on the wire, and what never gets there.

use super::{Reply, Stamp, head, refusal};
use crate::error::{Refusal, ResponseError};
use crate::http1::head::Version;
use std::time::{Duration, SystemTime};

const GET: Reply = Reply {
    version: Version::Http11,
    head_only: false,
    keep_alive: true,
};

const HEAD: Reply = Reply {
    head_only: true,
    ..GET
};

const OLD: Reply = Reply {
    version: Version::Http10,
    ..GET
};

type Headers<'a> = &'a [(&'a str, &'a str)];

/// The head as lines, whether the connection is kept, and how the body goes on.
fn encode(
    reply: Reply,
    status: u16,
    headers: Headers,
    length: Option<u64>,
) -> Result<(String, bool), ResponseError> {
    let mut out = b"before".to_vec();
    let stamp = Stamp::new(None, false)?;
    let result = head(
        &mut out,
        &stamp,
        reply,
        status,
        headers.iter().copied(),
        length,
    );
    let text = String::from_utf8(out).unwrap();
    let text = text.strip_prefix("before").unwrap();
    if result.is_err() {
        assert_eq!(text, "", "an error leaves no trace");
    }
    result.map(|started| (text.replace("\r\n", "|"), started.keep_alive))
}

fn line(reply: Reply, status: u16, headers: Headers, length: Option<u64>) -> String {
    encode(reply, status, headers, length).unwrap().0
}

#[test]
fn a_whole_response_says_its_length() {
    let headers = [("Content-Type", "text/plain"), ("x-a", "caf\u{e9}\tb")];
    let (text, keep_alive) = encode(GET, 200, &headers, Some(5)).unwrap();
    assert_eq!(
        text,
        "HTTP/1.1 200 OK|Content-Type: text/plain|x-a: caf\u{e9}\tb|content-length: 5||"
    );
    assert!(keep_alive);
    assert_eq!(
        line(GET, 799, &[], Some(0)),
        "HTTP/1.1 799 |content-length: 0||"
    );
}

#[test]
fn a_stream_is_chunked_or_ends_with_the_connection() {
    assert_eq!(
        line(GET, 200, &[], None),
        "HTTP/1.1 200 OK|transfer-encoding: chunked||"
    );
    let (text, keep_alive) = encode(OLD, 200, &[], None).unwrap();
    assert_eq!(text, "HTTP/1.1 200 OK|connection: close||");
    assert!(!keep_alive);
}

#[test]
fn the_applications_length_holds_and_stands_there_once() {
    let twice = [("content-length", "5"), ("Content-Length", " 05 ")];
    assert_eq!(
        line(GET, 200, &twice, None),
        "HTTP/1.1 200 OK|content-length: 5||"
    );
    assert_eq!(
        line(GET, 200, &twice[..1], Some(5)),
        "HTTP/1.1 200 OK|content-length: 5||"
    );
    let different = [("content-length", "5"), ("content-length", "6")];
    assert_eq!(
        encode(GET, 200, &different, None),
        Err(ResponseError::ContentLength)
    );
    for value in ["", "+5", "5, 5", "0x5", "-1", "99999999999999999999"] {
        let result = encode(GET, 200, &[("content-length", value)], None);
        assert_eq!(result, Err(ResponseError::ContentLength), "{value}");
    }
    let short = encode(GET, 200, &[("content-length", "5")], Some(3));
    assert_eq!(short, Err(ResponseError::TooShort { missing: 2 }));
    assert_eq!(
        encode(GET, 200, &[("content-length", "5")], Some(8)),
        Err(ResponseError::TooLong)
    );
}

#[test]
fn the_transfer_coding_is_ours() {
    let both = [("content-length", "3"), ("transfer-encoding", "chunked")];
    assert_eq!(
        line(GET, 200, &both, None),
        "HTTP/1.1 200 OK|content-length: 3||"
    );
    assert_eq!(
        line(GET, 200, &both[1..], None),
        "HTTP/1.1 200 OK|transfer-encoding: chunked||"
    );
    assert_eq!(
        line(OLD, 200, &both[1..], Some(2)),
        "HTTP/1.1 200 OK|content-length: 2|connection: keep-alive||"
    );
    let other = encode(GET, 200, &[("transfer-encoding", "gzip, chunked")], None);
    assert_eq!(other, Err(ResponseError::TransferEncoding));
}

#[test]
fn some_responses_have_no_body() {
    assert_eq!(
        line(GET, 204, &[("content-length", "3")], Some(3)),
        "HTTP/1.1 204 No Content||"
    );
    assert_eq!(
        line(GET, 304, &[("etag", "x")], Some(3)),
        "HTTP/1.1 304 Not Modified|etag: x||"
    );
    assert_eq!(
        line(GET, 304, &[("content-length", "3")], None),
        "HTTP/1.1 304 Not Modified|content-length: 3||"
    );
    assert_eq!(
        line(HEAD, 200, &[("content-length", "3")], Some(0)),
        "HTTP/1.1 200 OK|content-length: 3||"
    );
    assert_eq!(
        line(HEAD, 200, &[], Some(7)),
        "HTTP/1.1 200 OK|content-length: 7||"
    );
    assert_eq!(line(HEAD, 200, &[], Some(0)), "HTTP/1.1 200 OK||");
    assert_eq!(line(HEAD, 200, &[], None), "HTTP/1.1 200 OK||");
    for (reply, status) in [(GET, 204), (GET, 304), (HEAD, 200), (GET, 101)] {
        let stamp = Stamp::new(None, false).unwrap();
        let none: [(&str, &str); 0] = [];
        let started = head(&mut Vec::new(), &stamp, reply, status, none, None).unwrap();
        assert!(started.body.drops_body(), "{status}");
    }
}

#[test]
fn the_connection_is_kept_only_if_both_sides_wish() {
    let empty = Some(0);
    assert_eq!(
        line(OLD, 200, &[], empty),
        "HTTP/1.1 200 OK|content-length: 0|connection: keep-alive||"
    );
    let closing = Reply {
        keep_alive: false,
        ..GET
    };
    assert_eq!(
        line(closing, 200, &[], empty),
        "HTTP/1.1 200 OK|content-length: 0|connection: close||"
    );
    let asked = encode(GET, 200, &[("Connection", "Close")], empty).unwrap();
    assert_eq!(
        asked,
        (
            "HTTP/1.1 200 OK|content-length: 0|connection: close||".to_owned(),
            false
        )
    );
    let wished = encode(closing, 200, &[("connection", "keep-alive")], empty).unwrap();
    assert_eq!(
        wished,
        (
            "HTTP/1.1 200 OK|content-length: 0|connection: close||".to_owned(),
            false
        )
    );
}

#[test]
fn other_connection_options_are_the_applications() {
    let upgrade = [("connection", "keep-alive, Upgrade"), ("upgrade", "h2c")];
    assert_eq!(
        line(GET, 426, &upgrade, Some(0)),
        "HTTP/1.1 426 Upgrade Required|connection: Upgrade|upgrade: h2c|content-length: 0||"
    );
    let switched = encode(
        GET,
        101,
        &[("connection", "upgrade"), ("upgrade", "websocket")],
        None,
    )
    .unwrap();
    assert_eq!(
        switched,
        (
            "HTTP/1.1 101 Switching Protocols|connection: upgrade|upgrade: websocket||".to_owned(),
            false
        )
    );
}

#[test]
fn only_final_statuses_are_responses() {
    for status in [0, 99, 100, 102, 103, 199, 1000, u16::MAX] {
        assert_eq!(
            encode(GET, status, &[], Some(0)),
            Err(ResponseError::Status(status))
        );
    }
}

#[test]
fn names_and_values_cannot_split_a_response() {
    for name in [
        "",
        " ",
        "x test",
        "x-te:st",
        "x\r\nx-injected",
        "x\0",
        "caf\u{e9}",
        "x\t",
    ] {
        let result = encode(GET, 200, &[("x-before", "1"), (name, "1")], Some(0));
        assert_eq!(result, Err(ResponseError::Name(name.to_owned())));
    }
    for value in [
        "a\r\nx: 1",
        "a\nb",
        "a\rb",
        "a\0b",
        "\r\n\r\n<html>",
        "\u{7f}",
        "\u{1b}",
    ] {
        for name in ["x-a", "connection", "date", "server"] {
            let result = encode(GET, 200, &[(name, value)], Some(0));
            assert_eq!(
                result,
                Err(ResponseError::Value(name.to_owned())),
                "{value:?}"
            );
        }
    }
}

#[test]
fn date_and_server_are_there_once() {
    let stamp = Stamp::new(Some("data_bridge"), true).unwrap();
    stamp.refresh(SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777));
    let text = |headers: Headers| {
        let mut out = Vec::new();
        head(&mut out, &stamp, GET, 204, headers.iter().copied(), None).unwrap();
        String::from_utf8(out).unwrap().replace("\r\n", "|")
    };
    assert_eq!(
        text(&[]),
        "HTTP/1.1 204 No Content|date: Sun, 06 Nov 1994 08:49:37 GMT|server: data_bridge||"
    );
    let own = [
        ("Server", "a"),
        ("Date", "b"),
        ("server", "c"),
        ("date", "d"),
    ];
    assert_eq!(text(&own), "HTTP/1.1 204 No Content|Server: a|Date: b||");
    assert!(Stamp::new(Some("a\r\nb"), true).is_err());
}

#[test]
fn a_refusal_is_a_whole_response_and_the_last() {
    let mut out = Vec::new();
    let stamp = Stamp::new(None, false).unwrap();
    refusal(&mut out, &stamp, Refusal::new(431, "too large"));
    let text = String::from_utf8(out).unwrap().replace("\r\n", "|");
    assert_eq!(
        text,
        "HTTP/1.1 431 Request Header Fields Too Large|content-type: text/plain; charset=utf-8|content-length: 9|connection: close||too large"
    );
}
