//! `api::form` for Python: `data_bridge.forms` gives it the pieces of a body and gets fields and files. Knows no file.

use api::form::multipart::{Event, Multipart};
use api::form::options::WithOptions;
use api::form::urlencoded::Urlencoded;
use api::form::{Limits, Refusal};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

/// A field with options, `value; name=value`: the value in lower case, and the options.
#[pyfunction]
pub fn parse_options<'py>(py: Python<'py>, field: &[u8]) -> PyResult<Bound<'py, PyTuple>> {
    let parsed = WithOptions::parse(field);
    let options = PyDict::new(py);
    for (name, value) in &parsed.options {
        options.set_item(PyBytes::new(py, name), PyBytes::new(py, value))?;
    }
    (PyBytes::new(py, &parsed.value), options).into_pyobject(py)
}

/// A multipart form that is being read. A `ValueError` names what is wrong, see `Refusal`.
#[pyclass(module = "data_bridge._native")]
pub struct MultipartForm {
    /// In a box: what it searches with is aligned more strictly than Python aligns objects.
    form: Box<Multipart>,
    events: Vec<Event>,
}

#[pymethods]
impl MultipartForm {
    #[new]
    fn new(
        boundary: &[u8],
        max_files: f64,
        max_fields: f64,
        max_part_size: usize,
    ) -> PyResult<Self> {
        let form = Multipart::new(boundary, limits(max_files, max_fields, max_part_size))
            .map_err(refused)?;
        Ok(Self {
            form: Box::new(form),
            events: Vec::new(),
        })
    }

    /// Reads the next piece. Gives what it brought: `(name, value)` of a field, `(name, filename, fields)` of a file that
    /// begins, a piece of the file's data as bytes or as `slice` of the piece, None where the file ends.
    fn feed<'py>(&mut self, py: Python<'py>, piece: &[u8]) -> PyResult<Bound<'py, PyList>> {
        self.events.clear();
        self.form.feed(piece, &mut self.events).map_err(refused)?;
        let list = PyList::empty(py);
        for event in self.events.drain(..) {
            list.append(given(py, event)?)?;
        }
        Ok(list)
    }
}

fn given(py: Python<'_>, event: Event) -> PyResult<Bound<'_, PyAny>> {
    let bytes = |content: &[u8]| PyBytes::new(py, content);
    Ok(match event {
        Event::Field { name, value } => (bytes(&name), bytes(&value)).into_pyobject(py)?.into_any(),
        Event::File {
            name,
            filename,
            fields,
        } => {
            let fields = fields
                .iter()
                .map(|(name, value)| (bytes(name), bytes(value)));
            let fields = PyList::new(py, fields.collect::<Vec<_>>())?;
            (bytes(&name), bytes(&filename), fields)
                .into_pyobject(py)?
                .into_any()
        }
        Event::Data(range) => {
            pyo3::types::PySlice::new(py, signed(range.start)?, signed(range.end)?, 1).into_any()
        }
        Event::Held(held) => bytes(&held).into_any(),
        Event::FileEnd => py.None().into_bound(py),
    })
}

fn signed(place: usize) -> PyResult<isize> {
    Ok(isize::try_from(place)?)
}

/// An urlencoded form that is being read. A `ValueError` names what is wrong.
#[pyclass(module = "data_bridge._native")]
pub struct UrlencodedForm(Option<Urlencoded>);

#[pymethods]
impl UrlencodedForm {
    #[new]
    fn new(max_fields: f64, max_part_size: usize) -> Self {
        Self(Some(Urlencoded::new(limits(
            0.0,
            max_fields,
            max_part_size,
        ))))
    }

    /// Reads the next piece.
    fn feed(&mut self, piece: &[u8]) -> PyResult<()> {
        self.0
            .as_mut()
            .map_or(Ok(()), |form| form.feed(piece).map_err(refused))
    }

    /// Gives names and values: as text where they are ASCII, also decoded, else as they were sent.
    fn finish<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let pairs = self
            .0
            .take()
            .map_or(Ok(Vec::new()), |form| form.finish().map_err(refused))?;
        let pairs = pairs
            .iter()
            .map(|(name, value)| Ok((text(py, name)?, text(py, value)?)));
        PyList::new(py, pairs.collect::<PyResult<Vec<_>>>()?)
    }
}

fn text<'py>(py: Python<'py>, sent: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    Ok(match api::plan::decode(sent) {
        Some(text) => text.into_pyobject(py)?.into_any(),
        None => PyBytes::new(py, sent).into_any(),
    })
}

fn limits(files: f64, fields: f64, field_size: usize) -> Limits {
    Limits {
        files,
        fields,
        field_size,
    }
}

fn refused(refusal: Refusal) -> PyErr {
    PyValueError::new_err(match refusal {
        Refusal::Syntax => "syntax",
        Refusal::Name => "name",
        Refusal::Files => "files",
        Refusal::Fields => "fields",
        Refusal::FieldSize => "size",
    })
}
