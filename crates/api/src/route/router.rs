//! A method and a path against all routes: which one answers, or why none does. Knows no handler and no connection.
//!
//! The rules of `FastAPI`: the first registered route that matches path and method wins; failing that, the first that matches
//! the path refuses with 405 and its own methods; failing that, the path with or without its last slash is tried.

use super::capture::Captures;
use super::methods::{MethodError, MethodSet, Methods};
use super::pattern::RoutePattern;
use super::tree::{RouteId, Tree};

/// Routes in the order of their registration.
#[derive(Debug, Default)]
pub struct Router {
    tree: Tree,
    methods: Methods,
    routes: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    pattern: RoutePattern,
    /// `None`: all of them.
    methods: Option<MethodSet>,
}

/// What a method and a path amount to.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This route answers.
    Found(RouteId, Captures),
    /// The path is known, the method is not: the value of `Allow`.
    MethodNotAllowed(String),
    /// The path is known but for its last slash.
    Redirect,
    /// Nothing of the kind.
    NotFound,
}

impl Router {
    /// Adds a route; its number is the count of those before it.
    pub fn add<'m>(
        &mut self,
        pattern: RoutePattern,
        methods: impl IntoIterator<Item = &'m str>,
    ) -> Result<RouteId, MethodError> {
        let methods = self.methods.register(methods)?;
        Ok(self.insert(pattern, Some(methods)))
    }

    /// Adds a route that takes every method.
    pub fn add_any(&mut self, pattern: RoutePattern) -> RouteId {
        self.insert(pattern, None)
    }

    fn insert(&mut self, pattern: RoutePattern, methods: Option<MethodSet>) -> RouteId {
        let id = RouteId::try_from(self.routes.len()).unwrap_or(RouteId::MAX);
        self.tree.insert(&pattern, id);
        self.routes.push(Entry { pattern, methods });
        id
    }

    /// Decides on a request. `path` is percent-decoded.
    pub fn find(&self, method: &str, path: &str) -> Outcome {
        let wanted = self.methods.find(method);
        let candidates = self.tree.candidates(path);
        let entry = |id: &RouteId| &self.routes[*id as usize];
        if let Some(id) = candidates.iter().find(|id| {
            entry(id)
                .methods
                .is_none_or(|methods| methods.contains(wanted))
        }) {
            let captures = entry(id).pattern.captures(path).unwrap_or_default();
            return Outcome::Found(*id, captures);
        }
        match candidates.first() {
            Some(first) => Outcome::MethodNotAllowed(
                self.methods.allow(entry(first).methods.unwrap_or_default()),
            ),
            None if self.knows_with_other_slash(path) => Outcome::Redirect,
            None => Outcome::NotFound,
        }
    }

    /// The pattern of route `id`.
    pub fn pattern(&self, id: RouteId) -> Option<&RoutePattern> {
        Some(&self.routes.get(id as usize)?.pattern)
    }

    fn knows_with_other_slash(&self, path: &str) -> bool {
        match path {
            "/" => false,
            path if path.ends_with('/') => {
                !self.tree.candidates(path.trim_end_matches('/')).is_empty()
            }
            path => !self.tree.candidates(&format!("{path}/")).is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(table: &[(&str, &[&str])]) -> Router {
        let mut router = Router::default();
        for (path, methods) in table {
            router
                .add(RoutePattern::parse(path).unwrap(), methods.iter().copied())
                .unwrap();
        }
        router
    }

    fn found(router: &Router, method: &str, path: &str) -> Option<RouteId> {
        match router.find(method, path) {
            Outcome::Found(id, _) => Some(id),
            _ => None,
        }
    }

    #[test]
    fn the_first_route_with_the_method_wins() {
        let router = router(&[
            ("/items/{id}", &["GET"]),
            ("/items/me", &["GET"]),
            ("/items/me", &["POST"]),
        ]);
        assert_eq!(found(&router, "GET", "/items/me"), Some(0));
        assert_eq!(found(&router, "POST", "/items/me"), Some(2));
    }

    #[test]
    fn a_known_path_with_another_method_is_a_405_of_the_first_route() {
        let router = router(&[("/a", &["GET"]), ("/a", &["POST", "PUT"])]);
        assert_eq!(
            router.find("DELETE", "/a"),
            Outcome::MethodNotAllowed("GET".into())
        );
        assert_eq!(
            router.find("HEAD", "/a"),
            Outcome::MethodNotAllowed("GET".into())
        );
        assert_eq!(
            router.find("BREW", "/a"),
            Outcome::MethodNotAllowed("GET".into())
        );
    }

    #[test]
    fn one_slash_too_many_or_too_few_redirects() {
        let router = router(&[("/", &["GET"]), ("/a", &["GET"]), ("/b/", &["POST"])]);
        assert_eq!(router.find("GET", "/a/"), Outcome::Redirect);
        assert_eq!(router.find("GET", "/a///"), Outcome::Redirect);
        assert_eq!(
            router.find("GET", "/b"),
            Outcome::Redirect,
            "whatever the method"
        );
        assert_eq!(router.find("GET", "/c/"), Outcome::NotFound);
        assert_eq!(
            router.find("GET", "//"),
            Outcome::NotFound,
            "stripped, nothing is left"
        );
        assert_eq!(router.find("OPTIONS", "*"), Outcome::NotFound);
    }

    #[test]
    fn captures_are_those_of_the_winner() {
        let router = router(&[("/{a}/{n:int}", &["POST"]), ("/x/{b}", &["GET"])]);
        let Outcome::Found(1, captures) = router.find("GET", "/x/7") else {
            panic!()
        };
        assert_eq!(captures.text(0, "/x/7"), Some("7"));
    }
}
