//! `create_future` and `create_task`: calls of asyncio's own classes. Knows what they are told, not what they do.

use std::mem::MaybeUninit;
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use pyo3::{Borrowed, PyTypeInfo, intern};

use super::handle_type::guard;
use super::methods::{Object, core_of};
use super::python::{self, Finding};
use crate::core::Core;
use crate::event_loop::EventLoop;
use crate::tasks;

/// Most keywords that `create_task` passes on: `asyncio.Task` has five.
const MOST_KEYWORDS: usize = 8;

/// An attribute of a module, imported once; `None` leaves a Python error set.
#[inline]
fn imported(
    py: Python<'_>,
    cell: &'static PyOnceLock<Py<PyAny>>,
    module: &str,
    name: &str,
) -> Option<Object> {
    if let Some(object) = cell.get(py) {
        return Some(object.as_ptr());
    }
    let object = guard(ptr::null_mut(), |py| {
        cell.import(py, module, name).map(Bound::as_ptr)
    });
    (!object.is_null()).then_some(object)
}

/// asyncio's function that tells the running loop of this thread.
struct Question {
    function: Py<PyAny>,
    /// The C function behind it and what it belongs to, to be called without the interpreter's way there.
    direct: Option<(ffi::PyCFunction, Py<PyAny>)>,
}

impl Question {
    fn new(py: Python<'_>) -> PyResult<Self> {
        let function = py.import("asyncio.events")?.getattr("_get_running_loop")?;
        let object = function.as_ptr();
        // SAFETY: a live object; the parts of a function in C live as long as it does, and nothing else is asked for them.
        let direct = unsafe {
            if ffi::PyCFunction_CheckExact(object) != 0
                && ffi::PyCFunction_GetFlags(object) == ffi::METH_NOARGS
            {
                let module = ffi::PyCFunction_GetSelf(object);
                ffi::PyCFunction_GetFunction(object)
                    .zip(Bound::from_borrowed_ptr_or_opt(py, module))
            } else {
                None
            }
        };
        Ok(Self {
            direct: direct.map(|(call, module)| (call, module.unbind())),
            function: function.unbind(),
        })
    }

    /// A new reference, or null with a Python error set.
    #[inline]
    fn ask(&self) -> Object {
        // SAFETY: attached; a live function without arguments, with the object that it belongs to.
        unsafe {
            match &self.direct {
                Some((call, module)) => call(module.as_ptr(), ptr::null_mut()),
                None => ffi::PyObject_CallNoArgs(self.function.as_ptr()),
            }
        }
    }
}

/// Whether asyncio's classes find this loop by themselves, which spares them a dictionary of keywords: asyncio knows it as
/// the running one of this thread.
#[inline]
fn is_current(py: Python<'_>, event_loop: Object) -> bool {
    static QUESTION: PyOnceLock<Question> = PyOnceLock::new();
    let Ok(question) = QUESTION.get_or_try_init(py, || Question::new(py)) else {
        return false;
    };
    let running = question.ask();
    // SAFETY: an owned reference, or null with an error set.
    unsafe {
        if running.is_null() {
            ffi::PyErr_Clear();
        }
        ffi::Py_XDECREF(running);
    }
    running == event_loop
}

/// Calls asyncio's class with positional arguments alone. Such a class has no vectorcall, and the interpreter's way from an
/// array of arguments to the tuple that it wants is longer than this one.
#[inline]
unsafe fn call_class(class: Object, arguments: &[Object]) -> Object {
    // SAFETY: the class and the arguments are live; the tuple owns what it holds.
    unsafe {
        let tuple = ffi::PyTuple_New(arguments.len().cast_signed());
        if tuple.is_null() {
            return tuple;
        }
        for (index, argument) in arguments.iter().enumerate() {
            ffi::PyTuple_SET_ITEM(tuple, index.cast_signed(), ffi::Py_NewRef(*argument));
        }
        let result = ffi::PyObject_Call(class, tuple, ptr::null_mut());
        ffi::Py_DECREF(tuple);
        result
    }
}

/// A call in the making: positional arguments, then keywords, in the order of the vectorcall protocol.
struct Call {
    /// The first slot is the one that a vectorcall may borrow; then as many are written as there are arguments.
    values: [MaybeUninit<Object>; MOST_KEYWORDS + 3],
    /// The first `keywords` are written.
    names: [MaybeUninit<Object>; MOST_KEYWORDS + 1],
    positional: usize,
    keywords: usize,
}

impl Call {
    fn new(positional: &[Object]) -> Self {
        let mut call = Self {
            values: [const { MaybeUninit::uninit() }; MOST_KEYWORDS + 3],
            names: [const { MaybeUninit::uninit() }; MOST_KEYWORDS + 1],
            positional: positional.len(),
            keywords: 0,
        };
        for (slot, value) in call.values[1..].iter_mut().zip(positional) {
            slot.write(*value);
        }
        call
    }

    fn keyword(&mut self, name: Object, value: Object) {
        self.values[1 + self.positional + self.keywords].write(value);
        self.names[self.keywords].write(name);
        self.keywords += 1;
    }

    /// # Safety
    /// Everything put in is live.
    unsafe fn make(&mut self, function: Object) -> Object {
        // SAFETY: the caller says so, and as much is written as is read; the tuple owns what it holds.
        unsafe {
            let mut names = ptr::null_mut();
            if self.keywords > 0 {
                names = ffi::PyTuple_New(self.keywords.cast_signed());
                if names.is_null() {
                    return names;
                }
                for index in 0..self.keywords {
                    ffi::PyTuple_SET_ITEM(
                        names,
                        index.cast_signed(),
                        ffi::Py_NewRef(self.names[index].assume_init()),
                    );
                }
            }
            let first = self.values.as_mut_ptr().add(1).cast();
            let count = self.positional | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
            let result = ffi::PyObject_Vectorcall(function, first, count, names);
            ffi::Py_XDECREF(names);
            result
        }
    }
}

