//! TLS: the way of application data through asyncio's `SSLProtocol`. Knows no socket and no cryptography.
//!
//! Handshake, shutdown, time-outs, errors and flow control at its marks are asyncio's own code, and so is all state. On an
//! established connection where nothing is unusual, what arrives and what is written goes the same way here, in fewer
//! steps; whatever does not fit is left to asyncio's method. The cryptography is that of the user's `ssl.SSLContext`.

use pyo3::exceptions::{PyException, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyMemoryView, PySlice, PyString, PyWeakrefMethods, PyWeakrefReference};
use pyo3::{PyTraverseError, PyVisit, intern};

use super::attributes::{Attributes, name};
use super::feed;
use super::reads::{self, Reads};
use super::receiver;
use super::stream::{Me, StreamTransport};
use crate::ffi::lending::{self, Filling};
use crate::ffi::python;

/// The most that one record carries (RFC 8446, section 5.1): a read for as much empties a record.
const RECORD: usize = 16 * 1024;
/// From this size on a view is cheaper than a copy, in bytes.
const LENT: usize = 2048;

/// An `SSLProtocol` and the parts of it that never change. Its `write` takes the place of the transport's.
#[pyclass(frozen, module = "data_bridge._native")]
pub struct Tls {
    protocol: Py<PyAny>,
    /// What the program writes to; weak, because a forgotten one warns.
    app_transport: Py<PyWeakrefReference>,
    /// The `_ssl._SSLSocket` inside `ssl.SSLObject`.
    engine: Py<PyAny>,
    incoming: Py<PyAny>,
    outgoing: Py<PyAny>,
    /// Those of the protocol above.
    reads: Reads,
}

/// What `ssl` and `asyncio.sslproto` are asked for, once.
struct Names {
    transport_write: Py<PyAny>,
    ssl_object: Py<PyAny>,
    engine: Py<PyAny>,
    bio: Py<PyAny>,
    wrapped: Py<PyAny>,
    again: Py<PyAny>,
}

impl Names {
    fn get(py: Python<'_>) -> PyResult<&'static Self> {
        static NAMES: PyOnceLock<Names> = PyOnceLock::new();
        NAMES.get_or_try_init(py, || {
            let sslproto = py.import("asyncio.sslproto")?;
            let transport = sslproto.getattr("_SSLProtocolTransport")?;
            Ok(Self {
                transport_write: transport.getattr("write")?.unbind(),
                ssl_object: py.import("ssl")?.getattr("SSLObject")?.unbind(),
                engine: py.import("_ssl")?.getattr("_SSLSocket")?.unbind(),
                bio: py.import("_ssl")?.getattr("MemoryBIO")?.unbind(),
                wrapped: sslproto
                    .getattr("SSLProtocolState")?
                    .getattr("WRAPPED")?
                    .unbind(),
                again: sslproto.getattr("SSLAgainErrors")?.unbind(),
            })
        })
    }
}

impl Tls {
    /// The fast way for `protocol`, if it is asyncio's own; its transport writes this way from now on.
    pub fn over<'py>(protocol: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, Self>>> {
        static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let py = protocol.py();
        let class = CLASS.import(py, "asyncio.sslproto", "SSLProtocol")?;
        if !protocol.get_type().is(class) {
            return Ok(None);
        }
        let names = Names::get(py)?;
        let engine = protocol.getattr(intern!(py, "_sslobj"))?;
        let transport = protocol.getattr(intern!(py, "_app_transport"))?;
        if !engine.get_type().is(&names.ssl_object) || transport.is_none() {
            return Ok(None);
        }
        let engine = engine.getattr(intern!(py, "_sslobj"))?;
        let [incoming, outgoing] = [intern!(py, "_incoming"), intern!(py, "_outgoing")];
        let [incoming, outgoing] = [protocol.getattr(incoming)?, protocol.getattr(outgoing)?];
        let is_bio = |bio: &Bound<'_, PyAny>| bio.get_type().is(&names.bio);
        if !engine.get_type().is(&names.engine) || !is_bio(&incoming) || !is_bio(&outgoing) {
            return Ok(None);
        }
        let above = protocol.getattr(intern!(py, "_app_protocol"))?;
        let reads = if feed::is_stream_protocol(&above)? {
            reads::install(&above)?
        } else {
            Reads::none()
        };
        let this = Self {
            protocol: protocol.clone().unbind(),
            app_transport: PyWeakrefReference::new(&transport)?.unbind(),
            engine: engine.unbind(),
            incoming: incoming.unbind(),
            outgoing: outgoing.unbind(),
            reads,
        };
        let tls = Bound::new(py, this)?;
        let name = intern!(py, "write");
        let function = transport
            .getattr(name)?
            .getattr_opt(intern!(py, "__func__"))?;
        if function.is_some_and(|function| function.is(&names.transport_write)) {
            transport.setattr(name, tls.getattr(name)?)?;
        }
        Ok(Some(tls))
    }

