//! What stands around the routes and needs no interpreter: a request on its way in, an answer on its way out.

use api::error::ResponseError;
use api::exchange::{Chunk, Exchange};
use api::layer::{Answer, Layers, Met};
use tracing::debug;

/// What the layers made of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// It goes on to the routes.
    Passed,
    /// It was answered.
    Answered,
    /// The app answers it.
    Left,
}

/// Sends a request through the layers.
pub fn enter(layers: &Layers, exchange: &Exchange) -> Passage {
    if layers.is_empty() {
        return Passage::Passed;
    }
    match layers.meet(exchange) {
        Met::Passes => Passage::Passed,
        Met::Leaves => Passage::Left,
        Met::Answers(answer) => {
            if send(exchange, *answer) {
                Passage::Answered
            } else {
                Passage::Left
            }
        }
    }
}

/// Answers with this, as the layers amend it; `false` where the app has to answer instead.
pub fn respond<'a>(
    layers: &Layers,
    exchange: &Exchange,
    status: u16,
    fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    body: Chunk<'a>,
) -> bool {
    if layers.is_empty() {
        return is_done(exchange, &exchange.respond(status, fields, body));
    }
    let mut answer = Answer::new(status, fields, body);
    layers.amend(exchange, &mut answer) && send(exchange, answer)
}

fn send(exchange: &Exchange, answer: Answer<'_>) -> bool {
    let sent = exchange.respond(answer.status, answer.fields, answer.body);
    is_done(exchange, &sent)
}

/// Whether nothing more is to be done: it was sent, or nobody is there to read it.
fn is_done(exchange: &Exchange, sent: &Result<(), ResponseError>) -> bool {
    if let Err(error) = sent {
        debug!(%error, "a response was not sent");
    }
    sent.is_ok() || exchange.is_disconnected()
}
