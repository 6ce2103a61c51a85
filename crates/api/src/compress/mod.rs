//! Whether a response is compressed, whatever app gives it, and what its fields say then. Knows no connection.

mod encoder;

#[cfg(test)]
mod tests;

pub(crate) use encoder::{Coding, Encoder};

use crate::accept_encoding::Weights;
use crate::http1::head::Head;
use crate::http1::token::list;
use encoder::CODINGS;
use std::cell::Cell;
use std::io;
use std::rc::Rc;

/// Streams that are compressed at once; each has up to a MiB for that. More are sent as they are.
const MOST_STREAMS: usize = 200;

/// What is compressed.
#[derive(Debug)]
pub struct Compression {
    /// The bytes of the shortest body that is.
    minimum: u64,
    streams: Rc<Cell<usize>>,
}

/// A field of a response: name and value.
pub(crate) type Field = (Vec<u8>, Vec<u8>);

/// What is to be done with a response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is none of ours.
    Leave,
    /// It stays as it is for this client; caches have to know that it would not for others.
    Vary,
    Encode(Coding),
}

/// A body that is compressed as it comes.
pub(crate) struct Stream {
    encoder: Encoder,
    /// How much is to come, where the app has said it.
    left: Option<u64>,
    _place: Place,
}

impl Compression {
    /// Of bodies from `minimum` bytes on.
    pub fn new(minimum: u64) -> Self {
        Self {
            minimum,
            streams: Rc::default(),
        }
    }

    /// Decides about a response whose body has `length` bytes, where that is known.
    pub(crate) fn judge(
        &self,
        head: &Head,
        status: u16,
        fields: &[Field],
        length: Option<u64>,
    ) -> Verdict {
        let is_short = length.is_some_and(|length| length < self.minimum);
        if is_short || matches!(status, 0..200 | 204 | 206 | 304) || !may_shrink(fields) {
            return Verdict::Leave;
        }
        if is_protected(get(fields, b"cache-control")) || is_protected(head.get(b"cache-control")) {
            return Verdict::Leave;
        }
        let accepted = head.headers();
        let accepted = accepted.filter(|(name, _)| name.eq_ignore_ascii_case(b"accept-encoding"));
        let weights = Weights::of(accepted.map(|(_, value)| value));
        let mut best = (0.0, Verdict::Vary);
        for (name, coding) in CODINGS {
            let weight = weights.get(name);
            if weight > best.0 && head.method() != "HEAD" {
                best = (weight, Verdict::Encode(coding));
            }
        }
        best.1
    }

    /// Begins a body of which `left` bytes are to come, where that is known; `None` where too many are under way.
    pub(crate) fn begin(&self, coding: Coding, left: Option<u64>) -> Option<Stream> {
        if self.streams.get() >= MOST_STREAMS {
            return None;
        }
        let encoder = Encoder::new(coding).ok()?;
        self.streams.set(self.streams.get() + 1);
        Some(Stream {
            encoder,
            left,
            _place: Place(Rc::clone(&self.streams)),
        })
    }
}

impl Stream {
    /// Takes a part; says with what comes of it how many bytes were more than announced.
    pub(crate) fn part(&mut self, part: &[u8]) -> io::Result<(Vec<u8>, usize)> {
        let mut taken = part;
        if let Some(left) = &mut self.left {
            let most = usize::try_from(*left).unwrap_or(usize::MAX);
            taken = &part[..part.len().min(most)];
            *left -= taken.len() as u64;
        }
        let out = self.encoder.part(taken)?;
        Ok((out, part.len() - taken.len()))
    }

    /// Ends the body; says with what comes last how many bytes are missing.
    pub(crate) fn end(self) -> io::Result<(Vec<u8>, u64)> {
        Ok((self.encoder.end(b"")?, self.left.unwrap_or(0)))
    }
}

/// One of [`MOST_STREAMS`].
struct Place(Rc<Cell<usize>>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// The fields of a body that is encoded by `coding`, or would be for others: its length is another one, its tag not strong.
pub(crate) fn amend(fields: &mut Vec<Field>, coding: Option<Coding>) {
    if let Some(coding) = coding {
        fields.retain(|(name, _)| !name.eq_ignore_ascii_case(b"content-length"));
        fields.push((b"content-encoding".to_vec(), coding.name().into()));
        for (name, value) in fields.iter_mut() {
            if name.eq_ignore_ascii_case(b"etag") && !value.starts_with(b"W/") {
                value.splice(..0, *b"W/");
            }
        }
    }
    let varies = |(name, value): &Field| {
        let mut names = list(value);
        name.eq_ignore_ascii_case(b"vary")
            && names.any(|name| name == b"*" || name.eq_ignore_ascii_case(b"accept-encoding"))
    };
    if !fields.iter().any(varies) {
        fields.push((b"vary".to_vec(), b"accept-encoding".to_vec()));
    }
}

/// Whether it is of a kind that shrinks, and as the app made it.
fn may_shrink(fields: &[Field]) -> bool {
    if get(fields, b"content-encoding")
        .or(get(fields, b"content-range"))
        .is_some()
    {
        return false;
    }
    let kind = get(fields, b"content-type").unwrap_or_default();
    let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default();
    let kind = String::from_utf8_lossy(kind.trim_ascii()).to_ascii_lowercase();
    let by_name = SHRINKING.iter().any(|known| kind == *known);
    by_name || kind.starts_with("text/") || kind.ends_with("+json") || kind.ends_with("+xml")
}

/// Beside texts and what is built on JSON and XML.
const SHRINKING: [&str; 16] = [
    "application/json",
    "application/jsonl",
    "application/json-seq",
    "application/x-ndjson",
    "application/xml",
    "application/javascript",
    "application/x-javascript",
    "application/yaml",
    "application/x-yaml",
    "application/graphql",
    "application/wasm",
    "application/rtf",
    "application/vnd.ms-fontobject",
    "font/ttf",
    "font/otf",
    "image/bmp",
];

fn is_protected(control: Option<&[u8]>) -> bool {
    let mut directives = control.into_iter().flat_map(list);
    directives.any(|directive| directive.eq_ignore_ascii_case(b"no-transform"))
}

fn get<'a>(fields: &'a [Field], name: &[u8]) -> Option<&'a [u8]> {
    let mut named = fields
        .iter()
        .filter(|(given, _)| given.eq_ignore_ascii_case(name));
    named.next().map(|(_, value)| value.as_slice())
}