    /// The connection is over: the transport gets its own `write` back, because ours would keep the protocol, and the
    /// user's context with it, for as long as somebody has the transport.
    pub fn let_go(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let Some(transport) = slf.get().app_transport.bind(py).upgrade() else {
            return Ok(());
        };
        let name = intern!(py, "write");
        let owner = transport
            .getattr(name)?
            .getattr_opt(intern!(py, "__self__"))?;
        if owner.is_some_and(|owner| owner.is(slf)) {
            transport.delattr(name)?;
        }
        Ok(())
    }

    /// Whether what arrives now may go the fast way.
    pub fn reads(&self, py: Python<'_>) -> PyResult<bool> {
        let state = self.state(py)?;
        Ok(is_wrapped(py, &state)?
            && !state.is(name!("_app_reading_paused"))?
            && !state.is(name!("_app_protocol_is_buffer"))?)
    }

    /// `data` came from the socket: `buffer_updated()` of an established connection. `Err`: what it would raise.
    pub fn received(&self, py: Python<'_>, data: &[u8]) -> PyResult<()> {
        let incoming = self.incoming.bind(py);
        if data.len() < LENT {
            incoming.call_method1(intern!(py, "write"), (PyBytes::new(py, data),))?;
        } else {
            lending::lend_bytes(py, data, |data| {
                incoming.call_method1(intern!(py, "write"), (data,))
            })?;
        }
        let deliver = || {
            let (data, ended) = if data.len() < RECORD {
                self.decrypt_one(py)?
            } else {
                self.decrypt(py)?
            };
            self.deliver(py, data, ended)
        };
        deliver().or_else(|error| self.fail(py, error))
    }

    /// Tells the protocol above, and sends what that has left to send.
    fn deliver(
        &self,
        py: Python<'_>,
        data: Option<Bound<'_, PyBytes>>,
        ended: bool,
    ) -> PyResult<()> {
        let state = self.state(py)?;
        if let Some(data) = data {
            let above = state.get(name!("_app_protocol"))?;
            let fed = feed::is_stream_protocol(&above)?
                && feed::feed(&above, &self.reads, data.as_bytes())?;
            if !fed {
                receiver::data_received(&above, data)?;
            }
        }
        if ended {
            self.reads.put_back(py)?;
            self.call(intern!(py, "_call_eof_received"))?;
            self.call(intern!(py, "_start_shutdown"))?;
        }
        if has_backlog(&state)? {
            self.call(intern!(py, "_do_write"))?;
        } else if pending(self.outgoing.bind(py))? > 0 {
            self.call(intern!(py, "_process_outgoing"))?;
        } else {
            self.control_writing(py, &state)?;
        }
        self.control_reading(py, &state)
    }

