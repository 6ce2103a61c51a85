//! What is compressed and what is not, and that it can be read again at every flush.

use super::encoder::CODINGS;
use super::{Coding, Compression, Encoder, Field, MOST_STREAMS, Verdict, amend};
use crate::http1::head::{Head, HeadParser};
use crate::limits::Limits;
use bytes::BytesMut;
use zlib_rs::{Inflate, InflateFlush};

fn head(method: &str, fields: &str) -> Head {
    let text = format!("{method} / HTTP/1.1\r\nhost: a\r\n{fields}\r\n");
    let mut buffer = BytesMut::from(text.as_str());
    let parsed = HeadParser::default().parse(&mut buffer, &Limits::default());
    parsed.unwrap().unwrap()
}

fn fields(pairs: &[(&str, &str)]) -> Vec<Field> {
    let pair = |(name, value): &(&str, &str)| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
    pairs.iter().map(pair).collect()
}

const JSON: (&str, &str) = ("content-type", "application/json");
const BOTH: &str = "accept-encoding: gzip, br\r\n";

#[test]
fn what_the_client_likes_best_is_taken() {
    let cases = [
        ("", Verdict::Vary),
        ("accept-encoding: gzip\r\n", Verdict::Encode(Coding::Gzip)),
        (BOTH, Verdict::Encode(Coding::Brotli)),
        ("accept-encoding: *\r\n", Verdict::Encode(Coding::Zstd)),
        (
            "accept-encoding: br;q=0.5\r\naccept-encoding: gzip;q=0.6\r\n",
            Verdict::Encode(Coding::Gzip),
        ),
        (
            "accept-encoding: *;q=0.1, zstd;q=0, br;q=0\r\n",
            Verdict::Encode(Coding::Gzip),
        ),
        ("accept-encoding: identity, gzip;q=0\r\n", Verdict::Vary),
    ];
    for (said, expected) in cases {
        let found = Compression::new(500).judge(&head("GET", said), 200, &fields(&[JSON]), None);
        assert_eq!(found, expected, "{said}");
    }
}

#[test]
fn what_would_not_shrink_or_must_not_change_is_left() {
    let judge = |method, status, more: &[(&str, &str)], length| {
        let given = fields(&[&[JSON], more].concat());
        Compression::new(500).judge(&head(method, BOTH), status, &given, length)
    };
    assert_eq!(
        judge("GET", 200, &[], Some(500)),
        Verdict::Encode(Coding::Brotli)
    );
    assert_eq!(
        judge("GET", 404, &[], None),
        Verdict::Encode(Coding::Brotli)
    );
    assert_eq!(judge("HEAD", 200, &[], Some(500)), Verdict::Vary);
    assert_eq!(judge("GET", 200, &[], Some(499)), Verdict::Leave);
    for status in [101, 204, 206, 304] {
        assert_eq!(judge("GET", status, &[], None), Verdict::Leave, "{status}");
    }
    for field in [
        ("content-encoding", "identity"),
        ("content-range", "bytes 0-1/2"),
        ("cache-control", "public, No-Transform"),
    ] {
        assert_eq!(
            judge("GET", 200, &[field], None),
            Verdict::Leave,
            "{field:?}"
        );
    }
    let asked = head("GET", &format!("{BOTH}cache-control: no-transform\r\n"));
    let found = Compression::new(0).judge(&asked, 200, &fields(&[JSON]), None);
    assert_eq!(found, Verdict::Leave);
}

#[test]
fn kinds_that_shrink() {
    let judge = |kind: &str| {
        let given = fields(&[("Content-Type", kind)]);
        Compression::new(0).judge(&head("GET", BOTH), 200, &given, None) != Verdict::Leave
    };
    for kind in [
        "text/html; charset=utf-8",
        "TEXT/EVENT-STREAM",
        "image/svg+xml",
        "application/problem+json",
        "application/wasm",
    ] {
        assert!(judge(kind), "{kind}");
    }
    for kind in [
        "",
        "image/png",
        "application/zip",
        "application/octet-stream",
        "video/mp4",
        "font/woff2",
    ] {
        assert!(!judge(kind), "{kind}");
    }
}

#[test]
fn fields_say_what_became_of_the_body() {
    let mut encoded = fields(&[
        ("Content-Length", "9"),
        ("ETag", "\"a\""),
        ("Vary", "Cookie"),
    ]);
    amend(&mut encoded, Some(Coding::Gzip));
    let expected = [
        ("ETag", "W/\"a\""),
        ("Vary", "Cookie"),
        ("content-encoding", "gzip"),
        ("vary", "accept-encoding"),
    ];
    assert_eq!(encoded, fields(&expected));
    let mut plain = fields(&[("vary", "cookie, Accept-Encoding"), ("etag", "\"a\"")]);
    let before = plain.clone();
    amend(&mut plain, None);
    assert_eq!(plain, before);
}

/// As much as can be read of it.
fn decoded(coding: Coding, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 4_000_000];
    let read = match coding {
        Coding::Gzip => {
            let mut inflate = Inflate::new(true, 15 + 16);
            let _ = inflate.decompress(bytes, &mut out, InflateFlush::SyncFlush);
            usize::try_from(inflate.total_out()).unwrap()
        }
        Coding::Brotli => count(&mut brotli::Decompressor::new(bytes, 4096), &mut out),
        Coding::Zstd => count(
            &mut zstd::stream::read::Decoder::new(bytes).unwrap(),
            &mut out,
        ),
    };
    out.truncate(read);
    out
}

fn count(reader: &mut dyn std::io::Read, out: &mut [u8]) -> usize {
    let mut read = 0;
    while let Ok(more @ 1..) = reader.read(&mut out[read..]) {
        read += more;
    }
    read
}

#[test]
fn every_part_can_be_read_when_it_was_sent() {
    // Neither constant nor noise.
    let noisy: Vec<u8> = (0..1_000_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let plain = vec![b'x'; 100_000];
    let parts: [&[u8]; 6] = [b"data: 1\n\n", b"", b"data: 2\n\n", &noisy, &plain, b"end"];
    for (name, coding) in CODINGS {
        let mut encoder = Encoder::new(coding).unwrap();
        let (mut sent, mut wire) = (Vec::new(), Vec::new());
        for part in parts {
            sent.extend_from_slice(part);
            wire.extend(encoder.part(part).unwrap());
            assert!(
                decoded(coding, &wire) == sent,
                "{name} after {} bytes",
                sent.len()
            );
        }
        wire.extend(encoder.end(b"the rest").unwrap());
        sent.extend_from_slice(b"the rest");
        assert!(decoded(coding, &wire) == sent, "{name} at the end");
        let whole = Encoder::new(coding).unwrap().end(&noisy).unwrap();
        assert!(decoded(coding, &whole) == noisy, "{name} at once");
    }
}

#[test]
fn streams_have_a_bound_and_keep_to_what_was_announced() {
    let compression = Compression::new(0);
    let mut streams: Vec<_> = (0..MOST_STREAMS)
        .map(|_| compression.begin(Coding::Gzip, Some(3)).unwrap())
        .collect();
    assert!(compression.begin(Coding::Gzip, None).is_none());
    let mut stream = streams.pop().unwrap();
    let (wire, excess) = stream.part(b"abcde").unwrap();
    assert_eq!((decoded(Coding::Gzip, &wire), excess), (b"abc".to_vec(), 2));
    assert_eq!(stream.end().unwrap().1, 0);
    assert_eq!(streams.pop().unwrap().end().unwrap().1, 3);
    assert!(compression.begin(Coding::Gzip, None).is_some());
}
