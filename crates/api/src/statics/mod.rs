//! Folders whose files are served in front of an app, without it. Knows neither who the app is nor how files are sent.

mod beneath;
mod conditions;
mod ranges;

use crate::accept_encoding::Weights;
use crate::error::ResponseError;
use crate::exchange::Exchange;
use crate::http1::head::Head;
use crate::service::{LocalBoxFuture, Service};
use beneath::Found;
use conditions::{Marks, Verdict};
use ranges::Asked;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Codings whose files may lie beside a file, the best first, and how their names end.
const NEIGHBOURS: [(&str, &str); 3] = [("br", "br"), ("zstd", "zst"), ("gzip", "gz")];

/// What a file is whose name does not say it.
const UNKNOWN: &str = "application/octet-stream";

/// A folder and where its files are found.
pub struct Mount {
    /// Without the slash at its end: nothing for all paths.
    prefix: Box<[u8]>,
    root: PathBuf,
    /// For those who count by routes.
    route: Arc<str>,
}

impl Mount {
    /// The files of `root` at the paths below `prefix`, which begins with a slash.
    pub fn new(prefix: &str, root: &Path) -> io::Result<Self> {
        let prefix = prefix.trim_end_matches('/');
        Ok(Self {
            prefix: prefix.as_bytes().into(),
            root: std::path::absolute(root)?,
            route: format!("{prefix}/{{path}}").into(),
        })
    }

    /// What of a path lies below; nothing of the mount's own path.
    fn below<'a>(&self, path: &'a [u8]) -> Option<&'a [u8]> {
        let rest = path.strip_prefix(&*self.prefix)?;
        match rest.split_first() {
            None => Some(rest),
            Some((b'/', below)) => Some(below),
            Some(_) => None,
        }
    }
}

/// What holds for all folders.
#[derive(Default)]
pub struct Options {
    /// The file that answers for a folder, if there is to be one.
    pub index: Option<String>,
    /// How long clients may do without asking again, in seconds, if they are told.
    pub max_age: Option<u64>,
    /// Media types by the ends of names, in lower case and without their dot.
    pub types: HashMap<String, String>,
}

/// An app with folders in front of it.
pub struct Statics {
    mounts: Vec<Mount>,
    options: Options,
    /// Makes boundaries that no file can foresee.
    chance: RandomState,
    app: Rc<dyn Service>,
}

/// What a path leads to, for a client that may have it.
enum Target {
    Send(Box<Selected>),
    /// The same path with a slash at its end.
    Redirect,
    Nothing,
}

/// The file that answers.
struct Selected {
    file: File,
    metadata: Metadata,
    /// How it is encoded, where it is.
    coding: Option<&'static str>,
    kind: String,
}

impl Statics {
    /// The files of `mounts` before `app`. Of two that fit, the longer path counts.
    pub fn new(mut mounts: Vec<Mount>, options: Options, app: Rc<dyn Service>) -> Self {
        mounts.sort_by_key(|mount| std::cmp::Reverse(mount.prefix.len()));
        Self {
            mounts,
            options,
            chance: RandomState::new(),
            app,
        }
    }

    /// Finds the file for what is asked below a mount.
    fn find(&self, mount: &Mount, below: &[u8], head: &Head) -> io::Result<Target> {
        let Some(path) = beneath::relative(below) else {
            return Ok(Target::Nothing);
        };
        let has_slash = head.path().ends_with(b"/");
        match (beneath::open(&mount.root, &path)?, &self.options.index) {
            (Found::File(file, metadata), _) if !has_slash => {
                self.select(mount, &path, (file, metadata), head)
            }
            (Found::Folder, Some(index)) => {
                let path = path.join(index);
                match beneath::open(&mount.root, &path)? {
                    Found::File(..) if !has_slash => Ok(Target::Redirect),
                    Found::File(file, metadata) => {
                        self.select(mount, &path, (file, metadata), head)
                    }
                    Found::Folder | Found::Nothing => Ok(Target::Nothing),
                }
            }
            _ => Ok(Target::Nothing),
        }
    }

