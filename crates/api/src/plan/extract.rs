//! T1 before user code: a route's parameters out of the request's line. Knows no interpreter.

use smallvec::SmallVec;

use super::param::{Param, Source};
use super::query;
use super::scalar::Value;
use crate::route::Captures;

/// The values of a route's parameters, in their order.
pub type Values = SmallVec<[Value; 4]>;

/// The plan does not fully understand this request: the reference path decides about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal;

/// Extracts and validates `params`. `path` is the decoded path that `captures` were made from; `query` is as received.
pub fn extract(
    params: &[Param],
    path: &str,
    captures: &Captures,
    query: &[u8],
) -> Result<Values, Refusal> {
    let found = find_in_query(params, query)?;
    let value = |(param, found): (&Param, Option<&[u8]>)| match (&param.source, found) {
        (Source::Path(index), _) => param.scalar.accept(captures.text(*index, path)?),
        (Source::Query(_), Some(raw)) => param.scalar.accept(&query::decode(raw)?),
        (Source::Query(_), None) if param.required => None,
        (Source::Query(_), None) => Some(Value::Default),
    };
    params
        .iter()
        .zip(found)
        .map(value)
        .collect::<Option<Values>>()
        .ok_or(Refusal)
}

/// For each parameter, the value of the last pair with its name.
fn find_in_query<'q>(
    params: &[Param],
    query: &'q [u8],
) -> Result<SmallVec<[Option<&'q [u8]>; 4]>, Refusal> {
    let mut found = SmallVec::from_elem(None, params.len());
    if query.is_empty() {
        return Ok(found);
    }
    for (name, value) in query::pairs(query) {
        let name = query::decode(name).ok_or(Refusal)?;
        let wanted =
            |param: &Param| matches!(&param.source, Source::Query(wanted) if **wanted == *name);
        if let Some(index) = params.iter().position(wanted) {
            found[index] = Some(value);
        }
    }
    Ok(found)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Scalar;
    use crate::route::RoutePattern;

    fn param(source: Source, scalar: Scalar, required: bool) -> Param {
        Param {
            source,
            scalar,
            required,
        }
    }

    fn extracted(query: &str) -> Result<Vec<Value>, Refusal> {
        let params = [
            param(Source::Path(0), Scalar::Int, true),
            param(Source::Query("q".into()), Scalar::Str, true),
            param(Source::Query("limit".into()), Scalar::Int, false),
        ];
        let captures = RoutePattern::parse("/items/{id}")
            .unwrap()
            .captures("/items/7")
            .unwrap();
        extract(&params, "/items/7", &captures, query.as_bytes()).map(Values::into_vec)
    }

    #[test]
    fn takes_path_and_query() {
        let text = |text: &str| Value::Str(text.into());
        assert_eq!(
            extracted("q=a+b&limit=3&other=%20"),
            Ok(vec![Value::Int(7), text("a b"), Value::Int(3)])
        );
        assert_eq!(
            extracted("q=x"),
            Ok(vec![Value::Int(7), text("x"), Value::Default])
        );
        assert_eq!(
            extracted("q=x&q=y&%71="),
            Ok(vec![Value::Int(7), text(""), Value::Default]),
            "the last one counts"
        );
    }

    #[test]
    fn refuses_what_is_missing_or_doubtful() {
        for query in [
            "",
            "limit=3",
            "q=x&limit=x",
            "q=x&limit=",
            "q=%FF",
            "q=x&ä=1",
        ] {
            assert_eq!(extracted(query), Err(Refusal), "{query}");
        }
    }

    #[test]
    fn json_is_what_says_so_plainly() {
        for yes in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;x",
        ] {
            assert!(is_json(Some(yes.as_bytes())), "{yes}");
        }
        for no in [
            "",
            "text/json",
            "application/jsonp",
            "application/problem+json",
            "application/json x",
        ] {
            assert!(!is_json(Some(no.as_bytes())), "{no}");
        }
        assert!(!is_json(None));
    }
}