pub(super) unsafe extern "C" fn create_future(slf: Object, _: Object) -> Object {
    static FUTURE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    // SAFETY: the interpreter passes an instance of the class.
    unsafe {
        let py = Python::assume_attached();
        let Some(class) = imported(py, &FUTURE, "asyncio.futures", "Future") else {
            return ptr::null_mut();
        };
        if is_current(py, slf) {
            return call_class(class, &[]);
        }
        let mut call = Call::new(&[]);
        call.keyword(intern!(py, "loop").as_ptr(), slf);
        call.make(class)
    }
}

/// `event_loop.create_future()`, without a search for the method if that is known to be ours.
pub fn future_of<'py>(event_loop: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = event_loop.py();
    let name = intern!(py, "create_future");
    if python::has_own(event_loop, name)? || !has_native_futures(&event_loop.get_type())? {
        return event_loop.call_method0(name);
    }
    // SAFETY: an instance of the class whose method this is; a new reference comes back, or null with an error set.
    unsafe {
        let future = create_future(event_loop.as_ptr(), ptr::null_mut());
        Bound::from_owned_ptr_or_err(py, future)
    }
}

/// Whether [`create_future`] is the method of that class.
fn has_native_futures(class: &Bound<'_, PyType>) -> PyResult<bool> {
    /// Of the last class that had it.
    static FINDING: Finding = Finding::new();
    FINDING.holds(class, || {
        let name = intern!(class.py(), "create_future");
        let native = EventLoop::type_object(class.py()).getattr(name)?;
        let method = class.getattr_opt(name)?;
        Ok(method.is_some_and(|method| method.is(&native)))
    })
}

pub(super) unsafe extern "C" fn create_task(
    slf: Object,
    values: *const Object,
    positional: ffi::Py_ssize_t,
    keywords: Object,
) -> Object {
    static TASK: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    // SAFETY: the interpreter passes an instance of the class, and valid arguments.
    unsafe {
        let py = Python::assume_attached();
        let core = core_of(py, &slf);
        let given = if keywords.is_null() {
            0
        } else {
            ffi::PyTuple_GET_SIZE(keywords)
        };
        let named = |at: ffi::Py_ssize_t| ffi::PyTuple_GET_ITEM(keywords, at);
        let value =
            |at: ffi::Py_ssize_t| *values.add(positional.unsigned_abs() + at.unsigned_abs());
        let coroutine = match positional {
            1 => Some(*values),
            0 => (0..given).find(|at| is_coro(named(*at))).map(value),
            _ => None,
        };
        let Some(coroutine) = coroutine.filter(|_| given.unsigned_abs() <= MOST_KEYWORDS) else {
            let text = c"create_task() takes one positional argument: the coroutine";
            ffi::PyErr_SetString(ffi::PyExc_TypeError, text.as_ptr());
            return ptr::null_mut();
        };
        if core.is_special() && !guard(false, |_| core.check_usable().map(|()| true)) {
            return ptr::null_mut();
        }
        let pairs = (0..given)
            .filter(|at| positional == 1 || !is_coro(named(*at)))
            .map(|at| (named(at), value(at)));
        if core.task_factory.borrow().is_some() {
            return by_factory(py, core, slf, coroutine, pairs);
        }
        let Some(class) = imported(py, &TASK, "asyncio.tasks", "Task") else {
            return ptr::null_mut();
        };
        // `None` is what the class takes for an absent keyword.
        let told =
            pairs.filter(|(name, value)| *value != ffi::Py_None() || !is_optional(py, *name));
        let is_current = is_current(py, slf);
        if is_current && told.clone().next().is_none() {
            return call_class(class, &[coroutine]);
        }
        let mut call = Call::new(&[coroutine]);
        if !is_current {
            call.keyword(intern!(py, "loop").as_ptr(), slf);
        }
        for (name, value) in told {
            call.keyword(name, value);
        }
        call.make(class)
    }
}

/// Whether this version's `create_task` passes every keyword on: the interpreter's patch releases differ.
pub(super) fn takes_any_keyword(py: Python<'_>) -> PyResult<bool> {
    let class = py.import("asyncio.base_events")?.getattr("BaseEventLoop")?;
    let code = class.getattr("create_task")?.getattr("__code__")?;
    let flags: i32 = code.getattr("co_flags")?.extract()?;
    Ok(flags & ffi::CO_VARKEYWORDS != 0)
}

unsafe fn is_coro(name: Object) -> bool {
    // SAFETY: keyword names are strings.
    unsafe { ffi::PyUnicode_CompareWithASCIIString(name, c"coro".as_ptr()) == 0 }
}

unsafe fn is_optional(py: Python<'_>, name: Object) -> bool {
    name == intern!(py, "name").as_ptr() || name == intern!(py, "context").as_ptr()
}

unsafe fn by_factory(
    py: Python<'_>,
    core: &Core,
    slf: Object,
    coroutine: Object,
    pairs: impl Iterator<Item = (Object, Object)>,
) -> Object {
    // SAFETY: everything is borrowed from the caller's arguments for the call.
    unsafe {
        let bound = |object| Borrowed::from_ptr(py, object).to_owned();
        let keywords: Vec<_> = pairs
            .map(|(name, value)| (bound(name), bound(value)))
            .collect();
        let (event_loop, coroutine) = (bound(slf), bound(coroutine));
        guard(ptr::null_mut(), |py| {
            tasks::by_factory(py, core, &event_loop, &coroutine, &keywords).map(Bound::into_ptr)
        })
    }
}
