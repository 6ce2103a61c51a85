//! The header fields of an answer, as handlers write them.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Header fields before an answer: a [`HeaderMap`], or an array of names and values. They take the place of fields of the same name; a name
/// that is there twice is sent twice. What cannot be sent is a 500, and said in the log.
pub trait IntoHeaders {
    /// Makes the fields.
    ///
    /// # Errors
    /// Where a name or a value cannot be sent.
    fn into_headers(self) -> Result<HeaderMap, http::Error>;
}

impl IntoHeaders for HeaderMap {
    fn into_headers(self) -> Result<HeaderMap, http::Error> {
        Ok(self)
    }
}

impl<N, V, const COUNT: usize> IntoHeaders for [(N, V); COUNT]
where
    N: TryInto<HeaderName, Error: Into<http::Error>>,
    V: TryInto<HeaderValue, Error: Into<http::Error>>,
{
    fn into_headers(self) -> Result<HeaderMap, http::Error> {
        let mut all = HeaderMap::with_capacity(COUNT);
        for (name, value) in self {
            let name = name.try_into().map_err(Into::<http::Error>::into)?;
            all.append(name, value.try_into().map_err(Into::<http::Error>::into)?);
        }
        Ok(all)
    }
}

/// Puts `fields` in the place of those of the same names.
pub(crate) fn replace(headers: &mut HeaderMap, fields: HeaderMap) {
    // The map gives the name with the first of its values only.
    let mut last: Option<HeaderName> = None;
    for (name, value) in fields {
        let is_first = name.is_some();
        last = name.or(last);
        match &last {
            Some(name) if is_first => drop(headers.insert(name, value)),
            Some(name) => drop(headers.append(name, value)),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Html, IntoResponse, Redirect, StatusCode};
    use http::header::{CONTENT_TYPE, SET_COOKIE};

    #[test]
    fn fields_replace_those_of_the_answer_and_may_be_there_twice() {
        let cookies = [
            (SET_COOKIE, "a=1"),
            (SET_COOKIE, "b=2"),
            (CONTENT_TYPE, "text/x"),
        ];
        let response = (cookies, Html("x")).into_response();
        assert_eq!(response.headers()[CONTENT_TYPE], "text/x");
        let all: Vec<_> = response.headers().get_all(SET_COOKIE).iter().collect();
        assert_eq!(all, ["a=1", "b=2"]);
    }

    #[test]
    fn what_cannot_be_sent_is_a_500() {
        let response = (StatusCode::OK, [("x-text", "two\nlines")], "x").into_response();
        assert_eq!(response.status(), 500);
        assert_eq!(([("two words", "x")], "x").into_response().status(), 500);
    }

    #[test]
    fn redirects_name_their_place() {
        let response = Redirect::to("/there").into_response();
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers()["location"], "/there");
    }
}
