//! `start_response`, `write` and the body of one call, in the order that PEP 3333 demands. Knows no request.

use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::http1::encode::Prepared;
use bytes::Bytes;
use pyo3::exceptions::{PyAssertionError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};
use smallvec::SmallVec;

use super::line::{Gone, Line, Message};
use crate::errors;
use crate::ffi;

/// The response of one call: WSGI's `start_response`.
#[pyclass(frozen, module = "data_bridge._native")]
pub struct Response {
    line: Arc<Line>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Said by the application; gone once it is on its way.
    head: Option<Prepared>,
    begun: bool,
    /// Bytes that the body has yet to have, where the head says how many.
    left: Option<u64>,
    ended: bool,
}

#[pymethods]
impl Response {
    /// Notes the head, which goes out with the first part of the body.
    #[pyo3(signature = (status, headers, exc_info=None, /))]
    fn __call__<'py>(
        slf: &Bound<'py, Self>,
        status: &Bound<'py, PyAny>,
        headers: &Bound<'py, PyAny>,
        exc_info: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let own = slf.get();
        let (noted, begun) = {
            let state = own.state();
            (state.head.is_some(), state.begun)
        };
        match exc_info.filter(|given| !given.is_none()) {
            Some(given) if begun => return Err(raised(given)?),
            None if noted || begun => {
                return Err(PyAssertionError::new_err(
                    "start_response() was called before: a second call needs exc_info",
                ));
            }
            _ => {}
        }
        let head = head(status, headers)?;
        own.state().head = Some(head);
        slf.getattr(intern!(py, "write"))
    }

    /// Sends a part of the body, and waits while the client takes no more. `OSError` where it is gone.
    fn write(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let data = part(data)?;
        if data.as_bytes().is_empty() {
            return Ok(());
        }
        self.send(ffi::owned_chunk(data))
            .map_err(|wrong| wrong.into_error(py))?;
        if self.line.is_full() {
            pyloop::gil::detach(py, || self.line.wait_for_room());
        }
        Ok(())
    }
}

/// Why a part is not sent.
enum Wrong {
    Gone,
    NoHead,
    TooLong,
}

impl Wrong {
    fn into_error(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Gone => errors::disconnected(py),
            Self::NoHead => {
                PyAssertionError::new_err("the WSGI application did not call start_response()")
            }
            Self::TooLong => errors::response(&api::error::ResponseError::TooLong),
        }
    }
}

impl From<Gone> for Wrong {
    fn from(Gone: Gone) -> Self {
        Self::Gone
    }
}

