//! The messages of ASGI's `http` protocol: dictionaries read into checked values, values written as dictionaries.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::PathBuf;

use api::exchange::Chunk;
use pyo3::exceptions::{PyKeyError, PyOSError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyMemoryView, PyString, PyTuple};
use smallvec::SmallVec;

use crate::ffi;

/// What an app may send in answer to an `http` scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `http.response.start`
    Start,
    /// `http.response.body`
    Body,
    /// `http.response.trailers`
    Trailers,
    /// `http.response.early_hint`
    EarlyHint,
    /// `http.response.pathsend`
    PathSend,
    /// `http.response.zerocopysend`
    ZeroCopySend,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Start,
        Self::Body,
        Self::Trailers,
        Self::EarlyHint,
        Self::PathSend,
        Self::ZeroCopySend,
    ];

    /// The message's `type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "http.response.start",
            Self::Body => "http.response.body",
            Self::Trailers => "http.response.trailers",
            Self::EarlyHint => "http.response.early_hint",
            Self::PathSend => "http.response.pathsend",
            Self::ZeroCopySend => "http.response.zerocopysend",
        }
    }
}

/// The kind of a message that an app sends.
pub fn kind(py: Python<'_>, message: &Bound<'_, PyDict>) -> PyResult<Kind> {
    let kind = required(message, intern!(py, "type"))?;
    for (name, known) in [
        (intern!(py, "http.response.start"), Kind::Start),
        (intern!(py, "http.response.body"), Kind::Body),
        (intern!(py, "http.response.trailers"), Kind::Trailers),
    ] {
        if kind.is(name) {
            return Ok(known);
        }
    }
    let name = kind.cast::<PyString>()?.to_str()?;
    let found = Kind::ALL.into_iter().find(|known| known.name() == name);
    found.ok_or_else(|| {
        let text = format!("Unknown ASGI message type {name:?} for an 'http' scope.");
        PyValueError::new_err(text)
    })
}

/// `http.response.start`, read.
pub struct Start {
    /// The status code as the app gave it; the encoder checks its range.
    pub status: u16,
    /// The fields in the app's order.
    pub headers: Headers,
    /// Whether `http.response.trailers` will follow the body.
    pub trailers: bool,
}

impl Start {
    /// Reads the message; `KeyError` or `TypeError` where it is not as ASGI says.
    pub fn read(py: Python<'_>, message: &Bound<'_, PyDict>) -> PyResult<Self> {
        let status = required(message, intern!(py, "status"))?;
        let status: i64 = status.extract()?;
        let status = u16::try_from(status).map_err(|_| crate::errors::bad_status(status))?;
        let headers = match message.get_item(intern!(py, "headers"))? {
            Some(list) => Headers::read(&list)?,
            None => Headers::default(),
        };
        Ok(Self {
            status,
            headers,
            trailers: flag(message, intern!(py, "trailers"))?,
        })
    }
}

/// `http.response.body`, read.
pub struct Body<'py> {
    bytes: Option<Bound<'py, PyBytes>>,
    /// Whether more chunks follow.
    pub more: bool,
}

impl<'py> Body<'py> {
    /// Reads the message; `TypeError` where the body is not bytes-like.
    pub fn read(py: Python<'py>, message: &Bound<'py, PyDict>) -> PyResult<Self> {
        let bytes = message
            .get_item(intern!(py, "body"))?
            .map(exact_bytes)
            .transpose()?;
        Ok(Self {
            bytes,
            more: flag(message, intern!(py, "more_body"))?,
        })
    }

    /// The chunk: shared where it is large, borrowed where a copy is cheaper than a reference.
    pub fn chunk(&self) -> Chunk<'_> {
        self.bytes.as_ref().map_or(Chunk::Borrowed(&[]), ffi::chunk)
    }
}

/// `http.response.trailers`, read: the fields and whether more messages follow.
pub fn trailers(py: Python<'_>, message: &Bound<'_, PyDict>) -> PyResult<(Headers, bool)> {
    let headers = match message.get_item(intern!(py, "headers"))? {
        Some(list) => Headers::read(&list)?,
        None => Headers::default(),
    };
    Ok((headers, flag(message, intern!(py, "more_trailers"))?))
}

/// `http.response.early_hint`, read: the values of its `Link` fields.
pub fn links(py: Python<'_>, message: &Bound<'_, PyDict>) -> PyResult<Vec<Field>> {
    let wrong = || PyTypeError::new_err("ASGI 'links' must be an iterable of bytes.");
    let links = required(message, intern!(py, "links"))?;
    let links = links.try_iter().map_err(|_| wrong())?;
    links
        .map(|link| link?.extract().map_err(|_| wrong()))
        .collect()
}

/// A part of a file that an app sends.
pub struct FilePart {
    /// The file, for us alone.
    pub file: File,
    /// Where it begins.
    pub offset: u64,
    /// How long it is.
    pub length: usize,
    /// Whether more of the body follows.
    pub more: bool,
}

