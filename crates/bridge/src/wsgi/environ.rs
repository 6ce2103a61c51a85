//! A request as WSGI's `environ`: a copy of the constants and what the head says. Knows no body.

use std::net::SocketAddr;

use api::exchange::Exchange;
use api::http1::head::{Head, Version};
use pyloop::gil::Kept;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};

use crate::asgi::header_names::Names;
use crate::asgi::scope;

/// What an environ is made of, taken from the exchange on the loop's thread for another one.
pub struct Request {
    head: Head,
    secure: bool,
    client: Option<SocketAddr>,
    /// Nothing where clients come by a Unix socket.
    server: Option<SocketAddr>,
    /// Its name, where requests have names.
    pub name: Option<Box<str>>,
}

impl Request {
    /// What `exchange` asks.
    pub fn of(exchange: &Exchange) -> Self {
        let connection = exchange.connection();
        Self {
            head: exchange.head().clone(),
            secure: exchange.is_secure(),
            client: exchange.client(),
            server: connection.local().filter(|_| connection.path().is_none()),
            name: exchange.request_id().map(Box::from),
        }
    }
}

/// The parts of an environ that are equal for every request of a server.
pub struct Template {
    constants: Kept<PyDict>,
    /// `SCRIPT_NAME` as bytes, without a slash at its end.
    root: Vec<u8>,
    sys: Kept<PyAny>,
}

impl Template {
    /// `constants` as they stand in the environ; `root_path` as ASGI means it.
    pub fn new(constants: &Bound<'_, PyDict>, root_path: &str) -> PyResult<Self> {
        let py = constants.py();
        let root = root_path.trim_end_matches('/').as_bytes().to_vec();
        let constants = constants.copy()?;
        constants.set_item(intern!(py, "SCRIPT_NAME"), latin1(py, &root))?;
        Ok(Self {
            constants: Kept::from(constants),
            root,
            sys: Kept::from(py.import("sys")?.into_any()),
        })
    }

    /// The environ of a request, but for its body.
    pub fn environ<'py>(&self, py: Python<'py>, request: &Request) -> PyResult<Bound<'py, PyDict>> {
        let head = &request.head;
        let environ = self.constants.bind(py).copy()?;
        let path = head.path();
        let path = latin1(py, self.below_root(&path));
        environ.set_item(
            intern!(py, "REQUEST_METHOD"),
            scope::method(py, head.method()),
        )?;
        environ.set_item(intern!(py, "PATH_INFO"), path)?;
        environ.set_item(intern!(py, "QUERY_STRING"), latin1(py, head.query()))?;
        environ.set_item(intern!(py, "SERVER_PROTOCOL"), protocol(py, head.version()))?;
        let scheme = scope::scheme(py, request.secure);
        environ.set_item(intern!(py, "wsgi.url_scheme"), scheme)?;
        let errors = self.sys.bind(py).getattr(intern!(py, "stderr"))?;
        environ.set_item(intern!(py, "wsgi.errors"), errors)?;
        if let Some(name) = &request.name {
            environ.set_item(intern!(py, "data_bridge.request_id"), &**name)?;
        }
        set_ends(&environ, request)?;
        set_fields(&environ, head)?;
        Ok(environ)
    }

    /// `PATH_INFO` of a path that may name the root or not.
    fn below_root<'a>(&self, path: &'a [u8]) -> &'a [u8] {
        match path.strip_prefix(&*self.root) {
            Some(rest) if rest.is_empty() || rest.starts_with(b"/") => rest,
            _ => path,
        }
    }
}

fn set_ends(environ: &Bound<'_, PyDict>, request: &Request) -> PyResult<()> {
    let py = environ.py();
    let (name, port) = (intern!(py, "SERVER_NAME"), intern!(py, "SERVER_PORT"));
    if let Some(server) = request.server {
        environ.set_item(name, server.ip().to_string())?;
        environ.set_item(port, server.port().to_string())?;
    } else {
        // A Unix socket's path names no server.
        environ.set_item(name, intern!(py, "localhost"))?;
        environ.set_item(port, if request.secure { "443" } else { "80" })?;
    }
    if let Some(client) = request.client {
        environ.set_item(intern!(py, "REMOTE_ADDR"), client.ip().to_string())?;
        environ.set_item(intern!(py, "REMOTE_PORT"), client.port().to_string())?;
    }
    Ok(())
}

/// The header's fields; those of one name are one entry.
fn set_fields(environ: &Bound<'_, PyDict>, head: &Head) -> PyResult<()> {
    let py = environ.py();
    let keys = keys(py);
    for (name, value) in head.headers() {
        // `x_a` would pass for `x-a`.
        if name.contains(&b'_') {
            continue;
        }
        let known = |key: &Py<PyString>| key.bind(py).clone();
        let key = keys.find(name, known, |lowered| {
            PyString::new(py, &key_of(&String::from_utf8_lossy(lowered)))
        });
        let text = latin1(py, value);
        match environ.get_item(&key)? {
            None => environ.set_item(key, text)?,
            Some(before) => {
                let separator = if name.eq_ignore_ascii_case(b"cookie") {
                    "; "
                } else {
                    ","
                };
                let joined = format!("{}{separator}{}", before.cast::<PyString>()?, text);
                environ.set_item(key, joined)?;
            }
        }
    }
    Ok(())
}

fn keys(py: Python<'_>) -> &'static Names<Py<PyString>> {
    static KEYS: PyOnceLock<Names<Py<PyString>>> = PyOnceLock::new();
    KEYS.get_or_init(py, || {
        Names::new(|name| PyString::intern(py, &key_of(name)).unbind())
    })
}

fn key_of(name: &str) -> String {
    let key = name.to_ascii_uppercase().replace('-', "_");
    if matches!(&*key, "CONTENT_TYPE" | "CONTENT_LENGTH") {
        return key;
    }
    format!("HTTP_{key}")
}

fn protocol(py: Python<'_>, version: Version) -> &Bound<'_, PyString> {
    match version {
        Version::Http10 => intern!(py, "HTTP/1.0"),
        Version::Http11 => intern!(py, "HTTP/1.1"),
        Version::Http2 => intern!(py, "HTTP/2"),
    }
}

/// Bytes as WSGI's "native strings" have them: each as the character of that number.
fn latin1<'py>(py: Python<'py>, bytes: &[u8]) -> Bound<'py, PyString> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => PyString::new(py, text),
        _ => {
            let text: String = bytes.iter().copied().map(char::from).collect();
            PyString::new(py, &text)
        }
    }
}
