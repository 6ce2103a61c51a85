//! The three codings behind one stream of bytes. Knows neither fields nor clients.

use crate::gzip;
use brotli::CompressorWriter;
use std::io::{self, Write as _};
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
const BROTLI_LEVEL: i32 = 4;
const GZIP_LEVEL: i32 = 6;
const WINDOW_BITS: u32 = 17;

/// What is asked for at once.
const ROOM: usize = 8 * 1024;

/// One body under way.
pub(crate) enum Encoder {
    Zstd(Box<Zstd<'static>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Gzip(gzip::Stream),
}

impl Coding {
    /// The one of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut all = CODINGS.into_iter();
        all.find(|(known, _)| *known == name)
            .map(|(_, coding)| coding)
    }

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
        let level = match coding {
            Coding::Zstd => ZSTD_LEVEL,
            Coding::Brotli => BROTLI_LEVEL,
            Coding::Gzip => GZIP_LEVEL,
        };
        Self::of_level(coding, level)
    }

    /// By a level as the coding's library counts.
    pub(crate) fn of_level(coding: Coding, level: i32) -> io::Result<Self> {
        Ok(match coding {
            Coding::Zstd => {
                let mut zstd = Zstd::new(level)?;
                zstd.set_parameter(CParameter::WindowLog(WINDOW_BITS))?;
                Self::Zstd(Box::new(zstd))
            }
            Coding::Brotli => {
                let quality = u32::try_from(level).map_err(io::Error::other)?;
                let brotli = CompressorWriter::new(Vec::new(), ROOM, quality, WINDOW_BITS);
                Self::Brotli(Box::new(brotli))
            }
            Coding::Gzip => Self::Gzip(gzip::Stream::new(level)),
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
            Self::Gzip(gzip) => gzip.compress(part, false),
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
            Self::Gzip(mut gzip) => gzip.compress(part, true),
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
