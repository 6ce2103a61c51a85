//! gzip (RFC 1952) of a whole body, by one stream that is used again and again.

use std::cell::RefCell;

use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Status};

/// The largest window, and a header and trailer of gzip instead of zlib's.
const WINDOW_BITS: i32 = 15 + 16;

/// Compresses by one level. The stream's memory, a quarter of a MiB, is taken with the first body.
pub(super) struct Gzip {
    level: i32,
    stream: RefCell<Option<Box<Deflate>>>,
}

impl Gzip {
    pub(super) fn new(level: i32) -> Self {
        Self {
            level,
            stream: RefCell::new(None),
        }
    }

    /// What `body` compresses to; `None` where zlib fails.
    pub(super) fn compress(&self, body: &[u8]) -> Option<Vec<u8>> {
        let mut slot = self.stream.borrow_mut();
        let stream = slot.get_or_insert_with(|| {
            Box::new(Deflate::new_with_config(DeflateConfig {
                level: self.level,
                window_bits: WINDOW_BITS,
                ..DeflateConfig::default()
            }))
        });
        stream.reset();
        let mut out = Vec::new();
        loop {
            let read = usize::try_from(stream.total_in()).ok()?;
            let written = out.len();
            out.resize(written + (body.len() / 4).max(512), 0);
            let rest = body.get(read..)?;
            let status = stream.compress(rest, &mut out[written..], DeflateFlush::Finish);
            out.truncate(usize::try_from(stream.total_out()).ok()?);
            match status {
                Ok(Status::StreamEnd) => return Some(out),
                // Without progress there would never be an end.
                Ok(_) if out.len() > written => {}
                _ => return None,
            }
        }
    }
}
