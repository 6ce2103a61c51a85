//! Pieces against text: which stretch each parameter takes. Knows no tree, no route and no request.
//!
//! The result is the one a leftmost, greedy regular expression gives (`[^/]+`, `[0-9]+`, `.*` …), which is what
//! Starlette matches with; the cost is not: a stretch of text that has failed once for a piece is not tried again, so
//! that a hostile path costs time in proportion to its length.

use std::ops::Range;

use smallvec::{SmallVec, smallvec};

use super::pattern::{ParamKind, Piece};

/// The stretch of the path that each parameter took, in the pattern's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captures(SmallVec<[(u32, u32); 4]>);

impl Captures {
    /// The bytes of the path that parameter `index` took.
    pub fn range(&self, index: usize) -> Option<Range<usize>> {
        self.0
            .get(index)
            .map(|&(from, to)| from as usize..to as usize)
    }

    /// What parameter `index` took from `path`, the text these captures were made from.
    pub fn text<'p>(&self, index: usize, path: &'p str) -> Option<&'p str> {
        path.get(self.range(index)?)
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the pattern has no parameter.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Matches `pieces` against the whole of `text`.
pub(super) fn match_whole(pieces: &[Piece], text: &str) -> Option<Captures> {
    u32::try_from(text.len()).ok()?;
    let mut search = Search {
        pieces,
        text,
        failed: smallvec![0..0; pieces.len() + 1],
        taken: SmallVec::new(),
    };
    search.rest_matches(0, 0).then_some(Captures(search.taken))
}

struct Search<'a> {
    pieces: &'a [Piece],
    text: &'a str,
    /// For each piece, offsets at which it and all that follows are known not to match.
    failed: SmallVec<[Range<usize>; 8]>,
    taken: SmallVec<[(u32, u32); 4]>,
}

impl Search<'_> {
    /// Whether the pieces from `index` on match the text from `at` on. Recursion is as deep as the pattern is long.
    fn rest_matches(&mut self, index: usize, at: usize) -> bool {
        match self.pieces.get(index) {
            None => at == self.text.len(),
            Some(Piece::Literal(literal)) => {
                self.text.as_bytes()[at..].starts_with(literal.as_bytes())
                    && self.rest_matches(index + 1, at + literal.len())
            }
            Some(Piece::Param(kind)) => self.param(*kind, index, at),
        }
    }

    /// Gives the parameter as much as it may take and takes back until the rest matches.
    fn param(&mut self, kind: ParamKind, index: usize, at: usize) -> bool {
        let extent = Extent::of(kind, &self.text[at..]);
        let (shortest, longest) = (at + extent.shortest, at + extent.longest);
        if extent.shortest > extent.longest {
            return false;
        }
        if index + 1 == self.pieces.len() {
            self.take(at, longest);
            return longest == self.text.len();
        }
        let failed = &self.failed[index + 1];
        let untried = if failed.end == longest + 1 {
            failed.start.max(shortest)
        } else {
            longest + 1
        };
        for end in (shortest..untried).rev() {
            if extent.forbidden == Some(end - at) || !self.text.is_char_boundary(end) {
                continue;
            }
            let mark = self.taken.len();
            self.take(at, end);
            if self.rest_matches(index + 1, end) {
                return true;
            }
            self.taken.truncate(mark);
        }
        if extent.forbidden.is_none() {
            self.failed[index + 1] = shortest.min(untried)..longest + 1;
        }
        false
    }

    #[allow(clippy::cast_possible_truncation)] // `match_whole` refuses text longer than u32 can count
    fn take(&mut self, from: usize, to: usize) {
        self.taken.push((from as u32, to as u32));
    }
}

/// The lengths a parameter may take from the start of a text; none if the shortest is longer than the longest.
struct Extent {
    shortest: usize,
    longest: usize,
    /// The length of a float that would end with its point.
    forbidden: Option<usize>,
}

impl Extent {
    fn of(kind: ParamKind, text: &str) -> Self {
        let bytes = text.as_bytes();
        let digits = |from: usize| {
            bytes[from..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count()
        };
        let between = |shortest, longest| Self {
            shortest,
            longest,
            forbidden: None,
        };
        match kind {
            ParamKind::Str => between(1, memchr::memchr(b'/', bytes).unwrap_or(bytes.len())),
            ParamKind::Path => between(0, bytes.len()),
            ParamKind::Int => between(1, digits(0)),
            ParamKind::Uuid => {
                uuid_length(bytes).map_or(between(1, 0), |length| between(length, length))
            }
            ParamKind::Float => {
                let whole = digits(0);
                let fraction = if whole > 0 && bytes.get(whole) == Some(&b'.') {
                    digits(whole + 1)
                } else {
                    0
                };
                match fraction {
                    0 => between(1, whole),
                    _ => Self {
                        shortest: 1,
                        longest: whole + 1 + fraction,
                        forbidden: Some(whole + 1),
                    },
                }
            }
        }
    }
}

/// The length of the UUID at the start of `bytes`: eight, four, four, four, twelve hexadecimal digits, a hyphen between
/// two groups or not.
fn uuid_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    for (index, group) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if index > 0 && bytes.get(at) == Some(&b'-') {
            at += 1;
        }
        let end = at + group;
        if !bytes.get(at..end)?.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        at = end;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use crate::route::RoutePattern;

