//! Which handler answers which path and method. Knows neither bodies nor sockets.

use super::handler::Handler;
use super::params::Params;
use crate::exchange::Exchange;
use crate::http1::head::Head;
use crate::metrics::UNMATCHED;
use crate::service::{LocalBoxFuture, Service};
use percent_encoding::percent_decode;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use thiserror::Error;

/// The native routes of a server: `(method, pattern) → handler`.
///
/// A pattern is a path in which `{name}` stands for one segment and `{*name}` for all that follows. A literal path
/// goes before a pattern; both go before a mounted prefix, of which the longest wins. HEAD is answered by GET's
/// handler where it has none of its own.
#[derive(Default)]
pub struct Routes {
    literals: HashMap<Box<[u8]>, Methods>,
    patterns: matchit::Router<usize>,
    /// What the values of `patterns` point to.
    entries: Vec<Entry>,
    /// The longest first.
    mounts: Vec<Mount>,
}

struct Entry {
    pattern: String,
    names: Rc<[Box<str>]>,
    methods: Methods,
}

struct Mount {
    prefix: Box<[u8]>,
    label: Arc<str>,
    handler: Rc<dyn Handler>,
}

/// The handlers of one path by method; the one without a method takes what the others leave.
struct Methods {
    handlers: Vec<ForMethod>,
    /// The path or pattern.
    label: Arc<str>,
}

type ForMethod = (Option<Box<str>>, Rc<dyn Handler>);

/// A route that cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RouteError {
    /// Not a path.
    #[error("the pattern {0:?} does not begin with \"/\"")]
    NotAPath(String),
    /// Malformed, or in conflict with another one.
    #[error("the pattern {pattern:?} cannot be added: {reason}")]
    Pattern {
        /// What was to be added.
        pattern: String,
        /// Why not.
        reason: String,
    },
    /// This path has a handler for this method already.
    #[error("{pattern:?} has a handler for {} already", method.as_deref().unwrap_or("any method"))]
    Twice {
        /// The method; `None` for any.
        method: Option<String>,
        /// The path or pattern.
        pattern: String,
    },
}

/// A handler that was found, and where the path's parameters stand.
pub struct Match {
    handler: Rc<dyn Handler>,
    params: Params,
    label: Arc<str>,
}

impl Match {
    /// Lets the handler answer; what comes back is as in [`Service::call`].
    pub fn answer(self, exchange: Exchange) -> Option<LocalBoxFuture<()>> {
        exchange.set_route(&self.label);
        self.handler.answer(exchange, self.params)
    }
}

