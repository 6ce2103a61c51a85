//! What a server would do with bytes, as far as the codec alone decides it. Does no I/O and answers nothing.

use api::http1::body::{Decoded, Decoder};
use api::http1::head::{Head, HeadParser};
use api::limits::Limits;
use bytes::BytesMut;

/// One request, read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub target: Vec<u8>,
    pub path: Vec<u8>,
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub body: Vec<u8>,
    pub trailers: Vec<(Vec<u8>, Vec<u8>)>,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// More bytes are awaited.
    Waiting,
    /// With this status, and nothing more is read.
    Refused(u16),
    /// Because a request said so.
    Closed,
}

/// All that came out of one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    pub requests: Vec<Request>,
    pub end: End,
}

impl Transcript {
    /// Responses that a client would get.
    pub fn answers(&self) -> usize {
        self.requests.len() + usize::from(matches!(self.end, End::Refused(_)))
    }
}

/// One connection.
pub struct Peer {
    buffer: BytesMut,
    heads: HeadParser,
    current: Option<(Head, Decoder, Vec<u8>)>,
    transcript: Transcript,
    limits: Limits,
}

impl Peer {
    pub fn new(limits: Limits) -> Self {
        Self {
            buffer: BytesMut::new(),
            heads: HeadParser::default(),
            current: None,
            transcript: Transcript {
                requests: Vec::new(),
                end: End::Waiting,
            },
            limits,
        }
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        while self.transcript.end == End::Waiting {
            match self.step() {
                Ok(true) => {}
                Ok(false) => return,
                Err(status) => self.transcript.end = End::Refused(status),
            }
        }
    }

    pub fn finish(self) -> Transcript {
        self.transcript
    }

    /// Says whether there may be more to do with what is buffered.
    fn step(&mut self) -> Result<bool, u16> {
        let Some((head, decoder, body)) = &mut self.current else {
            let head = self.heads.parse(&mut self.buffer, &self.limits);
            let head = head.map_err(|refusal| refusal.status)?;
            self.current = head.map(|head| {
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
                Ok(true)
            }
            Decoded::Incomplete => Ok(false),
            Decoded::End => {
                assert!(decoder.is_complete());
                self.transcript.requests.push(record(head, decoder, body));
                if !head.keep_alive() {
                    self.transcript.end = End::Closed;
                }
                self.current = None;
                Ok(true)
            }
        }
    }
}

fn record(head: &Head, decoder: &Decoder, body: &[u8]) -> Request {
    let own = |(name, value): (&[u8], &[u8])| (name.to_vec(), value.to_vec());
    Request {
        method: head.method().to_owned(),
        target: head.target().to_vec(),
        path: head.path().into_owned(),
        headers: head.headers().map(own).collect(),
        body: body.to_vec(),
        trailers: decoder
            .trailers()
            .into_iter()
            .flat_map(|fields| fields.iter().map(own))
            .collect(),
    }
}

/// What comes out of `pieces`, with the default limits.
pub fn converse<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Transcript {
    let mut peer = Peer::new(Limits::default());
    for piece in pieces {
        peer.feed(piece);
    }
    peer.finish()
}