    fn captured<'p>(pattern: &str, path: &'p str) -> Option<Vec<&'p str>> {
        let captures = RoutePattern::parse(pattern).unwrap().captures(path)?;
        Some(
            (0..captures.len())
                .map(|index| captures.text(index, path).unwrap())
                .collect(),
        )
    }

    #[test]
    fn literal_paths_match_themselves_only() {
        assert_eq!(captured("/", "/"), Some(vec![]));
        assert_eq!(captured("/a/b", "/a/b"), Some(vec![]));
        assert_eq!(captured("/a/b", "/a/b/"), None);
        assert_eq!(captured("/a/b", "/a"), None);
    }

    #[test]
    fn a_parameter_takes_one_segment_and_never_nothing() {
        assert_eq!(captured("/items/{id}", "/items/42"), Some(vec!["42"]));
        assert_eq!(captured("/items/{id}", "/items/"), None);
        assert_eq!(captured("/items/{id}", "/items/4/2"), None);
        assert_eq!(captured("/{a}/{b}/", "/ä/ö/"), Some(vec!["ä", "ö"]));
    }

    #[test]
    fn typed_parameters_decide_the_match() {
        assert_eq!(captured("/{n:int}", "/007"), Some(vec!["007"]));
        assert_eq!(captured("/{n:int}", "/-7"), None);
        assert_eq!(captured("/{n:int}", "/7a"), None);
        assert_eq!(captured("/{n:float}", "/1.50"), Some(vec!["1.50"]));
        assert_eq!(captured("/{n:float}", "/15"), Some(vec!["15"]));
        assert_eq!(captured("/{n:float}", "/1."), None);
        assert_eq!(
            captured("/{n:float}.{m:int}", "/1.2.3"),
            Some(vec!["1.2", "3"])
        );
        assert_eq!(captured("/{n:float}.{m}", "/1.x"), Some(vec!["1", "x"]));
        let id = "123e4567-e89b-12d3-a456-426614174000";
        assert_eq!(captured("/{id:uuid}", &format!("/{id}")), Some(vec![id]));
        assert_eq!(
            captured("/{id:uuid}", &format!("/{}", id.replace('-', ""))),
            Some(vec![&*id.replace('-', "")])
        );
        assert_eq!(captured("/{id:uuid}", "/123e4567"), None);
    }

    #[test]
    fn a_path_takes_the_rest_and_gives_back_what_follows() {
        assert_eq!(captured("/files/{p:path}", "/files/"), Some(vec![""]));
        assert_eq!(
            captured("/files/{p:path}", "/files/a/b.txt"),
            Some(vec!["a/b.txt"])
        );
        assert_eq!(
            captured("/files/{p:path}/edit", "/files/a/edit/edit"),
            Some(vec!["a/edit"])
        );
        assert_eq!(captured("/files/{p:path}/edit", "/files/edit"), None);
        assert_eq!(
            captured("/{p:path}/{n:int}", "/a/b/7"),
            Some(vec!["a/b", "7"])
        );
    }

    #[test]
    fn the_first_parameter_of_a_segment_is_the_greediest() {
        assert_eq!(captured("/{a}-{b}", "/x-y-z"), Some(vec!["x-y", "z"]));
        assert_eq!(
            captured("/{a}.{b}.tar", "/x.y.z.tar"),
            Some(vec!["x.y", "z"])
        );
        assert_eq!(captured("/{a}{b:int}", "/x123"), Some(vec!["x12", "3"]));
        assert_eq!(
            captured("/{a}{b:int}{c}", "/x12y3"),
            Some(vec!["x1", "2", "y3"])
        );
    }

    #[test]
    fn a_hostile_path_costs_time_in_proportion_to_its_length() {
        let path = format!("/{}", "-".repeat(16 * 1024));
        let began = Instant::now();
        assert_eq!(captured("/{a}-{b}-{c}-{d}-{e:int}", &path), None);
        assert_eq!(captured("/{a:path}-{b:path}-{c:path}-{d}x", &path), None);
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "{:?}",
            began.elapsed()
        );
    }
}