/// What [`Routes`] know of a path.
enum Found<'a> {
    /// The handlers of a path.
    Path(&'a Methods, Params),
    /// A mounted service that takes every method.
    Mounted(&'a Mount),
    Nothing,
}

impl Routes {
    /// No routes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a handler for one method of a pattern.
    pub fn route(
        &mut self,
        method: &str,
        pattern: &str,
        handler: impl Handler,
    ) -> Result<&mut Self, RouteError> {
        self.add(Some(method), pattern, Rc::new(handler))
    }

    /// Adds a handler for GET (and HEAD).
    pub fn get(&mut self, pattern: &str, handler: impl Handler) -> Result<&mut Self, RouteError> {
        self.route("GET", pattern, handler)
    }

    /// Adds a handler for POST.
    pub fn post(&mut self, pattern: &str, handler: impl Handler) -> Result<&mut Self, RouteError> {
        self.route("POST", pattern, handler)
    }

    /// Adds a handler for every method that the pattern has no other handler for.
    pub fn any(&mut self, pattern: &str, handler: impl Handler) -> Result<&mut Self, RouteError> {
        self.add(None, pattern, Rc::new(handler))
    }

    /// Gives everything under `prefix` (and `prefix` itself) to a handler, such as [`Tower`](super::Tower).
    pub fn mount(&mut self, prefix: &str, handler: impl Handler) -> Result<&mut Self, RouteError> {
        let trimmed = prefix.trim_end_matches('/');
        if !prefix.starts_with('/') {
            return Err(RouteError::NotAPath(prefix.to_owned()));
        }
        if self
            .mounts
            .iter()
            .any(|mount| *mount.prefix == *trimmed.as_bytes())
        {
            return Err(RouteError::Twice {
                method: None,
                pattern: prefix.to_owned(),
            });
        }
        self.mounts.push(Mount {
            prefix: trimmed.as_bytes().into(),
            label: prefix.into(),
            handler: Rc::new(handler),
        });
        self.mounts
            .sort_by_key(|mount| usize::MAX - mount.prefix.len());
        Ok(self)
    }

    /// Whether there is no route at all.
    pub fn is_empty(&self) -> bool {
        self.literals.is_empty() && self.entries.is_empty() && self.mounts.is_empty()
    }

    /// The handler for a request, if there is one for its path and its method.
    pub fn lookup(&self, head: &Head) -> Option<Match> {
        match self.find(head.raw_path()) {
            Found::Path(methods, params) => Some(Match {
                handler: methods.get(head.method())?,
                params,
                label: Arc::clone(&methods.label),
            }),
            Found::Mounted(mount) => Some(mount.matched()),
            Found::Nothing => None,
        }
    }

    fn add(
        &mut self,
        method: Option<&str>,
        pattern: &str,
        handler: Rc<dyn Handler>,
    ) -> Result<&mut Self, RouteError> {
        if !pattern.starts_with('/') {
            return Err(RouteError::NotAPath(pattern.to_owned()));
        }
        let methods = if pattern.contains(['{', '}']) {
            self.entry(pattern)?
        } else {
            let known = self.literals.entry(pattern.as_bytes().into());
            known.or_insert_with(|| Methods::of(pattern))
        };
        if methods
            .handlers
            .iter()
            .any(|(known, _)| known.as_deref() == method)
        {
            return Err(RouteError::Twice {
                method: method.map(str::to_owned),
                pattern: pattern.to_owned(),
            });
        }
        methods.handlers.push((method.map(Into::into), handler));
        Ok(self)
    }

    fn entry(&mut self, pattern: &str) -> Result<&mut Methods, RouteError> {
        let known = self
            .entries
            .iter()
            .position(|entry| entry.pattern == pattern);
        let index = if let Some(index) = known {
            index
        } else {
            let index = self.entries.len();
            self.patterns
                .insert(pattern, index)
                .map_err(|error| RouteError::Pattern {
                    pattern: pattern.to_owned(),
                    reason: error.to_string(),
                })?;
            self.entries.push(Entry {
                pattern: pattern.to_owned(),
                names: Params::names_in(pattern),
                methods: Methods::of(pattern),
            });
            index
        };
        Ok(&mut self.entries[index].methods)
    }

    fn find(&self, path: &[u8]) -> Found<'_> {
        if let Some(methods) = self.literal(path) {
            return Found::Path(methods, Params::default());
        }
        if !self.entries.is_empty()
            && let Ok(path) = std::str::from_utf8(path)
            && let Ok(matched) = self.patterns.at(path)
        {
            let entry = &self.entries[*matched.value];
            let values = matched.params.iter().map(|(_, value)| value);
            let params = Params::new(Rc::clone(&entry.names), path, values);
            return Found::Path(&entry.methods, params);
        }
        let mounted = self.mounts.iter().find(|mount| mount.covers(path));
        mounted.map_or(Found::Nothing, Found::Mounted)
    }

    fn literal(&self, path: &[u8]) -> Option<&Methods> {
        if self.literals.is_empty() {
            return None;
        }
        self.literals.get(path).or_else(|| {
            let encoded = path.contains(&b'%');
            let decoded = encoded.then(|| percent_decode(path).collect::<Vec<u8>>())?;
            self.literals.get(&*decoded)
        })
    }
}

impl Mount {
    fn covers(&self, path: &[u8]) -> bool {
        path.strip_prefix(&*self.prefix)
            .is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }

    fn matched(&self) -> Match {
        Match {
            handler: Rc::clone(&self.handler),
            params: Params::mounted(self.prefix.len()),
            label: Arc::clone(&self.label),
        }
    }
}

impl Methods {
    /// None yet for this path or pattern.
    fn of(pattern: &str) -> Self {
        Self {
            handlers: Vec::new(),
            label: pattern.into(),
        }
    }

    fn get(&self, method: &str) -> Option<Rc<dyn Handler>> {
        let of = |wanted: Option<&str>| {
            let found = self
                .handlers
                .iter()
                .find(|(known, _)| known.as_deref() == wanted);
            found.map(|(_, handler)| Rc::clone(handler))
        };
        of(Some(method))
            .or_else(|| (method == "HEAD").then(|| of(Some("GET"))).flatten())
            .or_else(|| of(None))
    }

    /// The value of an `Allow` header.
    fn allowed(&self) -> String {
        let mut names: Vec<&str> = self
            .handlers
            .iter()
            .filter_map(|(name, _)| name.as_deref())
            .collect();
        if names.contains(&"GET") && !names.contains(&"HEAD") {
            names.push("HEAD");
        }
        names.join(", ")
    }
}

impl Service for Routes {
    fn call(&self, exchange: Exchange) -> Option<LocalBoxFuture<()>> {
        let head = exchange.head();
        let refused = match self.find(head.raw_path()) {
            Found::Mounted(mount) => return mount.matched().answer(exchange),
            Found::Path(methods, params) => {
                exchange.set_route(&methods.label);
                if let Some(handler) = methods.get(head.method()) {
                    return handler.answer(exchange, params);
                }
                let allow = methods.allowed();
                let headers = [("content-type", TEXT), ("allow", &allow)];
                exchange.respond(405, headers, &b"Method Not Allowed"[..])
            }
            Found::Nothing => {
                exchange.set_route(&UNMATCHED);
                exchange.respond(404, [("content-type", TEXT)], &b"Not Found"[..])
            }
        };
        if let Err(error) = refused {
            tracing::debug!(%error, "a refusal was not sent");
        }
        None
    }
}

const TEXT: &str = "text/plain; charset=utf-8";
