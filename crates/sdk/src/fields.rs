//! Header fields and cookies, as structs.

use crate::describe::Operation;
use crate::extract::FromRequest;
use crate::pairs;
use crate::rejection::Rejection;
use crate::request::Request;
use percent_encoding::percent_decode;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::borrow::Cow;

/// Header fields, a struct: its field `user_agent` is the header `user-agent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headers<T>(pub T);

/// Cookies, a struct by their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cookies<T>(pub T);

impl<T: DeserializeOwned + JsonSchema> FromRequest for Headers<T> {
    async fn from_request(request: &mut Request) -> Result<Self, Rejection> {
        let fields = request.call.fields().into_iter();
        let given = fields.map(|(name, value)| {
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            (
                Cow::from(name.replace('-', "_")),
                String::from_utf8_lossy(value),
            )
        });
        pairs::read(&given.collect::<Vec<_>>())
            .map(Self)
            .map_err(|error| error.rename(|name| name.replace('_', "-")).reject("header"))
    }

    fn describe(operation: &mut Operation, _: &[&str]) {
        operation.parameters::<T>("header", |name| name.replace('_', "-"));
        operation.may_refuse();
    }
}

impl<T: DeserializeOwned + JsonSchema> FromRequest for Cookies<T> {
    async fn from_request(request: &mut Request) -> Result<Self, Rejection> {
        let cookies = request.header("cookie").unwrap_or_default();
        let given: Vec<_> = cookies
            .split(|byte| *byte == b';')
            .filter_map(pair)
            .collect();
        pairs::read(&given)
            .map(Self)
            .map_err(|error| error.reject("cookie"))
    }

    fn describe(operation: &mut Operation, _: &[&str]) {
        operation.parameters::<T>("cookie", str::to_owned);
        operation.may_refuse();
    }
}

/// A cookie's name and value, without quotes and percent-encoding.
fn pair(text: &[u8]) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let at = text.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (text[..at].trim_ascii(), text[at + 1..].trim_ascii());
    let quoted = value
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""));
    let value = percent_decode(quoted.unwrap_or(value)).decode_utf8_lossy();
    Some((String::from_utf8_lossy(name), value))
}

#[cfg(test)]
mod tests {
    use super::pair;

    #[test]
    fn cookies_lose_their_quotes() {
        let of = |text: &'static str| pair(text.as_bytes());
        assert_eq!(of(" a = b "), Some(("a".into(), "b".into())));
        assert_eq!(of("a=\"b%20c\""), Some(("a".into(), "b c".into())));
        assert_eq!(of("a"), None);
    }
}