    /// The file, or one beside it that is encoded as the client likes best.
    fn select(
        &self,
        mount: &Mount,
        path: &Path,
        plain: (File, Metadata),
        head: &Head,
    ) -> io::Result<Target> {
        let end = path.extension().unwrap_or_default().to_string_lossy();
        let known = self.options.types.get(&end.to_ascii_lowercase());
        let kind = known.map_or(UNKNOWN, String::as_str).to_owned();
        let fields = head.headers();
        let accepted = fields.filter(|(name, _)| name.eq_ignore_ascii_case(b"accept-encoding"));
        let weights = Weights::of(accepted.map(|(_, value)| value));
        let mut codings: Vec<_> = NEIGHBOURS
            .into_iter()
            .map(|(coding, end)| (weights.get(coding), coding, end))
            .filter(|(weight, ..)| *weight > 0.0)
            .collect();
        codings.sort_by(|one, other| other.0.total_cmp(&one.0));
        for (_, coding, end) in codings {
            let mut name = OsString::from(path);
            name.push(".");
            name.push(end);
            if let Found::File(file, metadata) = beneath::open(&mount.root, Path::new(&name))? {
                return Ok(Target::Send(Box::new(Selected {
                    file,
                    metadata,
                    coding: Some(coding),
                    kind,
                })));
            }
        }
        Ok(Target::Send(Box::new(Selected {
            file: plain.0,
            metadata: plain.1,
            coding: None,
            kind,
        })))
    }

    fn send(&self, exchange: &Exchange, selected: &Selected) -> Result<(), ResponseError> {
        let (head, size) = (exchange.head(), selected.metadata.len());
        let modified = selected.metadata.modified().unwrap_or(UNIX_EPOCH);
        let marks = Marks {
            tag: tag(modified, size, selected.coding),
            modified,
        };
        let mut fields = vec![
            ("etag", marks.tag.clone()),
            ("last-modified", httpdate::fmt_http_date(modified)),
            ("vary", "accept-encoding".to_owned()),
        ];
        if let Some(seconds) = self.options.max_age {
            fields.push(("cache-control", format!("public, max-age={seconds}")));
        }
        match marks.judge(head) {
            Verdict::Send => {}
            Verdict::NotModified => return exchange.respond(304, fields, &b""[..]),
            Verdict::Failed => return exchange.respond(412, fields, &b""[..]),
        }
        fields.push(("accept-ranges", "bytes".to_owned()));
        if let Some(coding) = selected.coding {
            fields.push(("content-encoding", coding.to_owned()));
        }
        let range = head.get(b"range");
        let range = range.filter(|_| head.method() == "GET" && marks.allow_range(head));
        match range.map_or(Asked::Whole, |range| ranges::read(range, size)) {
            Asked::Nothing => {
                let range = ("content-range", format!("bytes */{size}"));
                exchange.respond(416, [range], &b""[..])
            }
            Asked::Parts(parts) => match parts.as_slice() {
                [part] => {
                    fields.push(("content-range", content_range(part, size)));
                    selected.whole(exchange, 206, fields, part)
                }
                parts => self.send_parts(exchange, selected, fields, parts),
            },
            Asked::Whole => selected.whole(exchange, 200, fields, &(0..size)),
        }
    }