    /// All that can be read now, and whether the peer has ended the stream.
    fn decrypt<'py>(&self, py: Python<'py>) -> PyResult<(Option<Bound<'py, PyBytes>>, bool)> {
        let incoming = self.incoming.bind(py);
        // What is decrypted is no longer than what is encrypted, and one record more may have begun to arrive before.
        let mut data = Filling::new(py, pending(incoming)? + RECORD)?;
        let mut ended = false;
        while !data.is_full() {
            let read = |room: &Bound<'py, PyAny>| {
                let engine = self.engine.bind(py);
                engine
                    .call_method1(intern!(py, "read"), (RECORD, room))?
                    .extract()
            };
            match data.fill(read) {
                Ok(0) => {
                    ended = true;
                    break;
                }
                // A record is read whole: without another byte, the next read could only raise that it wants more.
                Ok(count)
                    if pending(incoming)? == 0 && (count < RECORD || self.is_drained(py)?) =>
                {
                    break;
                }
                Ok(_) => {}
                Err(error) if is_again(py, &error)? => break,
                Err(error) => return Err(error),
            }
        }
        let data = data.finish()?;
        Ok(((!data.as_bytes().is_empty()).then_some(data), ended))
    }

    /// Whether the engine holds nothing decrypted that was not read yet.
    fn is_drained(&self, py: Python<'_>) -> PyResult<bool> {
        let held = self.engine.bind(py).call_method0(intern!(py, "pending"))?;
        Ok(held.extract::<usize>()? == 0)
    }

    /// [`Self::decrypt`] of less than a record, which is one whole record nearly always.
    fn decrypt_one<'py>(&self, py: Python<'py>) -> PyResult<(Option<Bound<'py, PyBytes>>, bool)> {
        let engine = self.engine.bind(py);
        let first = match engine.call_method1(intern!(py, "read"), (RECORD,)) {
            Ok(first) => first.cast_into::<PyBytes>()?,
            Err(error) if is_again(py, &error)? => return Ok((None, false)),
            Err(error) => return Err(error),
        };
        if first.as_bytes().is_empty() {
            return Ok((None, true));
        }
        if first.as_bytes().len() < RECORD && pending(self.incoming.bind(py))? == 0 {
            return Ok((Some(first), false));
        }
        let (rest, ended) = self.decrypt(py)?;
        match rest {
            Some(rest) => Ok((Some(first.add(rest)?.cast_into()?), ended)),
            None => Ok((Some(first), ended)),
        }
    }

    /// Encrypts `data` and hands it on. `Err`: what must end the connection.
    fn send<'py>(
        &self,
        state: &Attributes<'py>,
        transport: &Me<'py>,
        data: &Bound<'py, PyBytes>,
    ) -> PyResult<()> {
        let py = transport.py();
        let length = data.as_bytes().len();
        let mut rest = data.clone().into_any();
        let mut sent = 0;
        loop {
            match self
                .engine
                .bind(py)
                .call_method1(intern!(py, "write"), (&rest,))
            {
                Ok(count) => sent += count.extract::<usize>()?,
                Err(error) if is_again(py, &error)? => return self.keep(&rest),
                Err(error) => return Err(error),
            }
            if sent >= length {
                break;
            }
            let slice = PySlice::new(py, sent.cast_signed(), length.cast_signed(), 1);
            rest = PyMemoryView::from(data)?.get_item(slice)?;
        }
        if state.is(name!("_ssl_writing_paused"))? {
            return self.call(intern!(py, "_process_outgoing"));
        }
        let records = self.outgoing.bind(py).call_method0(intern!(py, "read"))?;
        transport.get().stream(py).write(transport, &records)?;
        self.control_writing(py, state)
    }

    /// The engine takes no more now: the rest waits where asyncio has it wait.
    fn keep(&self, rest: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = rest.py();
        let state = self.state(py)?;
        let backlog = state.get(name!("_write_backlog"))?;
        backlog.call_method1(intern!(py, "append"), (rest,))?;
        let size: usize = state.get(name!("_write_buffer_size"))?.extract()?;
        state.set(name!("_write_buffer_size"), size + rest.len()?)?;
        self.call(intern!(py, "_process_outgoing"))
    }

    /// asyncio's reaction: the connection ends, and the exception handler hears of it. Only what is no `Exception` goes on.
    fn fail(&self, py: Python<'_>, error: PyErr) -> PyResult<()> {
        if !error.is_instance_of::<PyException>(py) {
            return Err(error);
        }
        let value = error.value(py).clone();
        python::handling(&value, || {
            self.protocol.bind(py).call_method1(
                intern!(py, "_fatal_error"),
                (&value, intern!(py, "Fatal error on SSL protocol")),
            )
        })
        .map(drop)
    }

    /// `_control_app_writing()` where nothing waits to be sent: only a mark of zero or an earlier pause makes a difference.
    fn control_writing<'py>(&self, py: Python<'py>, state: &Attributes<'py>) -> PyResult<()> {
        if state.is(name!("_app_writing_paused"))? || !state.is(name!("_outgoing_high_water"))? {
            self.call(intern!(py, "_control_app_writing"))?;
        }
        Ok(())
    }

    /// `_control_ssl_reading()`, likewise.
    fn control_reading<'py>(&self, py: Python<'py>, state: &Attributes<'py>) -> PyResult<()> {
        if pending(self.incoming.bind(py))? > 0
            || state.is(name!("_ssl_reading_paused"))?
            || !state.is(name!("_incoming_high_water"))?
        {
            self.call(intern!(py, "_control_ssl_reading"))?;
        }
        Ok(())
    }

    fn call(&self, method: &Bound<'_, PyString>) -> PyResult<()> {
        self.protocol
            .bind(method.py())
            .call_method0(method)
            .map(drop)
    }

    /// What changes in the protocol's life.
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Attributes<'py>> {
        Attributes::of(self.protocol.bind(py))
    }
}

