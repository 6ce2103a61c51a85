//! CORS: the fields that let a browser hand an answer to a page of another origin, and what it asks before (the Fetch standard).

use super::{Answer, Layer, Met, Request};

const ALLOW_ORIGIN: &[u8] = b"access-control-allow-origin";
const ALLOW_HEADERS: &[u8] = b"access-control-allow-headers";
const ALLOW_PRIVATE_NETWORK: &[u8] = b"access-control-allow-private-network";
const ASKED_METHOD: &[u8] = b"access-control-request-method";
const ASKED_HEADERS: &[u8] = b"access-control-request-headers";
const ASKED_PRIVATE_NETWORK: &[u8] = b"access-control-request-private-network";

/// Names in lower case and values.
pub type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// Which origins may read an app's answers.
pub struct Cors {
    /// Every origin may.
    pub all: bool,
    /// These may, as sent.
    pub origins: Vec<Vec<u8>>,
    /// Others may match a pattern, which only the app knows.
    pub has_pattern: bool,
    /// An answer names the origin that it is for, even where every one may: browsers ask for that with credentials.
    pub by_name: bool,
    /// The fields of each answer to another origin.
    pub fields: Fields,
    /// What is said before a request.
    pub preflight: Preflight,
}

/// What a browser is told that asks whether it may send a request.
pub struct Preflight {
    /// The fields of each answer.
    pub fields: Fields,
    /// The answer names the origin.
    pub by_name: bool,
    /// These methods may be sent.
    pub methods: Vec<Vec<u8>>,
    /// Every field may be sent.
    pub all_headers: bool,
    /// These may, in lower case.
    pub headers: Vec<Vec<u8>>,
    /// Pages may ask from a public network for a private one.
    pub private_network: bool,
}

impl Cors {
    fn lists(&self, origin: &[u8]) -> bool {
        self.origins.iter().any(|listed| listed == origin)
    }

    /// Whether pages of this origin may read answers; `None` where the pattern decides.
    fn allows(&self, origin: &[u8]) -> Option<bool> {
        let is_named = self.all || self.lists(origin);
        (is_named || !self.has_pattern).then_some(is_named)
    }
}

impl Preflight {
    fn answer<'a>(
        &'a self,
        request: &'a dyn Request,
        origin: &'a [u8],
        method: &[u8],
        is_allowed: bool,
    ) -> Met<'a> {
        let asked = request.field(ASKED_HEADERS);
        if asked.is_some_and(|asked| !asked.is_ascii()) {
            return Met::Leaves; // What is one letter in lower case, and what is white space, is Python's to say.
        }
        let near = request.field(ASKED_PRIVATE_NETWORK).is_some();
        let fits = [
            ("origin", is_allowed),
            ("method", self.methods.iter().any(|known| known == method)),
            ("headers", asked.is_none_or(|asked| self.takes(asked))),
            ("private-network", !near || self.private_network),
        ];
        let refused: Vec<&str> = fits
            .into_iter()
            .filter_map(|(what, fits)| (!fits).then_some(what))
            .collect();
        let (status, text) = if refused.is_empty() {
            (200, "OK".to_owned())
        } else {
            (400, format!("Disallowed CORS {}", refused.join(", ")))
        };
        let mut answer = Answer::text(status, borrowed(&self.fields), text);
        if self.by_name && is_allowed {
            answer.set(ALLOW_ORIGIN, origin);
        }
        if let Some(asked) = asked.filter(|_| self.all_headers) {
            answer.set(ALLOW_HEADERS, asked);
        }
        if near && self.private_network {
            answer.set(ALLOW_PRIVATE_NETWORK, &b"true"[..]);
        }
        Met::Answers(Box::new(answer))
    }

    /// Whether all of these fields may be sent.
    fn takes(&self, asked: &[u8]) -> bool {
        let knows = |name: &[u8]| {
            let name = name.trim_ascii().to_ascii_lowercase();
            self.headers.contains(&name)
        };
        self.all_headers || asked.split(|byte| *byte == b',').all(knows)
    }
}

impl Layer for Cors {
    fn meet<'a>(&'a self, request: &'a dyn Request) -> Met<'a> {
        let Some(origin) = request.field(b"origin") else {
            return Met::Passes;
        };
        let Some(is_allowed) = self.allows(origin) else {
            return Met::Leaves;
        };
        match request.field(ASKED_METHOD) {
            Some(method) if request.method() == "OPTIONS" => {
                self.preflight.answer(request, origin, method, is_allowed)
            }
            _ => Met::Passes,
        }
    }

    fn amend<'a>(&'a self, request: &'a dyn Request, answer: &mut Answer<'a>) -> bool {
        if let Some(origin) = request.field(b"origin") {
            for (name, value) in borrowed(&self.fields) {
                answer.set(name, value);
            }
            let is_named = if self.all {
                self.by_name
            } else {
                self.lists(origin)
            };
            if is_named {
                answer.set(ALLOW_ORIGIN, origin);
            }
        }
        answer.vary(b"Origin");
        true
    }
}

fn borrowed(fields: &Fields) -> impl Iterator<Item = (&[u8], &[u8])> {
    fields
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_slice()))
}