    /// Several parts in one body (RFC 9110, 14.6).
    fn send_parts(
        &self,
        exchange: &Exchange,
        selected: &Selected,
        mut fields: Vec<(&'static str, String)>,
        parts: &[Range<u64>],
    ) -> Result<(), ResponseError> {
        let size = selected.metadata.len();
        let boundary = format!("{:016x}", self.chance.hash_one(SystemTime::now()));
        let kind = &selected.kind;
        let begin = |part| {
            let range = content_range(part, size);
            format!("--{boundary}\r\ncontent-type: {kind}\r\ncontent-range: {range}\r\n\r\n")
        };
        let heads: Vec<_> = parts.iter().map(begin).collect();
        let end = format!("--{boundary}--\r\n");
        let framing: usize = heads.iter().map(|head| head.len() + 2).sum();
        let inner: u64 = parts.iter().map(|part| part.end - part.start).sum();
        let length = inner + (framing + end.len()) as u64;
        let several = format!("multipart/byteranges; boundary={boundary}");
        fields.push(("content-type", several));
        fields.push(("content-length", length.to_string()));
        exchange.start(206, fields)?;
        for (head, part) in heads.iter().zip(parts) {
            exchange.write(head.as_bytes())?;
            selected.write(exchange, part)?;
            exchange.write(&b"\r\n"[..])?;
        }
        exchange.write(end.as_bytes())?;
        exchange.finish()
    }
}

impl Selected {
    /// One part of the file as the whole body.
    fn whole(
        &self,
        exchange: &Exchange,
        status: u16,
        mut fields: Vec<(&'static str, String)>,
        part: &Range<u64>,
    ) -> Result<(), ResponseError> {
        fields.push(("content-type", self.kind.clone()));
        fields.push(("content-length", (part.end - part.start).to_string()));
        exchange.start(status, fields)?;
        if exchange.head().method() != "HEAD" {
            self.write(exchange, part)?;
        }
        exchange.finish()
    }

    fn write(&self, exchange: &Exchange, part: &Range<u64>) -> Result<(), ResponseError> {
        let Ok(file) = self.file.try_clone() else {
            exchange.fail();
            return Ok(());
        };
        let length = usize::try_from(part.end - part.start).unwrap_or(usize::MAX);
        exchange.write_file(file, part.start, length)
    }
}

impl Service for Statics {
    fn call(&self, exchange: Exchange) -> Option<LocalBoxFuture<()>> {
        let head = exchange.head();
        let path = head.path();
        let fitting = |mount| Some((mount, Mount::below(mount, &path)?));
        let Some((mount, below)) = self.mounts.iter().find_map(fitting) else {
            drop(path);
            return self.app.call(exchange);
        };
        let is_read = matches!(head.method(), "GET" | "HEAD");
        // At the root, what is no file is the app's: there would be nothing left for it.
        let is_shared = mount.prefix.is_empty();
        if is_shared && (!is_read || exchange.handshake().is_some()) {
            drop(path);
            return self.app.call(exchange);
        }
        let found = if is_read {
            self.find(mount, below, head)
        } else {
            Ok(Target::Nothing)
        };
        if is_shared && matches!(found, Ok(Target::Nothing)) {
            drop(path);
            return self.app.call(exchange);
        }
        exchange.set_route(&mount.route);
        let text = [("content-type", "text/plain; charset=utf-8")];
        let answered = match found {
            _ if !is_read => exchange.respond(405, [("allow", "GET, HEAD")], &b""[..]),
            Ok(Target::Send(selected)) => self.send(&exchange, &selected),
            Ok(Target::Redirect) => exchange.respond(307, [("location", slashed(head))], &b""[..]),
            Ok(Target::Nothing) => exchange.respond(404, text, &b"Not Found"[..]),
            Err(error) => {
                tracing::error!(%error, root = %mount.root.display(), "a file could not be opened");
                exchange.fail();
                Ok(())
            }
        };
        if let Err(error) = answered {
            tracing::debug!(%error, "a file was not sent");
        }
        None
    }
}

/// The request's path with a slash more.
fn slashed(head: &Head) -> Vec<u8> {
    let mut location = [head.raw_path(), b"/"].concat();
    if !head.query().is_empty() {
        location.push(b'?');
        location.extend_from_slice(head.query());
    }
    location
}

fn tag(modified: SystemTime, size: u64, coding: Option<&str>) -> String {
    let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mark = coding.map_or_else(String::new, |coding| format!("-{coding}"));
    format!("\"{:x}-{size:x}{mark}\"", since.as_nanos())
}

fn content_range(part: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", part.start, part.end - 1)
}
