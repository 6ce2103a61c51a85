//! What an app declares around its routes, carried out without an interpreter. One layer a file.
//!
//! A layer decides what is plain, as the middleware of its name would, and leaves all else to the app, whose own
//! middleware then does it. So what these files do not know behaves as the app's middleware does.

mod answer;
mod compression;
mod cors;
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
}

fn amend<'a>(
    layers: &'a [Box<dyn Layer>],
    request: &'a dyn Request,
    answer: &mut Answer<'a>,
) -> bool {
    let mut outwards = layers.iter().rev();
    outwards.all(|layer| layer.amend(request, answer))
}
