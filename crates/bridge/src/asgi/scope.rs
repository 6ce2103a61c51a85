//! An exchange's head as an ASGI `http` or `websocket` scope: exact types, a real and mutable dict. Knows nothing of messages.

use std::any::Any;
use std::borrow::Cow;
use std::net::SocketAddr;
use std::rc::Rc;

use api::exchange::{ConnectionInfo, Exchange};
use api::http1::head::{Head, Version};
use api::tls::info::TlsInfo;
use api::websocket::handshake;
use pyloop::gil::Kept;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use super::header_names;

const EXTENSIONS: [&str; 4] = [
    "http.response.early_hint",
    "http.response.trailers",
    "http.response.pathsend",
    "http.response.zerocopysend",
];

/// What every scope has beside its constants; the template says so already, so that a copy of it never has to grow.
const OF_EVERY_SCOPE: [&str; 8] = [
    "http_version",
    "scheme",
    "server",
    "client",
    "path",
    "raw_path",
    "query_string",
    "headers",
];

/// The parts of a scope that are equal for every request of a server, and places for the others.
pub struct Template {
    http: Kept<PyDict>,
    /// What an `http` scope says may be sent beyond ASGI's core.
    extensions: Kept<PyDict>,
    websocket: Kept<PyDict>,
    state: Option<Kept<PyDict>>,
}

impl Template {
    /// `root_path` as ASGI means it; `state` is the lifespan's, where the app has one.
    pub fn new(py: Python<'_>, root_path: &str, state: Option<Kept<PyDict>>) -> PyResult<Self> {
        let asgi = PyDict::new(py);
        asgi.set_item("version", "3.0")?;
        asgi.set_item("spec_version", "2.4")?;
        let http = PyDict::new(py);
        http.set_item(intern!(py, "type"), intern!(py, "http"))?;
        http.set_item(intern!(py, "asgi"), asgi)?;
        http.set_item(intern!(py, "root_path"), root_path)?;
        for name in OF_EVERY_SCOPE {
            http.set_item(PyString::intern(py, name), py.None())?;
        }
        http.set_item(intern!(py, "extensions"), py.None())?;
        let websocket = http.copy()?;
        websocket.set_item(intern!(py, "type"), intern!(py, "websocket"))?;
        websocket.set_item(intern!(py, "subprotocols"), py.None())?;
        http.set_item(intern!(py, "method"), py.None())?;
        if state.is_some() {
            for scope in [&http, &websocket] {
                scope.set_item(intern!(py, "state"), py.None())?;
            }
        }
        let extensions = PyDict::new(py);
        for name in EXTENSIONS {
            extensions.set_item(name, PyDict::new(py))?;
        }
        Ok(Self {
            extensions: Kept::new(extensions.unbind()),
            http: Kept::new(http.unbind()),
            websocket: Kept::new(websocket.unbind()),
            state,
        })
    }

    /// The scope of an exchange that is answered with a response.
    pub fn http<'py>(&self, py: Python<'py>, exchange: &Exchange) -> PyResult<Bound<'py, PyDict>> {
        let scope = self.of(py, &self.http, exchange)?;
        let (head, connection) = (exchange.head(), exchange.connection());
        scope.set_item(intern!(py, "method"), method(py, head.method()))?;
        scope.set_item(intern!(py, "scheme"), scheme(py, exchange.is_secure()))?;
        let extensions = self.extensions.bind(py).copy()?;
        if connection.tls().is_some() {
            extend(py, &extensions, connection)?;
        }
        scope.set_item(intern!(py, "extensions"), extensions)?;
        Ok(scope)
    }

    /// The scope of an exchange that may become a WebSocket.
    pub fn websocket<'py>(
        &self,
        py: Python<'py>,
        exchange: &Exchange,
    ) -> PyResult<Bound<'py, PyDict>> {
        let scope = self.of(py, &self.websocket, exchange)?;
        let scheme = if exchange.is_secure() {
            intern!(py, "wss")
        } else {
            intern!(py, "ws")
        };
        scope.set_item(intern!(py, "scheme"), scheme)?;
        let protocols = handshake::protocols(exchange.head()).map(String::from_utf8_lossy);
        let protocols = PyList::new(py, protocols.collect::<Vec<_>>())?;
        scope.set_item(intern!(py, "subprotocols"), protocols)?;
        let extensions = PyDict::new(py);
        extensions.set_item(intern!(py, "websocket.http.response"), PyDict::new(py))?;
        extend(py, &extensions, exchange.connection())?;
        scope.set_item(intern!(py, "extensions"), extensions)?;
        Ok(scope)
    }

    /// What all scopes have.
    fn of<'py>(
        &self,
        py: Python<'py>,
        constants: &Kept<PyDict>,
        exchange: &Exchange,
    ) -> PyResult<Bound<'py, PyDict>> {
        let head = exchange.head();
        let scope = constants.bind(py).copy()?;
        scope.set_item(intern!(py, "http_version"), version(py, head.version()))?;
        let (server, client) = endpoints(py, exchange.connection(), exchange.client())?;
        scope.set_item(intern!(py, "server"), server)?;
        scope.set_item(intern!(py, "client"), client)?;
        scope.set_item(intern!(py, "path"), &*text(&head.path()))?;
        scope.set_item(intern!(py, "raw_path"), PyBytes::new(py, head.raw_path()))?;
        scope.set_item(intern!(py, "query_string"), PyBytes::new(py, head.query()))?;
        scope.set_item(intern!(py, "headers"), headers(py, head)?)?;
        let name = exchange.request_id();
        let state = self.state.as_ref().map(|state| state.bind(py).copy());
        let state = match (state, name) {
            (None, Some(_)) => Some(PyDict::new(py)),
            (state, _) => state.transpose()?,
        };
        if let Some(state) = state {
            if let Some(name) = name {
                state.set_item(intern!(py, "request_id"), name)?;
            }
            scope.set_item(intern!(py, "state"), state)?;
        }
        Ok(scope)
    }
}

