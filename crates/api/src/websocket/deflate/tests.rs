use super::{Agreement, LEAST, Streams};
use proptest::prelude::*;

fn reach(offer: &str) -> Option<String> {
    Agreement::reach([offer.as_bytes()].into_iter()).map(Agreement::answer)
}

#[test]
fn offers_are_met_in_order_as_far_as_they_can_be() {
    let ours = "permessage-deflate; server_max_window_bits=12";
    for (offer, answer) in [
        ("permessage-deflate", Some(ours.to_owned())),
        (
            "permessage-deflate; client_max_window_bits",
            Some(format!("{ours}; client_max_window_bits=12")),
        ),
        (
            "permessage-deflate; client_max_window_bits=\"9\"",
            Some(format!("{ours}; client_max_window_bits=9")),
        ),
        (
            "permessage-deflate; server_max_window_bits=9",
            Some(ours.replace("12", "9")),
        ),
        (
            "permessage-deflate; server_max_window_bits=8, permessage-deflate",
            Some(ours.to_owned()),
        ),
        (
            "x; a=b, permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            Some(ours.replace(
                ';',
                "; server_no_context_takeover; client_no_context_takeover;",
            )),
        ),
        ("permessage-deflate; server_max_window_bits", None),
        ("permessage-deflate; server_max_window_bits=16", None),
        ("permessage-deflate; server_max_window_bits=010", None),
        ("permessage-deflate; client_max_window_bits=7", None),
        ("permessage-deflate; server_no_context_takeover=1", None),
        (
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            None,
        ),
        ("permessage-deflate; unknown", None),
        ("x-webkit-deflate-frame", None),
        ("", None),
    ] {
        assert_eq!(reach(offer), answer, "{offer}");
    }
}

fn streams(offer: &str) -> Streams {
    Streams::new(Agreement::reach([offer.as_bytes()].into_iter()).unwrap())
}

#[test]
fn a_final_block_is_followed_by_another_stream() {
    let mut streams = streams("permessage-deflate");
    // RFC 7692, 7.2.3.4: "Hello" with BFINAL, padded to the end of the byte.
    let hello = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    for _ in 0..2 {
        let mut out = Vec::new();
        streams.inflate(&hello, &mut out, 100).unwrap();
        streams.inflate_end(&mut out, 100).unwrap();
        assert_eq!(out, b"Hello");
    }
}

#[test]
fn what_is_not_compressed_data_is_refused() {
    let mut out = Vec::new();
    let refused = streams("permessage-deflate").inflate(&[0xff; 20], &mut out, 100);
    assert_eq!(refused.unwrap_err().code, 1007);
}

#[test]
fn a_bomb_ends_at_the_limit() {
    let limit = 1 << 20;
    let mut bomb = Vec::new();
    streams("permessage-deflate").deflate(&vec![0; 2 * limit], &mut bomb);
    assert!(bomb.len() < limit / 100);
    let mut out = Vec::new();
    let refused = streams("permessage-deflate").inflate(&bomb, &mut out, limit);
    assert_eq!(refused.unwrap_err().code, 1009);
    assert!(out.capacity() <= 2 * limit, "{}", out.capacity());
}

proptest! {
    #[test]
    fn messages_survive_both_streams(
        messages in prop::collection::vec("[a-f]{32,3000}|\\PC{32,400}", 1..6),
        offer in prop::sample::select(vec![
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; server_no_context_takeover; client_max_window_bits=9; server_max_window_bits=9",
        ]),
        size in 1usize..700,
    ) {
        let mut one = streams(offer);
        let mut wire = Vec::new();
        for message in &messages {
            prop_assert!(message.len() >= LEAST);
            one.deflate(message.as_bytes(), &mut wire);
            let mut out = Vec::new();
            for piece in wire.chunks(size) {
                one.inflate(piece, &mut out, message.len()).unwrap();
            }
            one.inflate_end(&mut out, message.len()).unwrap();
            prop_assert_eq!(out, message.as_bytes());
        }
    }
}
