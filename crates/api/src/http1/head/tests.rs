//! What comes out of a head, and which are refused with what. (The wire cases hold the rest.)

use super::{Head, HeadParser, Version};
use crate::error::Refusal;
use crate::http1::Framing;
use crate::limits::Limits;
use bytes::BytesMut;

fn parse_with(text: &str, limits: &Limits) -> Result<Option<Head>, Refusal> {
    HeadParser::default().parse(&mut BytesMut::from(text), limits)
}

fn parse(text: &str) -> Head {
    parse_with(text, &Limits::default()).unwrap().unwrap()
}

/// The status that these lines are refused with, `None` where they are not.
fn refused(lines: &[&str]) -> Option<u16> {
    let text = lines.join("\r\n") + "\r\n\r\n";
    parse_with(&text, &Limits::default())
        .err()
        .map(|refusal| refusal.status)
}

#[test]
fn a_head_shows_its_parts() {
    let head = parse(
        "POST /a%20b/%C3%A9?q=%20 HTTP/1.1\r\nHost: a:80\r\nX-A:  b c\t\r\nx-a: d\r\nContent-Length: 3\r\n\r\n",
    );
    assert_eq!(head.method(), "POST");
    assert_eq!(head.target(), b"/a%20b/%C3%A9?q=%20");
    assert_eq!(head.raw_path(), b"/a%20b/%C3%A9");
    assert_eq!(head.path_text(), "/a b/é");
    assert_eq!(head.query(), b"q=%20");
    assert_eq!(head.version(), Version::Http11);
    assert_eq!(head.host(), Some(&b"a:80"[..]));
    assert_eq!(head.framing(), Framing::Length(3));
    assert_eq!(head.get(b"X-a"), Some(&b"b c"[..]));
    assert_eq!(
        head.fields().get_all(b"x-A").collect::<Vec<_>>(),
        [b"b c" as &[u8], b"d"]
    );
    assert_eq!(head.get(b"x-b"), None);
    let names: Vec<_> = head.headers().map(|(name, _)| name).collect();
    assert_eq!(names, [b"Host" as &[u8], b"X-A", b"x-a", b"Content-Length"]);
}

#[test]
fn what_follows_a_head_stays_in_the_buffer() {
    let mut buffer = BytesMut::from(
        "\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nrest",
    );
    let mut heads = HeadParser::default();
    for target in [b"/1", b"/2"] {
        let head = heads
            .parse(&mut buffer, &Limits::default())
            .unwrap()
            .unwrap();
        assert_eq!(head.target(), target);
        assert!(!heads.is_partial());
    }
    assert_eq!(&buffer[..], b"rest");
    assert!(
        heads
            .parse(&mut buffer, &Limits::default())
            .unwrap()
            .is_none()
    );
    assert!(heads.is_partial());
}

#[test]
fn an_absolute_target_names_the_host() {
    let head = parse("GET http://b:8?q HTTP/1.1\r\nX: y\r\nHOST: a\r\n\r\n");
    assert_eq!(head.host(), Some(&b"b:8"[..]));
    assert_eq!(head.get(b"host"), Some(&b"b:8"[..]));
    assert_eq!(head.get(b"x"), Some(&b"y"[..]));
    assert_eq!((head.raw_path(), head.query()), (&b"/"[..], &b"q"[..]));
    assert_eq!(head.target(), b"http://b:8?q");
    let old = parse("GET http://b/c HTTP/1.0\r\n\r\n");
    assert_eq!((old.host(), old.get(b"host")), (Some(&b"b"[..]), None));
    assert_eq!(refused(&["GET http://b/ HTTP/1.1"]), Some(400));
}

#[test]
fn the_version_and_connection_decide_who_closes() {
    let keep_alive = |version: &str, connection: &str| {
        parse(&format!(
            "GET / HTTP/{version}\r\nHost: a\r\nConnection: {connection}\r\n\r\n"
        ))
        .keep_alive()
    };
    assert!(keep_alive("1.1", "x"));
    assert!(!keep_alive("1.1", "x, Close"));
    assert!(!keep_alive("1.1", "keep-alive, close"));
    assert!(!keep_alive("1.0", "x"));
    assert!(keep_alive("1.0", "Keep-Alive"));
}

#[test]
fn continue_is_expected_only_with_a_body_to_come() {
    let expects = |version: &str, fields: &str| {
        parse(&format!("POST / HTTP/{version}\r\nHost: a\r\n{fields}\r\n")).expects_continue()
    };
    assert!(expects(
        "1.1",
        "Expect: 100-Continue\r\nContent-Length: 1\r\n"
    ));
    assert!(expects(
        "1.1",
        "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n"
    ));
    assert!(!expects(
        "1.1",
        "Expect: 100-continue\r\nContent-Length: 0\r\n"
    ));
    assert!(!expects("1.1", "Expect: 100-continue\r\n"));
    assert!(!expects("1.1", "Expect: other\r\nContent-Length: 1\r\n"));
    assert!(!expects(
        "1.0",
        "Expect: 100-continue\r\nContent-Length: 1\r\n"
    ));
}