fn text(path: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(path)
}

pub fn version(py: Python<'_>, version: Version) -> &Bound<'_, PyString> {
    match version {
        Version::Http10 => intern!(py, "1.0"),
        Version::Http11 => intern!(py, "1.1"),
        Version::Http2 => intern!(py, "2"),
    }
}

pub fn scheme(py: Python<'_>, secure: bool) -> &Bound<'_, PyString> {
    if secure {
        intern!(py, "https")
    } else {
        intern!(py, "http")
    }
}

pub fn method<'py>(py: Python<'py>, method: &str) -> Bound<'py, PyString> {
    let known = match method {
        "GET" => intern!(py, "GET"),
        "HEAD" => intern!(py, "HEAD"),
        "POST" => intern!(py, "POST"),
        "PUT" => intern!(py, "PUT"),
        "PATCH" => intern!(py, "PATCH"),
        "DELETE" => intern!(py, "DELETE"),
        "OPTIONS" => intern!(py, "OPTIONS"),
        other => return PyString::new(py, other),
    };
    known.clone()
}

pub fn headers<'py>(py: Python<'py>, head: &Head) -> PyResult<Bound<'py, PyList>> {
    let names = header_names::common(py);
    PyList::new(
        py,
        head.headers()
            .map(|(name, value)| (names.lower(py, name), PyBytes::new(py, value))),
    )
}

/// What Python sees of a connection; made once for a connection.
struct Endpoints {
    server: Kept<PyAny>,
    client: Kept<PyAny>,
    /// ASGI's TLS extension.
    tls: Option<Kept<PyDict>>,
}

impl Endpoints {
    fn of(py: Python<'_>, connection: &ConnectionInfo) -> PyResult<Rc<Self>> {
        let known = connection.slot().borrow().clone();
        if let Some(ends) = known.and_then(|any| any.downcast::<Self>().ok()) {
            return Ok(ends);
        }
        let tls = connection.tls().map(|tls| extension(py, tls)).transpose()?;
        let ends = Rc::new(Self {
            server: server(py, connection)?,
            client: end(py, connection.peer())?,
            tls: tls.map(|tls| Kept::new(tls.unbind())),
        });
        connection
            .slot()
            .replace(Some(Rc::clone(&ends) as Rc<dyn Any>));
        Ok(ends)
    }
}

/// The server's and the client's address; `client` is another one than the peer's where a proxy stands between.
pub fn endpoints<'py>(
    py: Python<'py>,
    connection: &ConnectionInfo,
    client: Option<SocketAddr>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let ends = Endpoints::of(py, connection)?;
    let client = if client == connection.peer() {
        ends.client.bind(py).clone()
    } else {
        end(py, client)?.bind(py).clone()
    };
    Ok((ends.server.bind(py).clone(), client))
}

/// Adds the TLS extension to a scope's extensions, where the client speaks TLS: a copy, since apps may alter it.
fn extend(
    py: Python<'_>,
    extensions: &Bound<'_, PyDict>,
    connection: &ConnectionInfo,
) -> PyResult<()> {
    match &Endpoints::of(py, connection)?.tls {
        Some(tls) => extensions.set_item(intern!(py, "tls"), tls.bind(py).copy()?),
        None => Ok(()),
    }
}

/// The `tls` entry of ASGI's TLS extension.
fn extension<'py>(py: Python<'py>, tls: &TlsInfo) -> PyResult<Bound<'py, PyDict>> {
    let entry = PyDict::new(py);
    entry.set_item("server_cert", tls.server_pem())?;
    entry.set_item("client_cert_chain", tls.client_pems().collect::<Vec<_>>())?;
    entry.set_item("client_cert_name", tls.client_name())?;
    // A client whose certificate is not valid gets no connection.
    entry.set_item("client_cert_error", py.None())?;
    entry.set_item("tls_version", tls.version)?;
    entry.set_item("cipher_suite", tls.cipher_suite)?;
    Ok(entry)
}

/// Of a Unix socket, its path and no port.
fn server(py: Python<'_>, connection: &ConnectionInfo) -> PyResult<Kept<PyAny>> {
    match connection.path() {
        None => end(py, connection.local()),
        Some(path) => {
            let pair = (path.as_os_str(), py.None()).into_pyobject(py)?;
            Ok(Kept::new(pair.into_any().unbind()))
        }
    }
}

fn end(py: Python<'_>, address: Option<SocketAddr>) -> PyResult<Kept<PyAny>> {
    Ok(Kept::new(match address {
        Some(address) => PyTuple::new(
            py,
            [
                address.ip().to_string().into_pyobject(py)?.into_any(),
                address.port().into_pyobject(py)?.into_any(),
            ],
        )?
        .into_any()
        .unbind(),
        None => py.None(),
    }))
}
