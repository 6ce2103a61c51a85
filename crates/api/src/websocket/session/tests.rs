use super::{Close, Event, Kind, Message, Session};
use crate::http1::head::HeadParser;
use crate::limits::Limits;
use crate::websocket::Options;
use crate::websocket::handshake::Handshake;
use crate::websocket::mask;
use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

const OPTIONS: fn() -> Options = || Options {
    max_message: 70_000,
    max_fragments: 8,
    ..Options::default()
};

fn session(extensions: &str) -> Session {
    let text = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: {extensions}\r\n\r\n"
    );
    let mut buffer = BytesMut::from(text.as_str());
    let head = HeadParser::default()
        .parse(&mut buffer, &Limits::default())
        .unwrap()
        .unwrap();
    Session::new(&OPTIONS(), &Handshake::read(&head, true).unwrap())
}

/// A client's frame; `first` is its first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..126 => bytes.push(0x80 | u8::try_from(short).unwrap()),
        middle @ 126..65536 => {
            bytes.push(0x80 | 0x7e);
            bytes.extend(u16::try_from(middle).unwrap().to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 0x7f);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    bytes.extend(key);
    let mut masked = payload.to_vec();
    mask::apply(&mut masked, key);
    bytes.extend(masked);
    bytes
}

/// Everything that comes of `bytes`, arriving in pieces of `size`: events, and what was answered.
fn read(session: &mut Session, bytes: &[u8], size: usize) -> (Vec<Event>, Vec<u8>) {
    let (mut input, mut out, mut events) = (BytesMut::new(), Vec::new(), Vec::new());
    for piece in bytes.chunks(size) {
        input.extend_from_slice(piece);
        while let Some(event) = session.read(&mut input, &mut out) {
            events.push(event);
        }
    }
    (events, out)
}

fn text(text: &str) -> Event {
    Event::Message(Message {
        kind: Kind::Text,
        data: Bytes::copy_from_slice(text.as_bytes()),
    })
}

fn binary(data: &[u8]) -> Event {
    Event::Message(Message {
        kind: Kind::Binary,
        data: Bytes::copy_from_slice(data),
    })
}

#[test]
fn control_frames_stand_within_a_message() {
    let bytes = [
        frame(0x01, b"one, "),
        frame(0x89, b"?"),
        frame(0x00, b""),
        frame(0x8a, b"unasked"),
        frame(0x80, b"two"),
        frame(0x88, b"\x03\xe8bye"),
    ]
    .concat();
    for size in [1, 2, 5, 1000] {
        let (events, out) = read(&mut session(""), &bytes, size);
        assert_eq!(
            events,
            [text("one, two"), Event::Closed(Close::new(1000, "bye"))]
        );
        assert_eq!(out, b"\x8a\x01?\x88\x05\x03\xe8bye");
    }
}

#[test]
fn lengths_of_every_size_arrive_whole() {
    for length in [0, 1, 125, 126, 9000, 65_535, 65_536, 70_000] {
        let data = vec![7; length];
        for size in [1000, 100_000] {
            let (events, out) = read(&mut session(""), &frame(0x82, &data), size);
            assert!(events == [binary(&data)] && out.is_empty(), "{length}");
        }
        let mut out = Vec::new();
        assert!(session("").write(Kind::Binary, &data, &mut out));
        let head: &[u8] = match length {
            0..126 => &[u8::try_from(length).unwrap()],
            126..65_536 => &[&[126][..], &u16::try_from(length).unwrap().to_be_bytes()].concat(),
            _ => &[&[127][..], &(length as u64).to_be_bytes()].concat(),
        };
        assert_eq!(out, [b"\x82", head].concat());
    }
}

