//! numpy's arrays and scalars, where the program has loaded numpy: nothing here imports it.

use pyo3::buffer::{Element, PyBuffer};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple, PyType};

use super::Writer;
use super::kind::Kind;
use super::stop::Written;

/// What a scalar's class holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scalar {
    /// Python's own `item()` says it.
    Item,
    /// A float of 16 or 32 bits, whose shortest form is its own.
    ShortFloat,
    DateTime,
}

/// What a class is, if it is one of numpy's that JSON has a form for.
pub fn kind_of(class: &Bound<'_, PyType>) -> PyResult<Option<Kind>> {
    let module = class.getattr_opt(intern!(class.py(), "__module__"))?;
    let is_numpy = module.is_some_and(|module| {
        module
            .cast::<PyString>()
            .is_ok_and(|module| module == "numpy")
    });
    if !is_numpy {
        return Ok(None);
    }
    let name = class.name()?;
    Ok(Some(match name.to_str()? {
        "ndarray" => Kind::Array,
        "float16" | "float32" => Kind::Scalar(Scalar::ShortFloat),
        "datetime64" => Kind::Scalar(Scalar::DateTime),
        "bool" | "bool_" | "float64" | "int8" | "int16" | "int32" | "int64" | "intc"
        | "longlong" | "uint8" | "uint16" | "uint32" | "uint64" | "uintc" | "ulonglong"
        | "str_" => Kind::Scalar(Scalar::Item),
        _ => Kind::Unknown,
    }))
}

/// Writes a scalar.
pub fn write_scalar<'py>(
    writer: &mut Writer<'_, 'py>,
    object: &Bound<'py, PyAny>,
    scalar: Scalar,
) -> Written {
    let py = object.py();
    match scalar {
        Scalar::Item => writer.write(&object.call_method0(intern!(py, "item"))?),
        #[allow(clippy::cast_possible_truncation)] // it was one of 32 bits or fewer
        Scalar::ShortFloat => writer.short_float(object.extract::<f64>()? as f32),
        Scalar::DateTime => {
            let exact = object.call_method1(intern!(py, "astype"), ("datetime64[us]",))?;
            writer.write(&exact.call_method0(intern!(py, "item"))?)
        }
    }
}

/// Writes an array of any number of dimensions, as lists within lists.
pub fn write_array<'py>(writer: &mut Writer<'_, 'py>, array: &Bound<'py, PyAny>) -> Written {
    let py = array.py();
    if array.getattr(intern!(py, "ndim"))?.extract::<usize>()? == 0 {
        return writer.write(&array.get_item(PyTuple::empty(py))?);
    }
    let array = contiguous(array)?;
    let kind: String = array
        .getattr(intern!(py, "dtype"))?
        .getattr(intern!(py, "str"))?
        .extract()?;
    let astype = |name: &str| array.call_method1(intern!(py, "astype"), (name,));
    let view = |name: &str| array.call_method1(intern!(py, "view"), (name,));
    match kind.get(1..).unwrap_or_default() {
        _ if kind.starts_with(FOREIGN_ORDER) => write_list(writer, &array),
        "f8" => write_rows(writer, &array, |w, v: f64| w.float(v)),
        "f4" => write_rows(writer, &array, |w, v: f32| w.short_float(v)),
        "f2" => write_rows(writer, &astype("float32")?, |w, v: f32| w.short_float(v)),
        "i8" => write_rows(writer, &view("int64")?, |w, v: i64| w.signed(v)),
        "i4" => write_rows(writer, &array, |w, v: i32| w.signed(v.into())),
        "i2" => write_rows(writer, &array, |w, v: i16| w.signed(v.into())),
        "i1" => write_rows(writer, &array, |w, v: i8| w.signed(v.into())),
        "u8" => write_rows(writer, &view("uint64")?, |w, v: u64| w.unsigned(v)),
        "u4" => write_rows(writer, &array, |w, v: u32| w.unsigned(v.into())),
        "u2" => write_rows(writer, &array, |w, v: u16| w.unsigned(v.into())),
        "u1" => write_rows(writer, &array, |w, v: u8| w.unsigned(v.into())),
        "b1" => write_rows(writer, &view("uint8")?, |w, v: u8| w.constant(v != 0)),
        kind if kind.starts_with("M8") => write_list(writer, &astype("datetime64[us]")?),
        _ => write_list(writer, &array),
    }
}

/// The byte order that is not this machine's, as numpy writes it.
const FOREIGN_ORDER: char = if cfg!(target_endian = "little") {
    '>'
} else {
    '<'
};

fn contiguous<'py>(array: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = array.py();
    let flags = array.getattr(intern!(py, "flags"))?;
    if flags.getattr(intern!(py, "c_contiguous"))?.is_truthy()? {
        return Ok(array.clone());
    }
    array.call_method1(intern!(py, "copy"), ("C",))
}

/// What has no quick way: as the Python objects that numpy makes of it.
fn write_list<'py>(writer: &mut Writer<'_, 'py>, array: &Bound<'py, PyAny>) -> Written {
    let list = array.call_method0(intern!(array.py(), "tolist"))?;
    writer.nested(array, |writer| writer.write(&list))
}

fn write_rows<'py, T: Element>(
    writer: &mut Writer<'_, 'py>,
    array: &Bound<'py, PyAny>,
    write: fn(&mut Writer<'_, 'py>, T) -> Written,
) -> Written {
    let buffer = PyBuffer::<T>::get(array)?;
    // A copy: the array may change while other threads run.
    let mut next = buffer.to_vec(array.py())?.into_iter();
    rows(writer, array, buffer.shape(), &mut next, write)
}

/// One dimension: a list of what lies below it.
fn rows<'py, T>(
    writer: &mut Writer<'_, 'py>,
    array: &Bound<'py, PyAny>,
    shape: &[usize],
    next: &mut impl Iterator<Item = T>,
    write: fn(&mut Writer<'_, 'py>, T) -> Written,
) -> Written {
    let Some((length, inner)) = shape.split_first() else {
        // Nobody else has a shape that its cells do not fill.
        return next.next().map_or(Ok(()), |value| write(writer, value));
    };
    writer.array(array, *length, |writer, _| {
        rows(writer, array, inner, next, write)
    })
}