impl FilePart {
    /// Reads `http.response.pathsend` and opens its file. `OSError` where that cannot be.
    pub fn of_path(py: Python<'_>, message: &Bound<'_, PyDict>) -> PyResult<Self> {
        let path: PathBuf = required(message, intern!(py, "path"))?.extract()?;
        let file = File::open(path)?;
        let length = regular_length(&file)?;
        Ok(Self {
            file,
            offset: 0,
            length: size(length)?,
            more: false,
        })
    }

    /// Reads `http.response.zerocopysend`. Where it says nothing of an offset, the file's position is used and moved, as
    /// `os.sendfile()` does. `OSError` where the file cannot be sent, `ValueError` for what no part of it is.
    pub fn of_descriptor(py: Python<'_>, message: &Bound<'_, PyDict>) -> PyResult<Self> {
        let file = required(message, intern!(py, "file"))?;
        let descriptor = file.call_method0(intern!(py, "fileno"))?.extract()?;
        let mut file = File::from(ffi::duplicate(descriptor)?);
        let end = regular_length(&file)?;
        let given = natural(message, intern!(py, "offset"))?;
        let offset = match given {
            Some(offset) => offset,
            None => file.stream_position()?,
        };
        let left = end.saturating_sub(offset);
        let length = natural(message, intern!(py, "count"))?.map_or(left, |count| count.min(left));
        if given.is_none() {
            file.seek(SeekFrom::Start(offset + length))?;
        }
        Ok(Self {
            file,
            offset,
            length: size(length)?,
            more: flag(message, intern!(py, "more_body"))?,
        })
    }
}

/// The length of a file; what is no regular one has none.
fn regular_length(file: &File) -> PyResult<u64> {
    let metadata = file.metadata()?;
    if metadata.is_file() {
        return Ok(metadata.len());
    }
    Err(PyOSError::new_err("only regular files can be sent"))
}

fn size(length: u64) -> PyResult<usize> {
    Ok(usize::try_from(length)?)
}

/// A number that may be missing, or `None`.
fn natural(message: &Bound<'_, PyDict>, key: &Bound<'_, PyString>) -> PyResult<Option<u64>> {
    let value = message.get_item(key)?.filter(|value| !value.is_none());
    let wrong = |_| PyValueError::new_err(format!("'{key}' must be a number, not negative."));
    value
        .map(|value| value.extract().map_err(wrong))
        .transpose()
}

/// Header fields as the app gave them: byte strings, not copied yet.
#[derive(Default)]
pub struct Headers(SmallVec<[(Field, Field); 8]>);

/// One byte string of a header: Python's own, by reference.
type Field = pyo3::pybacked::PyBackedBytes;

impl Headers {
    pub fn read(list: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut headers = SmallVec::new();
        if let Ok(list) = list.cast::<PyList>() {
            for pair in list.iter() {
                headers.push(pair_of(&pair)?);
            }
        } else {
            for pair in list.try_iter()? {
                headers.push(pair_of(&pair?)?);
            }
        }
        Ok(Self(headers))
    }

    /// The fields in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Appends the fields of `more`.
    pub fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }
}

fn pair_of(pair: &Bound<'_, PyAny>) -> PyResult<(Field, Field)> {
    let wrong = || {
        PyTypeError::new_err("ASGI 'headers' must be an iterable of [name, value] pairs of bytes.")
    };
    if let Ok(pair) = pair.cast::<PyTuple>() {
        let (name, value) = (pair.get_borrowed_item(0)?, pair.get_borrowed_item(1)?);
        return Ok((
            name.extract().map_err(|_| wrong())?,
            value.extract().map_err(|_| wrong())?,
        ));
    }
    pair.extract().map_err(|_| wrong())
}

/// `body` as it is now: a `bytearray` or `memoryview` may change after `send()` has returned.
pub fn exact_bytes(body: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyBytes>> {
    match body.cast_into::<PyBytes>() {
        Ok(bytes) => Ok(bytes),
        Err(other) => {
            let body = other.into_inner();
            let view = body.py().get_type::<PyMemoryView>().call1((body,))?;
            Ok(view.call_method0("tobytes")?.cast_into()?)
        }
    }
}

pub fn required<'py>(
    message: &Bound<'py, PyDict>,
    key: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    message
        .get_item(key)?
        .ok_or_else(|| PyKeyError::new_err(key.clone().unbind()))
}

fn flag(message: &Bound<'_, PyDict>, key: &Bound<'_, PyString>) -> PyResult<bool> {
    message
        .get_item(key)?
        .map_or(Ok(false), |value| value.is_truthy())
}

/// `http.request`, which `receive()` gives for a chunk of the request's body.
pub fn request<'py>(py: Python<'py>, body: &[u8], more: bool) -> PyResult<Bound<'py, PyDict>> {
    let message = PyDict::new(py);
    message.set_item(intern!(py, "type"), intern!(py, "http.request"))?;
    message.set_item(intern!(py, "body"), PyBytes::new(py, body))?;
    message.set_item(intern!(py, "more_body"), more)?;
    Ok(message)
}

/// `http.disconnect`, which `receive()` gives when the client has left or the response is complete.
pub fn disconnect(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let message = PyDict::new(py);
    message.set_item(intern!(py, "type"), intern!(py, "http.disconnect"))?;
    Ok(message)
}
