//! gzip (RFC 1952): of whole bodies, by one stream that is used again and again, and of bodies in parts.

use std::cell::RefCell;
use std::fmt;

use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Status};

/// The largest window, and a header and trailer of gzip instead of zlib's.
const WINDOW_BITS: i32 = 15 + 16;

/// Compresses by one level. The stream's memory, a quarter of a MiB, is taken with the first body.
pub(super) struct Gzip {
    level: i32,
    stream: RefCell<Option<Stream>>,
}

impl Gzip {
    pub(super) fn new(level: i32) -> Self {
        Self {
            level,
            stream: RefCell::new(None),
        }
    }

    pub(super) fn level(&self) -> i32 {
        self.level
    }

    /// What `body` compresses to; `None` where zlib fails.
    pub(super) fn compress(&self, body: &[u8]) -> Option<Vec<u8>> {
        let mut slot = self.stream.borrow_mut();
        let stream = slot.get_or_insert_with(|| Stream::new(self.level));
        stream.0.reset();
        stream.compress(body, true)
    }
}

/// One body, compressed part by part.
pub struct Stream(Box<Deflate>);

impl Stream {
    pub(super) fn new(level: i32) -> Self {
        Self(Box::new(Deflate::new_with_config(DeflateConfig {
            level,
            window_bits: WINDOW_BITS,
            ..DeflateConfig::default()
        })))
    }

    /// What the next part compresses to, so that the client can read all of it at once; `None` where zlib fails.
    pub fn compress(&mut self, part: &[u8], is_last: bool) -> Option<Vec<u8>> {
        let stream = &mut self.0;
        let (read_before, written_before) = (stream.total_in(), stream.total_out());
        let flush = if is_last {
            DeflateFlush::Finish
        } else {
            DeflateFlush::SyncFlush
        };
        let mut out = Vec::new();
        loop {
            let read = usize::try_from(stream.total_in() - read_before).ok()?;
            let written = out.len();
            out.resize(written + (part.len() / 4).max(512), 0);
            let rest = part.get(read..)?;
            let status = stream.compress(rest, &mut out[written..], flush).ok()?;
            let room = out.len();
            out.truncate(usize::try_from(stream.total_out() - written_before).ok()?);
            match status {
                Status::StreamEnd => return Some(out),
                // Where room is left, everything is out.
                _ if !is_last && out.len() < room => return Some(out),
                // Without progress there would never be an end.
                Status::Ok if out.len() > written => {}
                _ => return None,
            }
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stream").finish_non_exhaustive()
    }
}
