//! What an app declares around its routes, carried out without an interpreter. One layer a file.
//!
//! A layer decides what is plain, as the middleware of its name would, and leaves all else to the app, whose own
//! middleware then does it. So what these files do not know behaves as the app's middleware does.

mod answer;
mod compression;
mod cors;
mod exchange;
mod gzip;
mod hosts;
mod limit;
mod secure;

#[cfg(test)]
mod tests;

pub use self::answer::{Answer, Text};
pub use self::compression::{Choice, Compression};
pub use self::cors::{Cors, Preflight};
pub use self::hosts::Hosts;
pub use self::limit::Limit;
pub use self::secure::Secure;

use crate::compress;
use std::io;

/// A request as layers see it.
pub trait Request {
    /// The method.
    fn method(&self) -> &str;

    /// The path as it was sent.
    fn raw_path(&self) -> &[u8];

    /// The query as it was sent, without its question mark.
    fn query(&self) -> &[u8];

    /// The value of the first field of this name, which is in lower case.
    fn field(&self, name: &[u8]) -> Option<&[u8]>;

    /// The values of all fields of this name, which is in lower case.
    fn each(&self, name: &[u8], visit: &mut dyn FnMut(&[u8]));

    /// Whether it came over TLS.
    fn is_secure(&self) -> bool;

    /// The bytes of its body, where that is known.
    fn body_length(&self) -> Option<u64>;
}

/// What becomes of a request at a layer.
#[derive(Debug)]
pub enum Met<'a> {
    /// It goes on inwards.
    Passes,
    /// The layer answers it.
    Answers(Box<Answer<'a>>),
    /// The app answers it, by its own middleware.
    Leaves,
}

/// One thing that an app declares.
pub trait Layer {
    /// Looks at a request on its way in.
    fn meet<'a>(&'a self, _request: &'a dyn Request) -> Met<'a> {
        Met::Passes
    }

    /// Looks at the answer on its way out; `false` leaves it to the app, as it was before any layer saw it.
    fn amend<'a>(&'a self, _request: &'a dyn Request, _answer: &mut Answer<'a>) -> bool {
        true
    }

    /// Whether [`amend_head`](Self::amend_head) fits whatever may be answered to this request.
    fn amends_all(&self, _request: &dyn Request) -> bool {
        true
    }

    /// Whether the head of an answer in parts has to wait for the first one.
    fn waits(&self, _head: &Answer<'_>) -> bool {
        false
    }

    /// Looks at the head of an answer that nobody can give again. Its body, of `length` bytes where it is whole, goes through
    /// what this returns; it is not in the answer.
    fn amend_head<'a>(
        &'a self,
        request: &'a dyn Request,
        head: &mut Answer<'a>,
        _length: Option<usize>,
    ) -> Option<Encoder> {
        self.amend(request, head);
        None
    }
}

/// What a body goes through on its way out.
pub struct Encoder {
    /// The compressor; none after the last part.
    stream: Option<compress::Encoder>,
    /// Bytes from which on a part is compressed in a thread.
    pub thread_size: usize,
}

impl Encoder {
    /// What the next part compresses to, so that the client can read all of it at once.
    pub fn compress(&mut self, part: &[u8], is_last: bool) -> io::Result<Vec<u8>> {
        let ended = || io::Error::other("the body has ended");
        if is_last {
            self.stream.take().ok_or_else(ended)?.end(part)
        } else {
            self.stream.as_mut().ok_or_else(ended)?.part(part)
        }
    }
}

/// The layers of an app, the outermost one first.
#[derive(Default)]
pub struct Layers(Vec<Box<dyn Layer>>);

impl Layers {
    /// Layers in this order, the outermost one first.
    pub fn new(layers: Vec<Box<dyn Layer>>) -> Self {
        Self(layers)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sends a request inwards. An answer has gone through all layers outside of the one that gave it.
    pub fn meet<'a>(&'a self, request: &'a dyn Request) -> Met<'a> {
        for (depth, layer) in self.0.iter().enumerate() {
            match layer.meet(request) {
                Met::Passes => {}
                Met::Leaves => return Met::Leaves,
                Met::Answers(mut answer) => {
                    return if amend(&self.0[..depth], request, &mut answer) {
                        Met::Answers(answer)
                    } else {
                        Met::Leaves
                    };
                }
            }
        }
        Met::Passes
    }

    /// Sends an answer from the routes outwards; `false` where the app has to send what was answered.
    pub fn amend<'a>(&'a self, request: &'a dyn Request, answer: &mut Answer<'a>) -> bool {
        amend(&self.0, request, answer)
    }

    /// Whether whatever is answered to this request can be amended by [`amend_head`](Self::amend_head).
    pub fn amends_all(&self, request: &dyn Request) -> bool {
        self.0.iter().all(|layer| layer.amends_all(request))
    }

    /// Whether the head of an answer in parts has to wait for the first one.
    pub fn waits(&self, head: &Answer<'_>) -> bool {
        self.0.iter().any(|layer| layer.waits(head))
    }

    /// Sends the head of an answer outwards that nobody can give again; what its body goes through. See [`Layer::amend_head`].
    pub fn amend_head<'a>(
        &'a self,
        request: &'a dyn Request,
        head: &mut Answer<'a>,
        length: Option<usize>,
    ) -> Option<Encoder> {
        // What one has encoded no other one encodes again.
        let mut encoder = None;
        for layer in self.0.iter().rev() {
            encoder = layer.amend_head(request, head, length).or(encoder);
        }
        encoder
    }
}

fn amend<'a>(
    layers: &'a [Box<dyn Layer>],
    request: &'a dyn Request,
    answer: &mut Answer<'a>,
) -> bool {
    let mut outwards = layers.iter().rev();
    outwards.all(|layer| layer.amend(request, answer))
}
