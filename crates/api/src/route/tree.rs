//! All patterns in one trie, by segments. Knows patterns and the order they came in; knows neither methods nor requests.
//!
//! A walk visits a node at most once and tries, at each, one hash look-up for text and the distinct shapes of segment
//! that were registered there: its cost depends on the path's depth, not on the number of routes.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::capture::match_whole;
use super::pattern::{ParamKind, Piece, RoutePattern};

/// A route's number: its place in the order of registration.
pub type RouteId = u32;

/// The routes whose patterns match a path, in the order of registration.
pub type Candidates = SmallVec<[RouteId; 8]>;

/// The trie.
#[derive(Debug)]
pub struct Tree {
    nodes: Vec<Node>,
}

type NodeId = usize;

const ROOT: NodeId = 0;

/// What may follow a certain beginning of a path.
#[derive(Debug, Default)]
struct Node {
    /// Segments without parameters.
    texts: HashMap<Box<str>, NodeId>,
    /// Segments with parameters; equal ones share their node.
    shapes: Vec<(Box<[Piece]>, NodeId)>,
    /// Patterns whose remainder contains a `path` parameter and thus no certain number of segments.
    tails: Vec<(Box<[Piece]>, RouteId)>,
    /// Patterns that end here.
    ends: Vec<RouteId>,
}

impl Default for Tree {
    fn default() -> Self {
        Self {
            nodes: vec![Node::default()],
        }
    }
}

impl Tree {
    /// Adds `pattern` as route `id`. Routes are to be added in the order of their numbers.
    pub fn insert(&mut self, pattern: &RoutePattern, id: RouteId) {
        let mut node = ROOT;
        for segment in Segments::of(pattern.pieces()) {
            match segment {
                Segment::Text(text) => node = self.text_child(node, text),
                Segment::Shape(shape) => node = self.shape_child(node, shape),
                Segment::Tail(tail) => {
                    self.nodes[node].tails.push((tail, id));
                    return;
                }
            }
        }
        self.nodes[node].ends.push(id);
    }

    /// All routes that match `path` (percent-decoded), the first registered first.
    pub fn candidates(&self, path: &str) -> Candidates {
        let mut found = Candidates::new();
        if let Some(path) = path.strip_prefix('/') {
            self.walk(ROOT, path, &mut found);
            found.sort_unstable();
        }
        found
    }

    /// `rest` is what follows the slash before this node's segment.
    fn walk(&self, node: NodeId, rest: &str, found: &mut Candidates) {
        let node = &self.nodes[node];
        for (pieces, id) in &node.tails {
            if match_whole(pieces, rest).is_some() {
                found.push(*id);
            }
        }
        let slash = memchr::memchr(b'/', rest.as_bytes());
        let segment = &rest[..slash.unwrap_or(rest.len())];
        let text = node.texts.get(segment).copied();
        let shaped = node
            .shapes
            .iter()
            .filter(|(shape, _)| fits(shape, segment))
            .map(|(_, child)| *child);
        for child in text.into_iter().chain(shaped) {
            match slash {
                Some(slash) => self.walk(child, &rest[slash + 1..], found),
                None => found.extend_from_slice(&self.nodes[child].ends),
            }
        }
    }

    fn text_child(&mut self, parent: NodeId, text: Box<str>) -> NodeId {
        let next = self.nodes.len();
        let child = *self.nodes[parent].texts.entry(text).or_insert(next);
        self.grow(child)
    }

    fn shape_child(&mut self, parent: NodeId, shape: Box<[Piece]>) -> NodeId {
        let next = self.nodes.len();
        let shapes = &mut self.nodes[parent].shapes;
        let known = shapes
            .iter()
            .find(|(known, _)| *known == shape)
            .map(|(_, child)| *child);
        let child = known.unwrap_or_else(|| {
            shapes.push((shape, next));
            next
        });
        self.grow(child)
    }

    fn grow(&mut self, child: NodeId) -> NodeId {
        if child == self.nodes.len() {
            self.nodes.push(Node::default());
        }
        child
    }
}

fn fits(shape: &[Piece], segment: &str) -> bool {
    match shape {
        [Piece::Param(ParamKind::Str)] => !segment.is_empty(),
        shape => match_whole(shape, segment).is_some(),
    }
}

enum Segment {
    Text(Box<str>),
    Shape(Box<[Piece]>),
    Tail(Box<[Piece]>),
}

/// Cuts a pattern's pieces at the slashes of its literals.
struct Segments {
    pieces: std::vec::IntoIter<Piece>,
    segments_left: usize,
}

impl Segments {
    fn of(pieces: &[Piece]) -> Self {
        let mut cut = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Param(_) => cut.push(piece.clone()),
                Piece::Literal(text) => cut.extend(
                    text.split_inclusive('/')
                        .map(|part| Piece::Literal(part.into())),
                ),
            }
        }
        // The first piece is the slash that every path starts with.
        cut.remove(0);
        let segments_left = 1 + cut.iter().filter(|piece| ends_segment(piece)).count();
        Self {
            pieces: cut.into_iter(),
            segments_left,
        }
    }
}