impl Response {
    /// The response that goes by `line`.
    pub fn new(line: Arc<Line>) -> Self {
        Self {
            line,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the application has returned becomes the body.
    pub fn take(&self, result: &Bound<'_, PyAny>, file_wrapper: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = result.py();
        let sent = if let Some(body) = self.joined(result)? {
            self.send_last(body)
        } else if let Some((file, offset, length)) = self.file(result, file_wrapper)? {
            self.send_file(file, offset, length)
        } else {
            for part in result.try_iter()? {
                self.write(py, &part?)?;
            }
            self.end()
        };
        sent.map_err(|wrong| wrong.into_error(py))
    }

    /// A body that is there already, where nothing of it was sent before.
    fn joined(&self, result: &Bound<'_, PyAny>) -> PyResult<Option<Bytes>> {
        let items: SmallVec<[Bound<'_, PyAny>; 4]> = if let Ok(list) = result.cast::<PyList>() {
            list.iter().collect()
        } else if let Ok(tuple) = result.cast::<PyTuple>() {
            tuple.iter().collect()
        } else {
            return Ok(None);
        };
        if self.state().begun {
            return Ok(None);
        }
        let mut parts: SmallVec<[&Bound<'_, PyBytes>; 4]> = SmallVec::new();
        for item in &items {
            parts.push(part(item)?);
        }
        Ok(Some(match &parts[..] {
            [part] => ffi::owned_chunk(part),
            parts => {
                let slices: SmallVec<[&[u8]; 4]> =
                    parts.iter().map(|part| part.as_bytes()).collect();
                slices.concat().into()
            }
        }))
    }

    /// What is left of a regular file that the application gives in its wrapper.
    fn file(
        &self,
        result: &Bound<'_, PyAny>,
        file_wrapper: &Bound<'_, PyAny>,
    ) -> PyResult<Option<(File, u64, usize)>> {
        let py = result.py();
        if !result.is_instance(file_wrapper)? || self.state().begun {
            return Ok(None);
        }
        let rest = result.call_method0(intern!(py, "rest"))?;
        let Some((descriptor, offset, length)) = rest.extract::<Option<(i32, u64, usize)>>()?
        else {
            return Ok(None);
        };
        let file = File::from(ffi::duplicate(descriptor)?);
        Ok(Some((file, offset, length)))
    }

    fn send(&self, chunk: Bytes) -> Result<(), Wrong> {
        let mut state = self.state();
        let length = chunk.len() as u64;
        if state.ended || state.left.is_some_and(|left| left < length) {
            return Err(Wrong::TooLong);
        }
        let head = state.begin()?;
        let left = state.left.map(|left| left - length);
        state.left = left;
        // A body that has its length is complete, whatever the application does after that.
        state.ended = left == Some(0);
        let ended = state.ended;
        drop(state);
        Ok(match head {
            Some(head) if ended => self.line.send([Message::Whole(head, chunk)]),
            Some(head) => self
                .line
                .send([Message::Start(head, None), Message::Chunk(chunk)]),
            None if ended => self.line.send([Message::Chunk(chunk), Message::End]),
            None => self.line.send([Message::Chunk(chunk)]),
        }?)
    }

    /// Sends a body as a whole.
    fn send_last(&self, body: Bytes) -> Result<(), Wrong> {
        let mut state = self.state();
        let head = state.begin()?;
        state.ended = true;
        drop(state);
        match head {
            Some(head) => Ok(self.line.send([Message::Whole(head, body)])?),
            None => Ok(()),
        }
    }

    fn send_file(&self, file: File, offset: u64, length: usize) -> Result<(), Wrong> {
        let mut state = self.state();
        let Some(head) = state.begin()? else {
            return Ok(());
        };
        state.ended = true;
        drop(state);
        let known = head.length().is_none().then_some(length as u64);
        let file = Message::File {
            file,
            offset,
            length,
        };
        Ok(self
            .line
            .send([Message::Start(head, known), file, Message::End])?)
    }

    /// The application has given all there is.
    fn end(&self) -> Result<(), Wrong> {
        let mut state = self.state();
        if state.ended {
            return Ok(());
        }
        let head = state.begin()?;
        state.ended = true;
        drop(state);
        Ok(match head {
            Some(head) => self.line.send([Message::Whole(head, Bytes::new())]),
            None => self.line.send([Message::End]),
        }?)
    }
}

impl State {
    /// The head, if it is to go out now.
    fn begin(&mut self) -> Result<Option<Prepared>, Wrong> {
        if self.begun {
            return Ok(None);
        }
        let head = self.head.take().ok_or(Wrong::NoHead)?;
        self.begun = true;
        self.left = head.length();
        Ok(Some(head))
    }
}

/// A part of the body. `TypeError` for what is none.
fn part<'a, 'py>(data: &'a Bound<'py, PyAny>) -> PyResult<&'a Bound<'py, PyBytes>> {
    match data.cast() {
        Ok(part) => Ok(part),
        Err(_) => Err(PyTypeError::new_err(format!(
            "a part of the body must be bytes, not {}",
            data.get_type().name()?
        ))),
    }
}

/// The exception of `exc_info`.
fn raised(exc_info: &Bound<'_, PyAny>) -> PyResult<PyErr> {
    let py = exc_info.py();
    let (_kind, error, traceback): (Bound<'_, PyAny>, Bound<'_, PyAny>, Bound<'_, PyAny>) =
        exc_info.extract()?;
    let error = error.call_method1(intern!(py, "with_traceback"), (traceback,))?;
    Ok(PyErr::from_value(error))
}

/// Status and headers, checked.
fn head(status: &Bound<'_, PyAny>, headers: &Bound<'_, PyAny>) -> PyResult<Prepared> {
    let wrong = || {
        PyAssertionError::new_err(format!(
            "the status must be text such as '200 OK', not {status:?}"
        ))
    };
    let text = status.cast::<PyString>().map_err(|_| wrong())?.to_cow()?;
    let code = match text.as_bytes() {
        [a, b, c] | [a, b, c, b' ', ..] if [a, b, c].iter().all(|byte| byte.is_ascii_digit()) => {
            [a, b, c]
                .iter()
                .fold(0, |code, digit| code * 10 + u16::from(**digit - b'0'))
        }
        _ => return Err(wrong()),
    };
    let mut fields: SmallVec<[(Field, Field); 8]> = SmallVec::new();
    for pair in headers.try_iter()? {
        let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair?.extract()?;
        fields.push((field(&name)?, field(&value)?));
    }
    Prepared::new(code, fields).map_err(|error| errors::response(&error))
}

type Field = SmallVec<[u8; 32]>;

/// A native string as bytes.
fn field(text: &Bound<'_, PyAny>) -> PyResult<Field> {
    if let Ok(text) = text.cast::<PyString>()
        && let Ok(text) = text.to_str()
        && text.is_ascii()
    {
        return Ok(Field::from_slice(text.as_bytes()));
    }
    let encoded = text.call_method1(
        intern!(text.py(), "encode"),
        (intern!(text.py(), "latin-1"),),
    )?;
    Ok(Field::from_slice(encoded.cast::<PyBytes>()?.as_bytes()))
}
