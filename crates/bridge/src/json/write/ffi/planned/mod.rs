//! Values by their plan. Whatever is not exactly as planned is a surprise: the whole value is given back, and Pydantic
//! writes it, or raises or warns.
//!
//! As in the walk without a plan, a container holds itself, and what is borrowed from it is used until code may run.

#![allow(clippy::inline_always)] // as in the walk without a plan

mod fields;
mod items;
mod plain;
mod texts;

use std::sync::Arc;

use pyo3::ffi;
use pyo3::prelude::*;

use super::walk::{DEPTH, Object, Writer};
use crate::json::model::{Model, Node, Plan, Wishes};
use crate::json::write::options::{Options, Settings};
use crate::json::write::stop::{Cause, Stop, Written};

/// The plan of the class that was written last: in a list of models it is the next one's too.
pub struct Last {
    class: Object,
    plan: Arc<Plan>,
}

/// What holds for all values below one.
#[derive(Clone, Copy)]
struct Under<'p> {
    plan: &'p Plan,
    /// A union has chosen by class: a subclass's instance might have been another choice's.
    exact: bool,
    /// As `json.dumps` writes it.
    plain: bool,
}

impl<'p> Under<'p> {
    fn model(self, number: usize) -> Option<&'p Model> {
        self.plan.models.get(number)
    }
}

#[cold]
fn surprise() -> Written {
    Err(Stop::new(Cause::Surprise))
}