fn ends_segment(piece: &Piece) -> bool {
    matches!(piece, Piece::Literal(text) if text.ends_with('/'))
}

impl Iterator for Segments {
    type Item = Segment;

    fn next(&mut self) -> Option<Segment> {
        self.segments_left = self.segments_left.checked_sub(1)?;
        let pieces = self.pieces.as_slice();
        let length = pieces
            .iter()
            .position(ends_segment)
            .map_or(pieces.len(), |slash| slash + 1);
        if pieces[..length].contains(&Piece::Param(ParamKind::Path)) {
            self.segments_left = 0;
            return Some(Segment::Tail(self.pieces.by_ref().collect()));
        }
        let shape: Box<[Piece]> = self
            .pieces
            .by_ref()
            .take(length)
            .map(without_slash)
            .filter(|piece| !is_nothing(piece))
            .collect();
        Some(match &*shape {
            [] => Segment::Text("".into()),
            [Piece::Literal(text)] => Segment::Text(text.clone()),
            _ => Segment::Shape(shape),
        })
    }
}

fn without_slash(piece: Piece) -> Piece {
    match piece {
        Piece::Literal(text) => Piece::Literal(text.trim_end_matches('/').into()),
        param @ Piece::Param(_) => param,
    }
}

fn is_nothing(piece: &Piece) -> bool {
    matches!(piece, Piece::Literal(text) if text.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tree(patterns: &[&str]) -> (Tree, Vec<RoutePattern>) {
        let patterns: Vec<_> = patterns
            .iter()
            .map(|text| RoutePattern::parse(text).unwrap())
            .collect();
        let mut tree = Tree::default();
        for (id, pattern) in (0..).zip(&patterns) {
            tree.insert(pattern, id);
        }
        (tree, patterns)
    }

    /// The specification: ask every pattern, one after the other.
    fn linear(patterns: &[RoutePattern], path: &str) -> Vec<RouteId> {
        (0..)
            .zip(patterns)
            .filter(|(_, pattern)| pattern.captures(path).is_some())
            .map(|(id, _)| id)
            .collect()
    }

    #[test]
    fn candidates_come_in_registration_order() {
        let (tree, _) = tree(&[
            "/items/{id}",
            "/items/me",
            "/{a}/me",
            "/{p:path}",
            "/items/{id:int}",
            "/items/me",
        ]);
        assert_eq!(tree.candidates("/items/me").as_slice(), [0, 1, 2, 3, 5]);
        assert_eq!(tree.candidates("/items/7").as_slice(), [0, 3, 4]);
        assert_eq!(tree.candidates("/").as_slice(), [3]);
        assert_eq!(tree.candidates("*").as_slice(), [] as [RouteId; 0]);
    }

    #[test]
    fn slashes_count() {
        let (tree, _) = tree(&["/", "/a", "/a/", "//", "/a//b", "/{x}/"]);
        for (path, id) in [("/", 0), ("/a", 1), ("//", 3), ("/a//b", 4), ("/b/", 5)] {
            assert_eq!(tree.candidates(path).as_slice(), [id], "{path}");
        }
        assert_eq!(tree.candidates("/a/").as_slice(), [2, 5]);
        assert!(tree.candidates("///").is_empty());
    }

    /// Few letters, so that patterns and paths meet.
    fn segment() -> impl Strategy<Value = String> {
        let text = "[ab1.-]{0,3}";
        let param = prop::sample::select(vec!["{}", "{:int}", "{:float}", "{:path}"]);
        prop_oneof![
            3 => text.prop_map(String::from),
            3 => param.clone().prop_map(String::from),
            2 => (text, param.clone(), text).prop_map(|(before, param, after)| format!("{before}{param}{after}")),
            1 => (param.clone(), "[.-]", param).prop_map(|(first, between, second)| format!("{first}{between}{second}")),
        ]
    }

    fn pattern() -> impl Strategy<Value = RoutePattern> {
        prop::collection::vec(segment(), 1..4).prop_map(|segments| {
            let text = format!("/{}", segments.join("/"));
            let named = text
                .split('{')
                .enumerate()
                .fold(String::new(), |all, (index, part)| match index {
                    0 => part.to_owned(),
                    _ => format!("{all}{{p{index}{part}"),
                });
            RoutePattern::parse(&named).unwrap()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn the_tree_agrees_with_asking_every_pattern(
            patterns in prop::collection::vec(pattern(), 1..12),
            paths in prop::collection::vec("/[ab1.-]{0,3}(/[ab1.-]{0,3}){0,3}", 1..12),
        ) {
            let mut tree = Tree::default();
            for (id, pattern) in (0..).zip(&patterns) {
                tree.insert(pattern, id);
            }
            for path in paths {
                prop_assert_eq!(tree.candidates(&path).to_vec(), linear(&patterns, &path), "{}", path);
            }
        }
    }
}
