//! Classes of asyncio and of what it stands on, and whether they are still as Python wrote them. Knows no transport.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyType, PyWeakrefMethods, PyWeakrefReference};

use super::attributes::{Attributes, name};
use crate::ffi::python::Finding;

const STREAMS: &str = "asyncio.streams";

/// A class of Python's, and the attributes that our files stand for.
pub struct Original {
    class: Py<PyType>,
    /// What the functions of its module have as their globals.
    globals: Py<PyAny>,
    names: &'static [&'static str],
    /// That the class has those of its module.
    untouched: Finding,
}

impl Original {
    fn new(
        py: Python<'_>,
        module: &str,
        class: &str,
        names: &'static [&'static str],
    ) -> PyResult<Self> {
        let module = py.import(module)?;
        Ok(Self {
            class: module.getattr(class)?.cast_into::<PyType>()?.unbind(),
            globals: module.dict().into_any().unbind(),
            names,
            untouched: Finding::new(),
        })
    }

    /// `asyncio.StreamReaderProtocol`
    pub fn protocol(py: Python<'_>) -> PyResult<&'static Self> {
        static PROTOCOL: PyOnceLock<Original> = PyOnceLock::new();
        let names = &["data_received", "_stream_reader"];
        PROTOCOL.get_or_try_init(py, || Self::new(py, STREAMS, "StreamReaderProtocol", names))
    }

    /// `asyncio.StreamReader`
    pub fn reader(py: Python<'_>) -> PyResult<&'static Self> {
        static READER: PyOnceLock<Original> = PyOnceLock::new();
        let names = &[
            "feed_data",
            "_wakeup_waiter",
            "read",
            "readexactly",
            "readuntil",
            "readline",
            "_wait_for_data",
            "_maybe_resume_transport",
        ];
        READER.get_or_try_init(py, || Self::new(py, STREAMS, "StreamReader", names))
    }

    /// `asyncio.Server`
    pub fn server(py: Python<'_>) -> PyResult<&'static Self> {
        static SERVER: PyOnceLock<Original> = PyOnceLock::new();
        let names = &["_attach", "_detach"];
        SERVER.get_or_try_init(py, || Self::new(py, "asyncio.base_events", "Server", names))
    }

    /// `weakref.WeakSet`
    pub fn weak_set(py: Python<'_>) -> PyResult<&'static Self> {
        static WEAK_SET: PyOnceLock<Original> = PyOnceLock::new();
        let names = &["add", "discard"];
        WEAK_SET.get_or_try_init(py, || Self::new(py, "_weakrefset", "WeakSet", names))
    }

    /// Whether `object` is of exactly this class.
    pub fn has_made(&self, object: &Bound<'_, PyAny>) -> bool {
        object.get_type().is(&self.class)
    }

    /// Whether `object` is of exactly this class, and nobody has replaced an attribute on that.
    pub fn has_made_untouched(&self, object: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.has_made(object) && self.is_untouched(object.py())?)
    }

    /// Whether nobody has replaced an attribute on the class, be it before we were imported.
    pub fn is_untouched(&self, py: Python<'_>) -> PyResult<bool> {
        let class = self.class.bind(py);
        self.untouched.holds(class, || {
            for name in self.names {
                if !self.has_written(&class.getattr(*name)?, name)? {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    /// Whether `attribute` is the module's function of that name, or a property with such a function.
    fn has_written(&self, attribute: &Bound<'_, PyAny>, name: &str) -> PyResult<bool> {
        let py = attribute.py();
        let getter = attribute.getattr_opt(intern!(py, "fget"))?;
        let function = getter.as_ref().unwrap_or(attribute);
        let globals = function.getattr_opt(intern!(py, "__globals__"))?;
        Ok(globals.is_some_and(|globals| globals.is(&self.globals))
            && function.getattr(intern!(py, "__name__"))?.eq(name)?)
    }
}

/// The reader of a `StreamReaderProtocol`, if it is asyncio's own and both classes are untouched.
pub fn reader_of<'py>(
    py: Python<'py>,
    protocol: &Attributes<'py>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if !Original::protocol(py)?.is_untouched(py)? {
        return Ok(None);
    }
    let weak = protocol.get(name!("_stream_reader_wr"))?;
    let Ok(weak) = weak.cast_exact::<PyWeakrefReference>() else {
        return Ok(None);
    };
    let Some(reader) = weak.upgrade() else {
        return Ok(None);
    };
    let is_untouched = Original::reader(py)?.has_made_untouched(&reader)?;
    Ok(is_untouched.then_some(reader))
}
