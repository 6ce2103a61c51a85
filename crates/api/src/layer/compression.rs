//! Compression: bodies that are long enough, of a type that shrinks, to clients that take it.

use super::gzip::Gzip;
use super::{Answer, Encoder, Layer, Request};
use crate::accept_encoding::Weights;
use crate::compress::{self, Coding};
use crate::exchange::Chunk;

/// How an encoding is chosen.
pub enum Choice {
    /// gzip, if the client's first field says so anywhere.
    Gzip,
    /// What the client likes best of these names (RFC 9110, 12.5.3), each with its level; of equal ones the first.
    Best(Vec<(String, i32)>),
}

/// Bodies are compressed; what can be given again only by gzip here, by the app in all other ways.
pub struct Compression {
    choice: Choice,
    gzip: Gzip,
    /// The bytes of the shortest body that is compressed.
    minimum_size: usize,
    /// Bytes from which on a body is the app's to compress, in a thread.
    thread_size: usize,
    /// Media types that are not compressed, in lower case; `image/*` for all of a kind.
    excluded: Vec<String>,
}

impl Compression {
    /// `level` is zlib's; bodies of `sizes`, but for the `excluded` media types, in lower case, are compressed.
    pub fn new(
        choice: Choice,
        level: i32,
        sizes: std::ops::Range<usize>,
        excluded: Vec<String>,
    ) -> Self {
        Self {
            choice,
            gzip: Gzip::new(level),
            minimum_size: sizes.start,
            thread_size: sizes.end,
            excluded,
        }
    }

    /// Whether the body must not be touched: encoded already, a part of a file, or of an excluded type.
    fn leaves_alone(&self, answer: &Answer<'_>) -> bool {
        answer.status == 206 || answer.first(b"content-encoding").is_some() || {
            let field = answer.first(b"content-type").unwrap_or_default();
            let text = String::from_utf8_lossy(field);
            let media_type = text.split(';').next().unwrap_or_default().trim();
            self.excludes(&media_type.to_ascii_lowercase())
        }
    }

    fn excludes(&self, media_type: &str) -> bool {
        let kind = media_type.split('/').next().unwrap_or_default();
        self.excluded.iter().any(|excluded| {
            excluded == media_type
                || excluded.strip_suffix("/*") == Some(kind)
                || (excluded == "application/grpc" && media_type.starts_with("application/grpc+"))
        })
    }

    /// The encoding for this client.
    fn encoding(&self, request: &dyn Request) -> Option<&str> {
        match &self.choice {
            Choice::Gzip => {
                let accepted = request.field(b"accept-encoding")?;
                accepted
                    .windows(4)
                    .any(|part| part == b"gzip")
                    .then_some("gzip")
            }
            Choice::Best(offered) => {
                let mut weights = Weights::of([]);
                request.each(b"accept-encoding", &mut |field| weights.read(field));
                let mut best = (None, 0.0);
                for (name, _) in offered {
                    let weight = weights.get(name);
                    if weight > best.1 {
                        best = (Some(name.as_str()), weight);
                    }
                }
                best.0
            }
        }
    }
}

impl Compression {
    /// What compresses a body that nobody can give again.
    fn encoder(&self, encoding: &str) -> Option<Encoder> {
        let level = match &self.choice {
            Choice::Gzip => self.gzip.level(),
            Choice::Best(offered) => offered.iter().find(|(name, _)| name == encoding)?.1,
        };
        let stream = compress::Encoder::of_level(Coding::named(encoding)?, level);
        Some(Encoder {
            stream: Some(stream.ok()?),
            thread_size: self.thread_size,
        })
    }

    /// The encoding for an answer with a body of `length` bytes or, without, in parts. Says in the head what that depends on.
    fn choose(
        &self,
        request: &dyn Request,
        head: &mut Answer<'_>,
        length: Option<usize>,
    ) -> Option<&str> {
        if length.is_some_and(|length| length < self.minimum_size) || self.leaves_alone(head) {
            return None;
        }
        head.vary(b"Accept-Encoding");
        self.encoding(request)
    }
}

impl Layer for Compression {
    fn amend<'a>(&'a self, request: &'a dyn Request, answer: &mut Answer<'a>) -> bool {
        let length = answer.body.len();
        let Some(encoding) = self.choose(request, answer, Some(length)) else {
            return true;
        };
        if length == 0 || length >= self.thread_size || encoding != "gzip" {
            return false;
        }
        let Some(compressed) = self.gzip.compress(answer.body.as_slice()) else {
            return false;
        };
        answer.set(b"content-encoding", &b"gzip"[..]);
        answer.set(b"content-length", compressed.len().to_string().into_bytes());
        answer.body = Chunk::Owned(compressed.into());
        true
    }

    fn amends_all(&self, request: &dyn Request) -> bool {
        let encoding = self.encoding(request);
        encoding.is_none_or(|name| Coding::named(name).is_some())
    }

    fn waits(&self, head: &Answer<'_>) -> bool {
        !self.leaves_alone(head)
    }

    fn amend_head<'a>(
        &'a self,
        request: &'a dyn Request,
        head: &mut Answer<'a>,
        length: Option<usize>,
    ) -> Option<Encoder> {
        let encoding = self.choose(request, head, length)?;
        if length == Some(0) {
            return None; // Nothing shrinks to less.
        }
        let encoder = self.encoder(encoding)?;
        head.set(b"content-encoding", encoding.as_bytes());
        if length.is_none() {
            head.remove(b"content-length");
        }
        Some(encoder)
    }
}
