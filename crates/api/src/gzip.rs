//! gzip (RFC 1952), part by part. Knows neither fields nor clients.

use std::fmt;
use std::io;

use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Status};

/// The largest window, and a header and trailer of gzip instead of zlib's.
const WINDOW_BITS: i32 = 15 + 16;

/// One body under way; a quarter of a MiB.
pub struct Stream(Box<Deflate>);

impl Stream {
    pub(crate) fn new(level: i32) -> Self {
        Self(Box::new(Deflate::new_with_config(DeflateConfig {
            level,
            window_bits: WINDOW_BITS,
            ..DeflateConfig::default()
        })))
    }

    /// Begins another body.
    pub(crate) fn reset(&mut self) {
        self.0.reset();
    }

    /// What the next part compresses to, so that the client can read all of it at once.
    pub fn compress(&mut self, part: &[u8], is_last: bool) -> io::Result<Vec<u8>> {
        let stream = &mut self.0;
        let (begin, before) = (stream.total_in(), stream.total_out());
        let count = |total: u64, from: u64| usize::try_from(total - from).map_err(io::Error::other);
        let flush = if is_last {
            DeflateFlush::Finish
        } else {
            DeflateFlush::SyncFlush
        };
        let mut out = Vec::new();
        loop {
            let read = count(stream.total_in(), begin)?;
            let written = out.len();
            out.resize(written + (part.len() / 4).max(512), 0);
            let room = out.len();
            let rest = part.get(read..).unwrap_or_default();
            let status = stream.compress(rest, &mut out[written..], flush);
            out.truncate(count(stream.total_out(), before)?);
            match status {
                Ok(Status::StreamEnd) => return Ok(out),
                // All of it was read and what is ready was written, once there is room left over.
                Ok(_) if !is_last && out.len() < room => return Ok(out),
                Ok(_) if out.len() > written => {}
                // Nothing was left to flush.
                Ok(_) if !is_last && read == part.len() => return Ok(out),
                _ => return Err(io::Error::other("zlib makes no progress")),
            }
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stream").finish_non_exhaustive()
    }
}
