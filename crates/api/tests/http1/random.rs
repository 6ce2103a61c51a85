//! Requests nobody has thought of: nearly right ones, and plain noise, cut anywhere.

use crate::peer::{End, Peer, converse};
use api::limits::Limits;
use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::fmt;

/// `PROPTEST_CASES=1000000` searches longer.
pub fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases.unwrap_or(3000))
    }
}

fn target() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => select(vec!["/", "/a/b?c=d", "//a", "*", "http://b/c?d", "HTTPS://b:8?e", "http://b", "b:80", "/%41%", "/a?<>"])
            .prop_map(str::to_owned),
        2 => "/[!-~é]{0,12}",
        1 => "[!-~]{1,12}",
    ]
}

fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => select(vec![
            "Host: b", "Connection: close", "Connection: keep-alive", "connection: a, Upgrade", "Upgrade: x",
            "Expect: 100-continue", "Content-Length: 3", "Transfer-Encoding: chunked", "TE: trailers", "Accept-Encoding: gzip", "Accept: */*", "X-A: \t b  c\t ", "X-A:", "X_B: é", "Cookie: a=b; c=d",
        ]).prop_map(str::to_owned),
        1 => "[!-~]{1,6}:[ -~é\t]{0,12}",
    ]
}

fn chunked_body() -> impl Strategy<Value = String> {
    let extension = select(vec![
        "",
        "",
        "",
        ";a",
        ";a=b",
        " ; a = \"b;c\"",
        ";",
        ";a=\"\\\"\"",
    ]);
    let trailer = select(vec![
        "",
        "",
        "X-T: 1\r\n",
        "X-T: 1\r\nHost: c\r\n",
        "Content-Length: 3\r\n",
        "a\r\n",
    ]);
    (
        vec(("[a-z\r\n]{1,20}", extension, any::<bool>()), 0..4),
        trailer,
    )
        .prop_map(|(chunks, trailer)| {
            let mut body = String::new();
            for (data, extension, zeros) in chunks {
                let zeros = if zeros { "00" } else { "" };
                let size = format!("{zeros}{:X}", data.len());
                body.extend([&size, extension, "\r\n", &data, "\r\n"]);
            }
            body + "0\r\n" + trailer + "\r\n"
        })
}

/// The field that announces a body, and the body.
fn body() -> impl Strategy<Value = (String, String)> {
    prop_oneof![
        2 => Just((String::new(), String::new())),
        2 => "[ -~\r\n]{0,30}".prop_map(|body| (format!("Content-Length: {}\r\n", body.len()), body)),
        3 => chunked_body().prop_map(|body| ("Transfer-Encoding: chunked\r\n".to_owned(), body)),
    ]
}

fn request() -> impl Strategy<Value = String> {
    let method = select(vec![
        "GET", "GET", "POST", "POST", "HEAD", "OPTIONS", "get", "X-Y", "CONNECT",
    ]);
    let version = select(vec![
        "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0",
    ]);
    let host = select(vec![
        "Host: a\r\n",
        "Host: a\r\n",
        "Host: a\r\n",
        "Host: a\r\n",
        "",
    ]);
    (method, target(), version, host, vec(field(), 0..4), body()).prop_map(
        |(method, target, version, host, fields, (announced, body))| {
            let fields: String = fields.iter().flat_map(|field| [field, "\r\n"]).collect();
            format!("{method} {target} {version}\r\n{host}{fields}{announced}\r\n{body}")
        },
    )
}

#[derive(Debug, Clone)]
enum Edit {
    Replace(Index, u8),
    Insert(Index, u8),
    Delete(Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let byte =
        || prop_oneof![4 => select(b"\r\n\t\0\x0b :;,\"5g/\x80\xff".to_vec()), 1 => any::<u8>()];
    prop_oneof![
        (any::<Index>(), byte()).prop_map(|(at, byte)| Edit::Replace(at, byte)),
        (any::<Index>(), byte()).prop_map(|(at, byte)| Edit::Insert(at, byte)),
        any::<Index>().prop_map(Edit::Delete),
    ]
}

/// Bytes that a failure prints readably.
#[derive(Clone)]
pub struct Bytes(pub Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// What may stand on a wire: a few requests, a few bytes of them wrong.
pub fn wire() -> impl Strategy<Value = Bytes> {
    let edits = prop_oneof![3 => Just(Vec::new()), 2 => vec(edit(), 1..4)];
    (vec(request(), 1..4), edits).prop_map(|(requests, edits)| {
        let mut bytes = requests.concat().into_bytes();
        for edit in edits {
            let length = bytes.len();
            match edit {
                Edit::Replace(at, byte) => bytes[at.index(length)] = byte,
                Edit::Insert(at, byte) => bytes.insert(at.index(length), byte),
                Edit::Delete(at) => drop(bytes.remove(at.index(length))),
            }
        }
        Bytes(bytes)
    })
}

/// Bounds so narrow that generated requests run into all of them.
fn narrow() -> Limits {
    Limits {
        target: 6,
        field: 20,
        fields: 4,
        header: 60,
        trailer: 10,
        chunk_extensions: 8,
    }
}

/// `bytes` cut at these places.
fn cut<'a>(bytes: &'a [u8], places: &[Index]) -> Vec<&'a [u8]> {
    let mut ends: Vec<_> = places
        .iter()
        .map(|place| place.index(bytes.len() + 1))
        .collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    let mut start = 0;
    ends.into_iter()
        .map(|end| &bytes[std::mem::replace(&mut start, end)..end])
        .collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn it_does_not_matter_how_bytes_are_cut(Bytes(bytes) in wire(), places in vec(any::<Index>(), 1..12)) {
        prop_assert_eq!(converse(cut(&bytes, &places)), converse([&bytes[..]]));
        prop_assert_eq!(converse(bytes.chunks(1)), converse([&bytes[..]]));
    }

    #[test]
    fn nor_does_it_where_bounds_are_exceeded(Bytes(bytes) in wire(), places in vec(any::<Index>(), 1..12)) {
        let run = |pieces: Vec<&[u8]>| {
            let mut peer = Peer::new(narrow());
            for piece in pieces {
                peer.feed(piece);
            }
            peer.finish()
        };
        prop_assert_eq!(run(cut(&bytes, &places)), run(vec![&bytes]));
        prop_assert_eq!(run(bytes.chunks(1).collect()), run(vec![&bytes]));
    }

    #[test]
    fn noise_is_waited_for_or_refused(bytes in vec(any::<u8>(), 0..400)) {
        let transcript = converse([&bytes[..]]);
        prop_assert!(transcript.requests.is_empty());
        prop_assert!(matches!(transcript.end, End::Waiting | End::Refused(400..=499 | 501 | 505)));
    }

    #[test]
    fn noise_in_a_chunked_body_does_no_harm(noise in vec(select(b"0123456789aF\r\n;=\" \t:x\0".to_vec()), 0..80)) {
        let mut bytes = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        bytes.extend_from_slice(&noise);
        prop_assert_eq!(converse(bytes.chunks(1)), converse([&bytes[..]]));
    }
}

#[test]
fn a_buffer_that_shrinks_between_calls_does_no_harm() {
    let mut heads = api::http1::head::HeadParser::default();
    let limits = Limits::default();
    let mut buffer = BytesMut::from(&b"GET / HTTP/1.1\r\nHost: a\r\nX"[..]);
    assert!(heads.parse(&mut buffer, &limits).unwrap().is_none());
    let mut other = BytesMut::from(&b"GET"[..]);
    assert!(!matches!(heads.parse(&mut other, &limits), Ok(Some(_))));
}
