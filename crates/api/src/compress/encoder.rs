//! The three codings behind one stream of bytes. Knows neither fields nor clients.

use brotli::CompressorWriter;
use std::io::{self, Write as _};
use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Status};
use zstd::stream::raw::{CParameter, Encoder as Zstd, InBuffer, Operation as _, OutBuffer};

/// Codings, the preferred one first: for the same size the least work.
pub(super) const CODINGS: [(&str, Coding); 3] = [
    ("zstd", Coding::Zstd),
    ("br", Coding::Brotli),
    ("gzip", Coding::Gzip),
];

/// A content coding (RFC 9110, 8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Zstd,
    Brotli,
    Gzip,
}

/// Levels that pay for what is made anew for each request, and windows that keep a stream's memory below a MiB.
const ZSTD_LEVEL: i32 = 3;
const BROTLI_LEVEL: u32 = 4;
const GZIP_LEVEL: i32 = 6;
const WINDOW_BITS: u32 = 17;

/// gzip's own header and trailer, and its largest window.
const GZIP_WINDOW_BITS: i32 = 15 + 16;

/// What is asked for at once.
const ROOM: usize = 8 * 1024;

/// One body under way.
pub(crate) enum Encoder {
    Zstd(Box<Zstd<'static>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Gzip(Box<Deflate>),
}

impl Coding {
    /// As `Content-Encoding` says it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }
}

impl Encoder {
    pub(crate) fn new(coding: Coding) -> io::Result<Self> {
        Ok(match coding {
            Coding::Zstd => {
                let mut zstd = Zstd::new(ZSTD_LEVEL)?;
                zstd.set_parameter(CParameter::WindowLog(WINDOW_BITS))?;
                Self::Zstd(Box::new(zstd))
            }
            Coding::Brotli => {
                let out = Vec::new();
                let brotli = CompressorWriter::new(out, ROOM, BROTLI_LEVEL, WINDOW_BITS);
                Self::Brotli(Box::new(brotli))
            }
            Coding::Gzip => Self::Gzip(Box::new(Deflate::new_with_config(DeflateConfig {
                level: GZIP_LEVEL,
                window_bits: GZIP_WINDOW_BITS,
                ..DeflateConfig::default()
            }))),
        })
    }

    /// Takes a part; what comes back lets the client read all of it.
    pub(crate) fn part(&mut self, part: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd(zstd) => {
                let mut out = Vec::with_capacity(ROOM);
                feed(zstd, part, &mut out)?;
                drain(&mut out, |out| zstd.flush(out))?;
                Ok(out)
            }
            Self::Brotli(brotli) => {
                brotli.write_all(part)?;
                brotli.flush()?;
                Ok(std::mem::take(brotli.get_mut()))
            }
            Self::Gzip(gzip) => deflate(gzip, part, DeflateFlush::SyncFlush),
        }
    }

    /// Takes the last part, and ends.
    pub(crate) fn end(self, part: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd(mut zstd) => {
                let mut out = Vec::with_capacity(ROOM);
                feed(&mut zstd, part, &mut out)?;
                drain(&mut out, |out| zstd.finish(out, true))?;
                Ok(out)
            }
            Self::Brotli(mut brotli) => {
                brotli.write_all(part)?;
                Ok(brotli.into_inner())
            }
            Self::Gzip(mut gzip) => deflate(&mut gzip, part, DeflateFlush::Finish),
        }
    }
}

fn feed(zstd: &mut Zstd<'static>, part: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let mut input = InBuffer::around(part);
    while input.pos() < part.len() {
        out.reserve(ROOM);
        let at = out.len();
        zstd.run(&mut input, &mut OutBuffer::around_pos(out, at))?;
    }
    Ok(())
}

/// Has `step` write until it says that nothing is left.
fn drain(
    out: &mut Vec<u8>,
    mut step: impl FnMut(&mut OutBuffer<'_, Vec<u8>>) -> io::Result<usize>,
) -> io::Result<()> {
    loop {
        out.reserve(ROOM);
        let at = out.len();
        if step(&mut OutBuffer::around_pos(out, at))? == 0 {
            return Ok(());
        }
    }
}

fn deflate(gzip: &mut Deflate, part: &[u8], flush: DeflateFlush) -> io::Result<Vec<u8>> {
    let (begin, before) = (gzip.total_in(), gzip.total_out());
    let count = |total: u64, from: u64| usize::try_from(total - from).map_err(io::Error::other);
    let mut out = Vec::new();
    loop {
        let read = count(gzip.total_in(), begin)?;
        let written = out.len();
        out.resize(written + (part.len() / 4).max(512), 0);
        let room = out.len();
        let rest = part.get(read..).unwrap_or_default();
        let status = gzip.compress(rest, &mut out[written..], flush);
        out.truncate(count(gzip.total_out(), before)?);
        match status {
            Ok(Status::StreamEnd) => return Ok(out),
            // All of it was read and what is ready was written, once there is room left over.
            Ok(_) if flush != DeflateFlush::Finish && out.len() < room => return Ok(out),
            Ok(_) if out.len() > written => {}
            // Nothing was left to flush.
            Ok(_) if flush != DeflateFlush::Finish && read == part.len() => return Ok(out),
            _ => return Err(io::Error::other("zlib makes no progress")),
        }
    }
}