#[test]
fn an_upgrade_needs_the_connection_option() {
    let upgrade = |version: &str, connection: &str| {
        let head = parse(&format!(
            "GET / HTTP/{version}\r\nHost: a\r\nUpgrade: websocket\r\nConnection: {connection}\r\n\r\n"
        ));
        head.upgrade().map(<[u8]>::to_vec)
    };
    assert_eq!(
        upgrade("1.1", "keep-alive, Upgrade"),
        Some(b"websocket".to_vec())
    );
    assert_eq!(upgrade("1.1", "keep-alive"), None);
    assert_eq!(upgrade("1.0", "upgrade"), None);
}

#[test]
fn statuses_say_what_was_wrong() {
    let line = "GET / HTTP/1.1";
    assert_eq!(refused(&[line, "Host: a"]), None);
    assert_eq!(refused(&["GET / HTTP/2.0", "Host: a"]), Some(505));
    assert_eq!(refused(&["GET / HTTP/1.2", "Host: a"]), Some(505));
    assert_eq!(refused(&["PRI * HTTP/2.0"]), Some(505));
    assert_eq!(refused(&["CONNECT a:80 HTTP/1.1", "Host: a:80"]), Some(501));
    assert_eq!(
        refused(&[&format!("{} / HTTP/1.1", "X".repeat(33)), "Host: a"]),
        Some(501)
    );
    assert_eq!(
        refused(&[line, "Host: a", "Transfer-Encoding: gzip, chunked"]),
        Some(501)
    );
    assert_eq!(
        refused(&[line, "Host: a", "Content-Length: 99999999999999999999"]),
        Some(413)
    );
    for lines in [
        &["GET / HTTP/3", "Host: a"][..],
        &["GET /"],
        &["GET  / HTTP/1.1", "Host: a"],
        &["GET / HTTP/1.1 ", "Host: a"],
        &["GET /#a HTTP/1.1", "Host: a"],
        &["GET a HTTP/1.1", "Host: a"],
        &[line],
        &[line, "Host: a", "Host: b"],
        &[line, "Host: a b"],
        &["GET / HTTP/1.0", "Host: a", "Host: a"],
        &[line, "Host: a", " folded"],
        &[line, " Host: a"],
        &[line, "Host: a", "X : b"],
        &[line, "Host: a", "X"],
        &[line, "Host: a", "X: \u{1}"],
    ] {
        assert_eq!(refused(lines), Some(400), "{lines:?}");
    }
}

#[test]
fn what_cannot_be_a_request_is_refused_at_its_first_byte() {
    for start in ["\u{16}", " ", "\n", "(", "\r\n\r", "\rX"] {
        assert!(parse_with(start, &Limits::default()).is_err(), "{start:?}");
    }
    for start in ["", "\r", "\r\n", "G", "get", "\r\nG"] {
        assert!(
            matches!(parse_with(start, &Limits::default()), Ok(None)),
            "{start:?}"
        );
    }
}

#[test]
fn bounds_hold_to_the_byte() {
    let limits = Limits::default();
    let status = |text: String| {
        parse_with(&text, &limits)
            .map(|head| head.is_some())
            .map_err(|refusal| refusal.status)
    };
    let target =
        |length: usize, rest: &str| status(format!("GET /{}{rest}", "a".repeat(length - 1)));
    let end = " HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(target(16_384, end), Ok(true));
    assert_eq!(target(16_385, end), Err(414));
    assert_eq!(target(16_500, ""), Err(414));

    let field = |length: usize, rest: &str| {
        status(format!(
            "GET / HTTP/1.1\r\nHost: a\r\nX-A: {}{rest}",
            "a".repeat(length - 5)
        ))
    };
    assert_eq!(field(16_384, "\r\n\r\n"), Ok(true));
    assert_eq!(field(16_384, "\r"), Ok(false));
    assert_eq!(field(16_385, "\r\n\r\n"), Err(431));
    assert_eq!(field(16_386, ""), Err(431));

    let fields = |count: usize, rest: &str| {
        status(format!(
            "GET / HTTP/1.1\r\nHost: a\r\n{}{rest}",
            "X: y\r\n".repeat(count - 1)
        ))
    };
    assert_eq!(fields(100, "\r\n"), Ok(true));
    assert_eq!(fields(101, "\r\n"), Err(431));
    assert_eq!(fields(100, "X:"), Err(431));

    // 72 fields of 910 bytes are 65,520 bytes, 16 short of the bound; `Host: a` and its line end take 9 of them.
    let large = format!("X: {}\r\n", "y".repeat(905)).repeat(72);
    let header = |rest: &str| status(format!("GET / HTTP/1.1\r\nHost: a\r\n{large}{rest}"));
    assert_eq!(header("X: 4567\r\n\r\n"), Ok(true));
    assert_eq!(header("X: 45678\r\n\r\n"), Err(431));
}

#[test]
fn other_bounds_can_be_set() {
    let limits = Limits {
        fields: 300,
        header: u32::MAX,
        field: u16::MAX,
        target: u16::MAX,
        ..Limits::default()
    };
    let many = format!(
        "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
        "X: y\r\n".repeat(299)
    );
    assert_eq!(
        parse_with(&many, &limits).unwrap().unwrap().fields().len(),
        300
    );
    let long = format!(
        "GET /{} HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
        "a".repeat(65_534),
        "b".repeat(65_532)
    );
    let head = parse_with(&long, &limits).unwrap().unwrap();
    assert_eq!(
        (head.target().len(), head.get(b"x").map(<[u8]>::len)),
        (65_535, Some(65_532))
    );
}