/// Whether the connection is established, and does not end yet.
fn is_wrapped<'py>(py: Python<'py>, state: &Attributes<'py>) -> PyResult<bool> {
    Ok(state.get(name!("_state"))?.is(&Names::get(py)?.wrapped))
}

/// Whether something that was written before waits to be encrypted.
fn has_backlog(state: &Attributes<'_>) -> PyResult<bool> {
    Ok(state.get(name!("_write_backlog"))?.len()? > 0)
}

/// How many bytes lie in a `MemoryBIO`.
fn pending(bio: &Bound<'_, PyAny>) -> PyResult<usize> {
    bio.getattr(intern!(bio.py(), "pending"))?.extract()
}

/// Whether the engine only waits for bytes to come or go.
fn is_again(py: Python<'_>, error: &PyErr) -> PyResult<bool> {
    Ok(error.matches(py, &Names::get(py)?.again)?)
}

#[pymethods]
impl Tls {
    /// Write some data bytes to the transport.
    fn write<'py>(slf: &Bound<'py, Self>, data: &Bound<'py, PyAny>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let state = this.state(py)?;
        if let Ok(data) = data.cast_exact::<PyBytes>()
            && !data.as_bytes().is_empty()
            && is_wrapped(py, &state)?
            && !has_backlog(&state)?
            && let transport = state.get(name!("_transport"))?
            && let Ok(transport) = transport.cast_exact::<StreamTransport>()
            && !python::has_own(transport, intern!(py, "write"))?
        {
            return this
                .send(&state, transport, data)
                .or_else(|error| this.fail(py, error));
        }
        let transport = this.app_transport.bind(py).upgrade();
        let transport =
            transport.ok_or_else(|| PyRuntimeError::new_err("the transport is gone"))?;
        Names::get(py)?
            .transport_write
            .bind(py)
            .call1((transport, data))
            .map(drop)
    }

    #[allow(clippy::needless_pass_by_value)] // the signature that PyO3 wants
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.protocol)?;
        visit.call(&self.engine)
    }
}