#[test]
fn what_may_not_be_is_told_with_its_code() {
    let many = [vec![frame(0x02, b"a")], vec![frame(0x00, b"a"); 8]]
        .concat()
        .concat();
    let cases: &[(&str, u16, &[u8])] = &[
        ("RSV1 without compression", 1002, &frame(0xc1, b"")),
        ("RSV2", 1002, &frame(0xa1, b"")),
        ("RSV3", 1002, &frame(0x91, b"")),
        ("opcode 3", 1002, &[0x83]),
        ("opcode 11", 1002, &[0x8b]),
        ("fragmented ping", 1002, &[0x09]),
        ("no mask", 1002, &[0x81, 0x01]),
        ("long ping", 1002, &frame(0x89, &[0; 126])),
        (
            "roundabout length",
            1002,
            &[0x81, 0xfe, 0x00, 0x7d, 0, 0, 0, 0],
        ),
        (
            "roundabout length of eight",
            1002,
            &[0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0],
        ),
        (
            "highest bit of a length",
            1002,
            &[0x81, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
        ),
        ("nothing to continue", 1002, &frame(0x80, b"a")),
        (
            "message within a message",
            1002,
            &[frame(0x01, b"a"), frame(0x81, b"b")].concat(),
        ),
        ("text that is none", 1007, &frame(0x81, b"\xff")),
        ("half a character at the end", 1007, &frame(0x81, b"\xc3")),
        ("too long", 1009, &frame(0x82, &vec![0; 70_001])),
        (
            "too long in pieces",
            1009,
            &[frame(0x02, &vec![0; 70_000]), frame(0x80, b"a")].concat(),
        ),
        ("too many pieces", 1008, &many),
        ("half a close code", 1002, &frame(0x88, b"\x03")),
        ("forbidden close code", 1002, &frame(0x88, b"\x03\xee")),
        ("unregistered close code", 1002, &frame(0x88, b"\x0b\xb7")),
        (
            "close with a bad reason",
            1007,
            &frame(0x88, b"\x03\xe8\xff"),
        ),
    ];
    for (name, code, bytes) in cases {
        for size in [1, 1 << 20] {
            let mut session = session("");
            let (events, out) = read(&mut session, bytes, size);
            let Some(Event::Closed(close)) = events.last() else {
                panic!("{name}: {events:?}")
            };
            assert_eq!(close.code, *code, "{name}");
            assert_eq!(
                (out[0], out[2..4].to_vec()),
                (0x88, code.to_be_bytes().to_vec()),
                "{name}"
            );
            assert!(session.is_ended());
        }
    }
}

#[test]
fn text_is_refused_before_its_frame_is_complete() {
    let mut begun = frame(
        0x81,
        &[b"good".repeat(10), b"\xf4\x90".to_vec(), vec![b'a'; 1000]].concat(),
    );
    begun.truncate(80);
    let (events, _) = read(&mut session(""), &begun, 1);
    assert!(
        matches!(&events[..], [Event::Closed(close)] if close.code == 1007),
        "{events:?}"
    );
}

#[test]
fn after_our_close_only_the_clients_close_counts() {
    let mut session = session("");
    let mut out = Vec::new();
    session.close(4000, &"é".repeat(100), &mut out);
    assert_eq!(
        (out[1], out.len()),
        (2 + 122, 4 + 122),
        "cut at a character"
    );
    session.close(1000, "again", &mut out);
    session.ping(&mut out);
    assert_eq!(out.len(), 4 + 122);
    let bytes = [frame(0x81, b"late"), frame(0x89, b"?"), frame(0x88, b"")].concat();
    let (events, answered) = read(&mut session, &bytes, 3);
    assert_eq!(events, [Event::Closed(Close::new(1005, ""))]);
    assert!(answered.is_empty());
}

#[test]
fn a_compressed_message_may_come_in_fragments() {
    let mut session = session("permessage-deflate");
    // RFC 7692, 7.2.3.1
    let bytes = [
        frame(0x41, b"\xf2\x48\xcd"),
        frame(0x89, b""),
        frame(0x80, b"\xc9\xc9\x07\x00"),
        frame(0xc1, b"\xf2\x00\x11\x00\x00"),
        frame(0x81, b"plain"),
    ]
    .concat();
    for size in [bytes.len(), 1] {
        let (events, out) = read(&mut session, &bytes, size);
        assert_eq!(events, [text("Hello"), text("Hello"), text("plain")]);
        assert_eq!(out, b"\x8a\x00");
    }
    let (events, _) = read(
        &mut session,
        &[frame(0x01, b"a"), frame(0xc0, b"b")].concat(),
        9,
    );
    assert!(matches!(&events[..], [Event::Closed(close)] if close.code == 1002));
}

fn messages() -> impl Strategy<Value = Vec<(bool, Vec<u8>)>> {
    let message = prop_oneof![
        any::<String>().prop_map(|text| (true, text.into_bytes())),
        prop::collection::vec(any::<u8>(), 0..3000).prop_map(|data| (false, data)),
    ];
    prop::collection::vec(message, 0..5)
}

proptest! {
    #[test]
    fn messages_arrive_however_they_are_cut(
        messages in messages(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..7),
        size in 1usize..5000,
    ) {
        let (mut bytes, mut expected) = (Vec::new(), Vec::new());
        for (is_text, data) in &messages {
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(data.len() + 1)).collect();
            at.sort_unstable();
            let (mut from, mut first) = (0, if *is_text { 0x01 } else { 0x02 });
            for to in at {
                bytes.extend(frame(first, &data[from..to]));
                bytes.extend(frame(0x8a, b""));
                (from, first) = (to, 0x00);
            }
            bytes.extend(frame(0x80 | first, &data[from..]));
            expected.push(Event::Message(Message {
                kind: if *is_text { Kind::Text } else { Kind::Binary },
                data: Bytes::copy_from_slice(data),
            }));
        }
        let (events, out) = read(&mut session(""), &bytes, size);
        prop_assert_eq!(events, expected);
        prop_assert!(out.is_empty());
    }

    #[test]
    fn any_bytes_end_in_messages_or_one_close(bytes: Vec<u8>, size in 1usize..64) {
        for extensions in ["", "permessage-deflate"] {
            let (events, _) = read(&mut session(extensions), &bytes, size);
            let closes = events.iter().filter(|event| matches!(event, Event::Closed(_))).count();
            prop_assert!(closes <= 1);
        }
    }
}
