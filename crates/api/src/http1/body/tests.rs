//! Bodies by length and by chunks, and what breaks them. (The wire cases hold the rest.)

use super::{Decoded, Decoder};
use crate::http1::Framing;
use crate::limits::Limits;
use bytes::BytesMut;

/// The chunks that came out, and whether the body is complete; the status where it is refused.
fn decode(framing: Framing, bytes: &str) -> Result<(Vec<String>, bool), u16> {
    let mut decoder = Decoder::new(framing, &Limits::default());
    let mut buffer = BytesMut::from(bytes);
    let mut chunks = Vec::new();
    loop {
        match decoder
            .decode(&mut buffer)
            .map_err(|refusal| refusal.status)?
        {
            Decoded::Chunk(chunk) => chunks.push(String::from_utf8(chunk.into()).unwrap()),
            Decoded::Incomplete => return Ok((chunks, false)),
            Decoded::End => {
                assert_eq!(
                    decoder.decode(&mut buffer),
                    Ok(Decoded::End),
                    "the end stays the end"
                );
                assert_eq!(decoder.remaining(), Some(0));
                return Ok((chunks, true));
            }
        }
    }
}

#[test]
fn without_framing_there_is_no_body() {
    assert_eq!(decode(Framing::None, "GET /"), Ok((vec![], true)));
    assert_eq!(decode(Framing::Length(0), "GET /"), Ok((vec![], true)));
}

#[test]
fn a_length_is_counted_down() {
    let mut decoder = Decoder::new(Framing::Length(5), &Limits::default());
    let mut buffer = BytesMut::from("hel");
    assert_eq!(
        decoder.decode(&mut buffer),
        Ok(Decoded::Chunk("hel".into()))
    );
    assert_eq!(decoder.decode(&mut buffer), Ok(Decoded::Incomplete));
    assert_eq!(
        (decoder.remaining(), decoder.is_complete()),
        (Some(2), false)
    );
    buffer.extend_from_slice(b"loGET");
    assert_eq!(decoder.decode(&mut buffer), Ok(Decoded::Chunk("lo".into())));
    assert_eq!(decoder.decode(&mut buffer), Ok(Decoded::End));
    assert!(decoder.is_complete());
    assert_eq!(&buffer[..], b"GET");
}

#[test]
fn chunks_come_out_as_they_went_in() {
    let chunked = |bytes| decode(Framing::Chunked, bytes);
    let (first, second) = ("hello".to_owned(), " world".to_owned());
    assert_eq!(
        chunked("5\r\nhello\r\n06;a=b\r\n world\r\n0\r\n\r\n"),
        Ok((vec![first.clone(), second], true))
    );
    assert_eq!(chunked("5\r\nhello\r\n"), Ok((vec![first.clone()], false)));
    assert_eq!(
        chunked("5\r\nhello\r\n0\r\n"),
        Ok((vec![first.clone()], false))
    );
    assert_eq!(
        chunked("5\r\nhello\r\n0\r\nA: b\r\n"),
        Ok((vec![first], false))
    );
}

#[test]
fn trailers_are_there_at_the_end() {
    let mut decoder = Decoder::new(Framing::Chunked, &Limits::default());
    let mut buffer = BytesMut::from("0\r\nX-Sum: 1\r\nHost: a\r\n\r\nGET");
    assert_eq!(decoder.remaining(), None);
    assert_eq!(decoder.decode(&mut buffer), Ok(Decoded::End));
    let trailers: Vec<_> = decoder.trailers().unwrap().iter().collect();
    assert_eq!(trailers, [(&b"X-Sum"[..], &b"1"[..])]);
    assert_eq!(&buffer[..], b"GET");
}

#[test]
fn what_is_wrong_is_refused_as_soon_as_it_shows() {
    for bytes in [
        "g",
        "\r",
        "\n",
        "+",
        " 5",
        "5\n",
        "5\r\nhelloX",
        "5\r\nhello\rX",
        "5\r\nhello\n",
        "0\r\n\n",
        "5\r\nhello\r\n\r",
        "-1\r\n",
    ] {
        assert_eq!(
            decode(Framing::Chunked, bytes).err(),
            Some(400),
            "{bytes:?}"
        );
    }
    assert_eq!(
        decode(Framing::Chunked, "8000000000000000\r\n").err(),
        Some(413)
    );
}

#[test]
fn size_lines_and_extensions_have_bounds() {
    let zeros = |count: usize, rest: &str| {
        decode(Framing::Chunked, &format!("{}{rest}", "0".repeat(count)))
    };
    assert_eq!(zeros(64, "\r\n\r\n"), Ok((vec![], true)));
    assert_eq!(zeros(65, "\r\n\r\n").err(), Some(400));
    assert_eq!(zeros(20_000, "").err(), Some(400));

    let extensions = |count: usize, length: usize| {
        let chunk = format!("1;{}\r\nx\r\n", "a".repeat(length - 1));
        decode(Framing::Chunked, &(chunk.repeat(count) + "0\r\n\r\n"))
            .map(|(chunks, complete)| (chunks.len(), complete))
    };
    assert_eq!(extensions(16, 1024), Ok((16, true)));
    assert_eq!(extensions(17, 1024), Err(400));
    assert_eq!(extensions(1, 16_384), Ok((1, true)));
    assert_eq!(extensions(1, 16_500), Err(400));
}
