//! The parameters of a path: where they stand in it, decoded when asked for.

use percent_encoding::percent_decode;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;

/// Where the parameters of a pattern stand in the path that matched it.
#[derive(Debug, Clone, Default)]
pub struct Params {
    names: Option<Rc<[Box<str>]>>,
    spans: SmallVec<[Range<usize>; 4]>,
    /// How much of the path belongs to the prefix it is mounted under.
    pub(super) prefix: usize,
}

impl Params {
    /// `values` are slices of `path`, in the order of `names`.
    pub(super) fn new<'a>(
        names: Rc<[Box<str>]>,
        path: &'a str,
        values: impl Iterator<Item = &'a str>,
    ) -> Self {
        let base = path.as_ptr().addr();
        let span = |value: &str| {
            let start = value.as_ptr().addr() - base;
            start..start + value.len()
        };
        Self {
            names: Some(names),
            spans: values.map(span).collect(),
            prefix: 0,
        }
    }

    /// None, under a mounted prefix of this length.
    pub(super) fn mounted(prefix: usize) -> Self {
        Self {
            prefix,
            ..Self::default()
        }
    }

    /// The names in a pattern, in its order.
    pub(super) fn names_in(pattern: &str) -> Rc<[Box<str>]> {
        // A doubled brace stands for itself.
        let plain = pattern.replace("{{", "").replace("}}", "");
        let names = plain
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}'));
        names
            .map(|(name, _)| Box::from(name.trim_start_matches('*')))
            .collect()
    }

    /// The percent-decoded value of one; bytes that are not UTF-8 are replaced.
    pub fn get<'a>(&self, name: &str, raw_path: &'a [u8]) -> Option<Cow<'a, str>> {
        let names = self.names.as_ref()?;
        let index = names.iter().position(|known| **known == *name)?;
        let raw = raw_path.get(self.spans.get(index)?.clone())?;
        Some(percent_decode(raw).decode_utf8_lossy())
    }
}

#[cfg(test)]
mod tests {
    use super::Params;

    #[test]
    fn names_come_in_the_order_of_the_pattern() {
        let names = |pattern| {
            let names = Params::names_in(pattern);
            names.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(names("/a/{one}/b-{two}/{*rest}"), ["one", "two", "rest"]);
        assert!(names("/a/{{one}}").is_empty());
    }

    #[test]
    fn values_are_decoded_when_asked_for() {
        let path = "/users/a%2Fb/x";
        let params = Params::new(
            Params::names_in("/users/{id}/{x}"),
            path,
            [&path[7..12], &path[13..]].into_iter(),
        );
        assert_eq!(params.get("id", path.as_bytes()).as_deref(), Some("a/b"));
        assert_eq!(params.get("x", path.as_bytes()).as_deref(), Some("x"));
        assert_eq!(params.get("y", path.as_bytes()), None);
    }
}
