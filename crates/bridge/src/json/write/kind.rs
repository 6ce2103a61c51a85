//! What a class beyond the built-in ones is to the writer: found out once, remembered as long as the class lives.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use pyloop::gil::Kept;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyDate, PyDateTime, PyDict, PyInt, PyList, PyString, PyTime, PyType, PyWeakrefMethods,
    PyWeakrefReference,
};
use pyo3::{PyTypeInfo, intern};

use super::numpy::{self, Scalar};

/// What objects of a class become.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    DateTime,
    Date,
    Time,
    Uuid,
    /// An enumeration's member; its value is read by `value`, or by `_value_` where that is certainly the same.
    Enum {
        overridden: bool,
    },
    /// A subclass of a built-in type.
    Str,
    Int,
    List,
    Dict,
    /// Something that brings Pydantic's serialiser along.
    Model,
    /// `slots`: its attributes are asked for by name.
    Dataclass {
        slots: bool,
    },
    Array,
    Scalar(Scalar),
    Unknown,
}

struct Known {
    class: Kept<PyWeakrefReference>,
    kind: Kind,
}

/// Classes that are remembered. A program that makes classes without end looks at them anew.
const REMEMBERED: usize = 4096;

/// By address. No Python code runs while the list is locked: a class whose reference is looked at lives.
fn kinds() -> MutexGuard<'static, HashMap<usize, Known>> {
    static KINDS: LazyLock<Mutex<HashMap<usize, Known>>> = LazyLock::new(Mutex::default);
    KINDS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The kind of `class`.
pub fn of(class: &Bound<'_, PyType>) -> PyResult<Kind> {
    let py = class.py();
    let address = class.as_ptr() as usize;
    if let Some(known) = kinds().get(&address)
        && known.class.bind(py).upgrade().is_some()
    {
        return Ok(known.kind);
    }
    let kind = look(class)?;
    let weak = Kept::new(PyWeakrefReference::new(class)?.unbind());
    let mut kinds = kinds();
    let forgotten = if kinds.len() < REMEMBERED {
        HashMap::new()
    } else {
        std::mem::take(&mut *kinds)
    };
    let replaced = kinds.insert(address, Known { class: weak, kind });
    drop(kinds);
    drop((forgotten, replaced));
    Ok(kind)
}

fn look(class: &Bound<'_, PyType>) -> PyResult<Kind> {
    let py = class.py();
    for (known, kind) in [
        (PyDateTime::type_object(py), Kind::DateTime),
        (PyDate::type_object(py), Kind::Date),
        (PyTime::type_object(py), Kind::Time),
        (imported(py, &UUID, "uuid", "UUID")?.clone(), Kind::Uuid),
    ] {
        if class.is(&known) {
            return Ok(kind);
        }
    }
    let base = imported(py, &ENUM, "enum", "Enum")?;
    if class.is_subclass(base)? {
        let overridden = !is_inherited(class, base)?;
        return Ok(Kind::Enum { overridden });
    }
    if let Some(kind) = numpy::kind_of(class)? {
        return Ok(kind);
    }
    if class.hasattr(intern!(py, "__pydantic_serializer__"))? {
        return Ok(Kind::Model);
    }
    if class.is_subclass_of::<PyString>()? {
        return Ok(Kind::Str);
    }
    if class.is_subclass_of::<PyInt>()? {
        return Ok(Kind::Int);
    }
    if class.is_subclass_of::<PyList>()? {
        return Ok(Kind::List);
    }
    if class.is_subclass_of::<PyDict>()? {
        return Ok(Kind::Dict);
    }
    if class.hasattr(intern!(py, "__dataclass_fields__"))? {
        let slots = class.hasattr(intern!(py, "__slots__"))?;
        return Ok(Kind::Dataclass { slots });
    }
    Ok(Kind::Unknown)
}

static UUID: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static ENUM: PyOnceLock<Py<PyType>> = PyOnceLock::new();

fn imported<'py>(
    py: Python<'py>,
    cell: &'static PyOnceLock<Py<PyType>>,
    module: &str,
    name: &str,
) -> PyResult<&'py Bound<'py, PyType>> {
    cell.import(py, module, name)
}

/// Whether the `value` of an enumeration is the one that all of them have.
fn is_inherited(class: &Bound<'_, PyType>, base: &Bound<'_, PyType>) -> PyResult<bool> {
    let name = intern!(class.py(), "value");
    for parent in class.mro() {
        if parent
            .getattr(intern!(class.py(), "__dict__"))?
            .contains(name)?
        {
            return Ok(parent.is(base));
        }
    }
    Ok(false)
}