impl<'py> Writer<'_, 'py> {
    /// Whether the plan of the object's class is at hand.
    #[inline]
    pub fn knows_plan(&self, object: &Bound<'py, PyAny>, wishes: Wishes) -> bool {
        let class = object.get_type_ptr().cast();
        matches!(&self.last, Some(last) if last.class == class && last.plan.wishes == wishes)
    }

    /// Keeps the plan of the object's class at hand. The plan keeps the class.
    pub fn learn_plan(&mut self, object: &Bound<'py, PyAny>, plan: Arc<Plan>) {
        let class = object.get_type_ptr().cast();
        self.last = Some(Last { class, plan });
    }

    /// Writes an object by the plan at hand; `false` if something is not as planned: then nothing was written.
    pub fn by_known_plan(&mut self, object: &Bound<'py, PyAny>) -> Result<bool, Stop> {
        let Some(last) = self.last.take() else {
            return Ok(false);
        };
        let written = self.by_plan(&last.plan, object);
        self.last = Some(last);
        written
    }

    /// Writes a value by a plan; `false` if something is not as planned: then nothing was written.
    pub fn by_plan(&mut self, plan: &Plan, object: &Bound<'py, PyAny>) -> Result<bool, Stop> {
        let (start, depth, settings) = (self.buffer.len(), self.depth, self.settings);
        // The caller's wishes are not Pydantic's.
        self.settings = Settings {
            options: Options::NONE,
            ..settings
        };
        let under = Under {
            plan,
            exact: false,
            plain: matches!(plan.root, Node::Plain),
        };
        // SAFETY: the caller holds the object.
        let written = unsafe { self.node(under, &plan.root, object.as_ptr()) };
        self.settings = settings;
        match written {
            Ok(()) => Ok(true),
            Err(stop) if stop.is_for_pydantic(self.py) => {
                self.buffer.truncate(start);
                self.depth = depth;
                Ok(false)
            }
            Err(stop) => Err(stop),
        }
    }

    /// What most fields hold is written in the loop of the container.
    ///
    /// # Safety
    /// `value` lives until code runs.
    #[inline(always)]
    unsafe fn node(&mut self, under: Under<'_>, node: &Node, value: Object) -> Written {
        // SAFETY: the class says what the value is.
        unsafe {
            let class = ffi::Py_TYPE(value);
            match node {
                Node::Str if class == &raw mut ffi::PyUnicode_Type => self.text(value),
                Node::Int if class == &raw mut ffi::PyLong_Type => self.integer(value),
                Node::Float if class == &raw mut ffi::PyFloat_Type => {
                    self.planned_float(under, value)
                }
                Node::Bool if class == &raw mut ffi::PyBool_Type => {
                    self.constant(value == ffi::Py_True())
                }
                _ => self.further(under, node, value),
            }
        }
    }

    /// What is not written in place.
    ///
    /// # Safety
    /// `value` lives until code runs.
    #[inline(never)]
    unsafe fn further(&mut self, under: Under<'_>, node: &Node, value: Object) -> Written {
        // SAFETY: the class says what the value is; a container holds itself, other code is given a held reference.
        unsafe {
            let class = ffi::Py_TYPE(value);
            match node {
                Node::None | Node::Nullable(_) if value == ffi::Py_None() => {
                    Ok(self.buffer.literal(*b"null")?)
                }
                Node::Nullable(inner) => self.node(under, inner, value),
                Node::Model(number) => match under.model(*number) {
                    Some(model) => self.model(under, model, value),
                    None => surprise(),
                },
                Node::List(inner) if class == &raw mut ffi::PyList_Type => {
                    self.planned_list(under, inner, value)
                }
                Node::Dict(inner) if class == &raw mut ffi::PyDict_Type => {
                    self.planned_dict(under, inner, value)
                }
                Node::Row(inner) if class == &raw mut ffi::PyTuple_Type => {
                    self.planned_tuple(under, |_| Some(inner), value)
                }
                Node::Tuple(nodes)
                    if class == &raw mut ffi::PyTuple_Type
                        && ffi::PyTuple_GET_SIZE(value).unsigned_abs() == nodes.len() =>
                {
                    self.planned_tuple(under, |index| nodes.get(index), value)
                }
                Node::Set(known, inner) if self.is_of(class, known) => {
                    self.planned_set(under, inner, value)
                }
                Node::Text(known, form) if self.is_of(class, known) => self.form(*form, value),
                Node::Member(known) if self.is_of(class, known) => self.member(value),
                Node::Literal(strings) if class == &raw mut ffi::PyUnicode_Type => {
                    self.one_of(strings, value)
                }
                Node::Union(choices) => self.choice(under, choices, value),
                Node::Any | Node::Plain => self.any(under, value),
                _ => surprise(),
            }
        }
    }

    /// # Safety
    /// `value` lives until code runs.
    unsafe fn choice(&mut self, under: Under<'_>, choices: &[Node], value: Object) -> Written {
        let under = Under {
            exact: true,
            ..under
        };
        // SAFETY: the caller says so.
        unsafe {
            let class = ffi::Py_TYPE(value);
            let takes = |node: &&Node| match node {
                Node::Str => class == &raw mut ffi::PyUnicode_Type,
                Node::Int => class == &raw mut ffi::PyLong_Type,
                Node::Float => class == &raw mut ffi::PyFloat_Type,
                Node::Bool => class == &raw mut ffi::PyBool_Type,
                Node::None => value == ffi::Py_None(),
                Node::Model(number) => under
                    .model(*number)
                    .is_some_and(|model| self.is_of(class, &model.class)),
                _ => false,
            };
            match choices.iter().find(takes) {
                Some(node) => self.node(under, node, value),
                None => surprise(),
            }
        }
    }

    /// A value that its type says nothing about.
    ///
    /// # Safety
    /// `value` lives until code runs.
    unsafe fn any(&mut self, under: Under<'_>, value: Object) -> Written {
        // SAFETY: as in `node`.
        unsafe {
            let class = ffi::Py_TYPE(value);
            if class == &raw mut ffi::PyUnicode_Type {
                self.text(value)
            } else if class == &raw mut ffi::PyLong_Type {
                self.integer(value)
            } else if class == &raw mut ffi::PyFloat_Type {
                self.planned_float(under, value)
            } else if class == &raw mut ffi::PyBool_Type {
                self.constant(value == ffi::Py_True())
            } else if value == ffi::Py_None() {
                Ok(self.buffer.literal(*b"null")?)
            } else if class == &raw mut ffi::PyDict_Type {
                self.planned_dict(under, &Node::Any, value)
            } else if class == &raw mut ffi::PyList_Type {
                self.planned_list(under, &Node::Any, value)
            } else if class == &raw mut ffi::PyTuple_Type {
                self.planned_tuple(under, |_| Some(&Node::Any), value)
            } else if under.plain {
                self.plain_model(value)
            } else {
                self.any_text(value)
            }
        }
    }

    /// Enters a container and begins it with this bracket; one that lies too deep may be its own ancestor, which Pydantic has
    /// words for.
    #[inline]
    fn enter(&mut self, bracket: u8) -> Written {
        if self.depth == DEPTH {
            return surprise();
        }
        self.depth += 1;
        self.buffer.reserve(1)?;
        self.punctuate(bracket);
        Ok(())
    }
}
