//! The messages of ASGI's `websocket` protocol: dictionaries read into checked values, values written as dictionaries.

use api::exchange::Chunk;
use api::websocket::session::{self, ABNORMAL, Close, Message, NO_CODE, REASON_LIMIT};
use pyloop::gil::Kept;
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::asgi::message::{Headers, exact_bytes, required};
use crate::ffi;

/// What an app may send in answer to a `websocket` scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `websocket.accept`
    Accept,
    /// `websocket.send`
    Send,
    /// `websocket.close`
    Close,
    /// `websocket.http.response.start`
    ResponseStart,
    /// `websocket.http.response.body`
    ResponseBody,
}

const KINDS: [Kind; 5] = [
    Kind::Send,
    Kind::Accept,
    Kind::Close,
    Kind::ResponseStart,
    Kind::ResponseBody,
];

impl Kind {
    /// The message's `type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "websocket.accept",
            Self::Send => "websocket.send",
            Self::Close => "websocket.close",
            Self::ResponseStart => "websocket.http.response.start",
            Self::ResponseBody => "websocket.http.response.body",
        }
    }

    /// The kind of a message that an app sends.
    pub fn of(py: Python<'_>, message: &Bound<'_, PyDict>) -> PyResult<Self> {
        let kind = required(message, intern!(py, "type"))?;
        let name = kind.cast::<PyString>()?.to_str()?;
        let known = KINDS.into_iter().find(|kind| kind.name() == name);
        known.ok_or_else(|| {
            PyValueError::new_err(format!(
                "Unknown ASGI message type {name:?} for a 'websocket' scope."
            ))
        })
    }
}

/// `websocket.accept`, read.
pub struct Accept<'py> {
    /// The subprotocol that the app has chosen.
    pub protocol: Option<Bound<'py, PyString>>,
    /// More fields of the answer, in the app's order.
    pub headers: Headers,
}

impl<'py> Accept<'py> {
    /// Reads the message; `TypeError` where it is not as ASGI says.
    pub fn read(py: Python<'py>, message: &Bound<'py, PyDict>) -> PyResult<Self> {
        let protocol = given(message, intern!(py, "subprotocol"))?;
        let headers = given(message, intern!(py, "headers"))?;
        Ok(Self {
            protocol: protocol.map(Bound::cast_into).transpose()?,
            headers: headers
                .map(|list| Headers::read(&list))
                .transpose()?
                .unwrap_or_default(),
        })
    }
}

/// The payload of `websocket.send`.
pub enum Payload<'py> {
    /// `text`
    Text(Bound<'py, PyString>),
    /// `bytes`
    Binary(Bound<'py, PyBytes>),
}

impl<'py> Payload<'py> {
    /// Reads the message; `TypeError` or `ValueError` where it is not as ASGI says.
    pub fn read(py: Python<'py>, message: &Bound<'py, PyDict>) -> PyResult<Self> {
        if let Some(bytes) = given(message, intern!(py, "bytes"))? {
            return exact_bytes(bytes).map(Self::Binary);
        }
        match given(message, intern!(py, "text"))? {
            Some(text) => Ok(Self::Text(text.cast_into()?)),
            None => Err(PyValueError::new_err(
                "ASGI message 'websocket.send' needs 'bytes' or 'text', and both are missing or None.",
            )),
        }
    }

    /// The payload for later.
    pub fn keep(self) -> Kept<PyAny> {
        Kept::new(match self {
            Self::Text(text) => text.into_any().unbind(),
            Self::Binary(bytes) => bytes.into_any().unbind(),
        })
    }

    /// What [`Payload::keep`] kept.
    pub fn of(kept: Bound<'py, PyAny>) -> PyResult<Self> {
        match kept.cast_into::<PyString>() {
            Ok(text) => Ok(Self::Text(text)),
            Err(other) => Ok(Self::Binary(other.into_inner().cast_into()?)),
        }
    }

    /// What goes to the client: shared where it is large. `UnicodeEncodeError` for half surrogates.
    pub fn chunk(&self) -> PyResult<(session::Kind, Chunk<'_>)> {
        Ok(match self {
            Self::Text(text) => (
                session::Kind::Text,
                Chunk::Borrowed(text.to_str()?.as_bytes()),
            ),
            Self::Binary(bytes) => (session::Kind::Binary, ffi::chunk(bytes)),
        })
    }
}

/// `websocket.close`, read.
pub struct Closing {
    /// A code that may be sent, or the one that stands for none.
    pub code: u16,
    /// Short enough for a close frame.
    pub reason: String,
}

impl Closing {
    /// Reads the message; `ValueError` for what no close can say.
    pub fn read(py: Python<'_>, message: &Bound<'_, PyDict>) -> PyResult<Self> {
        let code = given(message, intern!(py, "code"))?;
        let code: i64 = code.map_or(Ok(1000), |code| code.extract())?;
        let allowed = u16::try_from(code)
            .ok()
            .filter(|code| session::may_be_sent(*code) || *code == NO_CODE);
        let reason = given(message, intern!(py, "reason"))?;
        let reason: String = reason.map_or(Ok(String::new()), |reason| reason.extract())?;
        let Some(code) = allowed else {
            return Err(PyValueError::new_err(format!(
                "WebSocket close code {code} may not be sent: use 1000 to 1003, 1007 to 1014, or 3000 to 4999."
            )));
        };
        if reason.len() > REASON_LIMIT {
            return Err(PyValueError::new_err(format!(
                "the reason of a WebSocket close has {} bytes as UTF-8, and {REASON_LIMIT} are the most.",
                reason.len()
            )));
        }
        Ok(Self { code, reason })
    }
}

/// The value of a key that is there and not `None`.
fn given<'py>(
    message: &Bound<'py, PyDict>,
    key: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    Ok(message.get_item(key)?.filter(|value| !value.is_none()))
}

/// `websocket.connect`, the first that `receive()` gives.
pub fn connect(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let message = PyDict::new(py);
    message.set_item(intern!(py, "type"), intern!(py, "websocket.connect"))?;
    Ok(message)
}

/// `websocket.receive`, a message of the client.
pub fn receive<'py>(py: Python<'py>, received: &Message) -> PyResult<Bound<'py, PyDict>> {
    let message = PyDict::new(py);
    message.set_item(intern!(py, "type"), intern!(py, "websocket.receive"))?;
    match received.kind {
        session::Kind::Text => {
            let text = PyString::from_bytes(py, &received.data)?;
            message.set_item(intern!(py, "text"), text)?;
        }
        session::Kind::Binary => {
            message.set_item(intern!(py, "bytes"), PyBytes::new(py, &received.data))?;
        }
    }
    Ok(message)
}

/// `websocket.disconnect`, which `receive()` gives from the end on; without a close it was never accepted.
pub fn disconnect<'py>(py: Python<'py>, close: Option<&Close>) -> PyResult<Bound<'py, PyDict>> {
    let message = PyDict::new(py);
    message.set_item(intern!(py, "type"), intern!(py, "websocket.disconnect"))?;
    let (code, reason) = close.map_or((ABNORMAL, ""), |close| (close.code, &close.reason));
    message.set_item(intern!(py, "code"), code)?;
    message.set_item(intern!(py, "reason"), reason)?;
    Ok(message)
}
