//! Any bytes as a client's, whole and in pieces: the codec never panics, and the cuts make no difference.
#![no_main]

use api::http1::body::{Decoded, Decoder};
use api::http1::head::{Head, HeadParser};
use api::limits::Limits;
use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;

/// What was read of a connection: each request's head, body and trailers, and the status of the refusal at its end.
#[derive(Debug, Default, PartialEq, Eq)]
struct Reading {
    requests: Vec<[Vec<u8>; 3]>,
    refused: Option<u16>,
}

struct Peer {
    buffer: BytesMut,
    heads: HeadParser,
    current: Option<(Head, Decoder, Vec<u8>)>,
    limits: Limits,
    reading: Reading,
}

impl Peer {
    fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        while self.reading.refused.is_none() {
            match self.step() {
                Ok(true) => {}
                Ok(false) => return,
                Err(status) => self.reading.refused = Some(status),
            }
        }
    }

    fn step(&mut self) -> Result<bool, u16> {
        let Some((head, decoder, body)) = &mut self.current else {
            let head = self.heads.parse(&mut self.buffer, &self.limits);
            self.current = head.map_err(|refusal| refusal.status)?.map(|head| {
                let decoder = Decoder::new(head.framing(), &self.limits);
                (head, decoder, Vec::new())
            });
            return Ok(self.current.is_some());
        };
        match decoder
            .decode(&mut self.buffer)
            .map_err(|refusal| refusal.status)?
        {
            Decoded::Chunk(chunk) => {
                assert!(!chunk.is_empty());
                body.extend_from_slice(&chunk);
            }
            Decoded::Incomplete => return Ok(false),
            Decoded::End => {
                assert!(decoder.is_complete());
                let trailers = decoder.trailers().map(|fields| list(fields.iter()));
                let body = std::mem::take(body);
                let request = [describe(head), body, trailers.unwrap_or_default()];
                self.reading.requests.push(request);
                self.current = None;
            }
        }
        Ok(true)
    }
}

fn describe(head: &Head) -> Vec<u8> {
    let line = [
        head.method().as_bytes(),
        head.target(),
        &head.path(),
        head.query(),
    ];
    [line.join(&b' '), list(head.headers())].concat()
}

/// Fields as text. What must not come out of a codec is looked for here.
fn list<'a>(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Vec<u8> {
    let mut text = Vec::new();
    for (name, value) in fields {
        assert!(!name.is_empty() && name.iter().all(u8::is_ascii_graphic));
        assert!(!value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
        text.extend_from_slice(&[b"\n", name, b":", value].concat());
    }
    text
}

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Reading {
    let mut peer = Peer {
        buffer: BytesMut::new(),
        heads: HeadParser::default(),
        current: None,
        // So narrow that inputs of a few hundred bytes reach them.
        limits: Limits {
            target: 60,
            field: 60,
            fields: 8,
            header: 200,
            trailer: 60,
            chunk_extensions: 30,
        },
        reading: Reading::default(),
    };
    pieces.for_each(|piece| peer.feed(piece));
    peer.reading
}

fuzz_target!(|data: &[u8]| {
    let whole = read(std::iter::once(data));
    assert_eq!(whole, read(data.chunks(1)));
    assert_eq!(whole, read(data.chunks(7)));
});
