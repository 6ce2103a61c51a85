//! T1 before user code: a route's parameters out of the request's line and fields. Knows no interpreter.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::cookie;
use super::param::{Param, Source};
use super::query;
use super::scalar::Value;
use crate::route::Captures;

/// The values of a route's parameters, in their order.
pub type Values = SmallVec<[Value; 4]>;

/// The plan does not fully understand this request: the reference path decides about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal;

/// A request as far as parameters are read from it.
#[derive(Clone, Copy)]
pub struct Request<'r> {
    /// The percent-decoded path.
    pub path: &'r str,
    /// The query as received.
    pub query: &'r [u8],
    /// The header fields.
    pub fields: &'r dyn Fields,
}

/// Header fields, wherever they are kept.
pub trait Fields {
    /// Shows each field's name and value, in the order of the request.
    fn each(&self, visit: &mut dyn FnMut(&[u8], &[u8]));
}

/// A request without header fields.
impl Fields for () {
    fn each(&self, _visit: &mut dyn FnMut(&[u8], &[u8])) {}
}

/// Extracts `params`, and validates them as far as there is no doubt. `captures` were made from the request's path.
pub fn extract(
    params: &[Param],
    request: Request<'_>,
    captures: &Captures,
) -> Result<Values, Refusal> {
    let mut found: SmallVec<[Found; 4]> = SmallVec::from_elem(Found::default(), params.len());
    if !request.query.is_empty() {
        find_in_query(params, request.query, &mut found)?;
    }
    if params.iter().any(Param::is_in_fields) {
        find_in_fields(params, request.fields, &mut found)?;
    }
    let value = |(param, found): (&Param, Found)| match (&param.source, found.texts) {
        (Source::Path(index), _) => Some(param.value_of(captures.text(*index, request.path)?)),
        (_, texts) if texts.is_empty() => (!param.required).then_some(Value::Default),
        (_, texts) if param.many => Some(Value::Many(texts.into_vec())),
        (_, texts) => Some(param.value_of(&texts[0])),
    };
    params
        .iter()
        .zip(found)
        .map(value)
        .collect::<Option<Values>>()
        .ok_or(Refusal)
}

/// The texts that were found for a parameter, all under the same name.
#[derive(Clone, Default)]
struct Found {
    /// The place of that name among the parameter's names.
    preference: usize,
    texts: SmallVec<[Box<str>; 1]>,
}

impl Found {
    fn take(&mut self, param: &Param, preference: usize, text: &str) {
        let better = self.texts.is_empty() || preference < self.preference;
        if !better && preference > self.preference {
            return;
        }
        if better {
            self.preference = preference;
            self.texts.clear();
        } else if !param.many {
            if matches!(param.source, Source::Header(_)) {
                return;
            }
            self.texts.clear();
        }
        self.texts.push(text.into());
    }
}

impl Param {
    fn is_in_fields(&self) -> bool {
        matches!(self.source, Source::Header(_) | Source::Cookie(_))
    }

    fn value_of(&self, text: &str) -> Value {
        self.scalar
            .accept(text)
            .unwrap_or_else(|| Value::Undecided(text.into()))
    }
}

fn find_in_query(params: &[Param], query: &[u8], found: &mut [Found]) -> Result<(), Refusal> {
    for (name, value) in query::pairs(query) {
        let name = query::decode(name).ok_or(Refusal)?;
        for (param, found) in params.iter().zip(found.iter_mut()) {
            let Source::Query(names) = &param.source else {
                continue;
            };
            if let Some(preference) = names.iter().position(|wanted| **wanted == *name) {
                found.take(param, preference, &query::decode(value).ok_or(Refusal)?);
            }
        }
    }
    Ok(())
}

fn find_in_fields(
    params: &[Param],
    fields: &dyn Fields,
    found: &mut [Found],
) -> Result<(), Refusal> {
    let mut outcome = Ok(());
    fields.each(&mut |name, value| {
        let is_cookie = name.eq_ignore_ascii_case(b"cookie");
        for (param, found) in params.iter().zip(found.iter_mut()) {
            match &param.source {
                Source::Header(names) => {
                    let same = |wanted: &str| wanted.as_bytes().eq_ignore_ascii_case(name);
                    if let Some(preference) = names.iter().position(|wanted| same(wanted)) {
                        found.take(param, preference, &latin1(value));
                    }
                }
                Source::Cookie(names) if is_cookie => {
                    let Some(cookies) = cookie::pairs(value) else {
                        outcome = Err(Refusal);
                        continue;
                    };
                    for (name, text) in cookies {
                        if let Some(preference) = names.iter().position(|wanted| **wanted == *name)
                        {
                            found.take(param, preference, text);
                        }
                    }
                }
                _ => {}
            }
        }
    });
    outcome
}

/// A field's value as text: each byte is a character, as WSGI and ASGI have it.
fn latin1(value: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(value) {
        Ok(text) if value.is_ascii() => Cow::Borrowed(text),
        _ => Cow::Owned(value.iter().copied().map(char::from).collect()),
    }
}

/// Whether a `Content-Type` says JSON without any doubt: `application/json`, with parameters or without.
pub fn is_json(content_type: Option<&[u8]>) -> bool {
    const JSON: &[u8] = b"application/json";
    let Some(value) = content_type else {
        return false;
    };
    let Some((media_type, rest)) = value.split_at_checked(JSON.len()) else {
        return false;
    };
    media_type.eq_ignore_ascii_case(JSON) && matches!(rest.first(), None | Some(b';'))
}

/// Whether a `Content-Type` says a form without files, and nothing more.
pub fn is_form(content_type: Option<&[u8]>) -> bool {
    const FORM: &[u8] = b"application/x-www-form-urlencoded";
    content_type.is_some_and(|value| value.eq_ignore_ascii_case(FORM))
}

#[cfg(test)]
mod tests;
