//! The hot methods of the loop as the interpreter's fast calls: no tuple, no dictionary, no trampoline.
//! Knows how arguments arrive; what then happens is `core.rs`.

use std::cell::Cell;
use std::ffi::CStr;
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use pyo3::{Borrowed, PyTypeInfo, intern};

use super::cell::GilCell;
use super::create;
use super::handle::{HandleRef, Parts, SCHEDULED, THREADSAFE};
use super::handle_type::{Kind, guard, without_arguments};
use crate::clock;
use crate::core::Core;
use crate::debug;
use crate::event_loop::EventLoop;
use crate::gil;
use crate::ready::Ready;

/// A thread that posts faster than the loop runs lets it catch up after so many callbacks: a queue that grows for a whole
/// switch interval (5 ms) outgrows the processor's cache and has the garbage collector run for its contexts.
const REMOTE_BURST: usize = 1024;

pub(super) type Object = *mut ffi::PyObject;

/// The state of the loop that `event_loop` points to.
///
/// # Safety
/// `event_loop` is a live instance of `EventLoop`, and the thread is attached.
#[inline]
pub(super) unsafe fn core_of<'a>(py: Python<'a>, event_loop: &'a Object) -> &'a Core {
    // SAFETY: the caller says so.
    unsafe {
        Borrowed::from_ptr(py, *event_loop)
            .cast_unchecked::<EventLoop>()
            .get()
            .core(py)
    }
}

/// Arguments of a fast call: positional ones, then the values of the keywords.
struct Arguments {
    values: *const Object,
    positional: usize,
    keywords: Object,
}

/// `callback, *args, context=None` behind `skip` other positional arguments.
struct Callback {
    function: Object,
    arguments: *const Object,
    count: usize,
    context: Object,
}

impl Arguments {
    unsafe fn get(&self, index: usize) -> Object {
        // SAFETY: the caller stays below the number of values.
        unsafe { *self.values.add(index) }
    }

    /// `Err(())`: a Python error is set.
    #[inline(always)]
    #[allow(clippy::inline_always)] // what it returns would go through memory, for as much as the rest of call_soon
    unsafe fn callback(
        &self,
        py: Python<'_>,
        skip: usize,
        method: &CStr,
        missing: &[&CStr],
    ) -> Result<Callback, ()> {
        // SAFETY: the interpreter passes `positional` values, then one for each name in `keywords`.
        unsafe {
            if self.positional <= skip {
                missing_argument(method, missing, self.positional);
                return Err(());
            }
            let mut context = ptr::null_mut();
            if !self.keywords.is_null() {
                context = self.context_keyword(py, method)?;
            }
            Ok(Callback {
                function: self.get(skip),
                arguments: self.values.add(skip + 1),
                count: self.positional - skip - 1,
                context,
            })
        }
    }

    #[inline]
    unsafe fn context_keyword(&self, py: Python<'_>, method: &CStr) -> Result<Object, ()> {
        // SAFETY: `keywords` is a tuple of strings, and a value stands for each.
        unsafe {
            if !is_context_alone(py, self.keywords) {
                return unexpected_keyword(py, self.keywords, method);
            }
            let context = self.get(self.positional);
            Ok(if context == ffi::Py_None() {
                ptr::null_mut()
            } else {
                context
            })
        }
    }
}

/// Whether these are the names of one keyword, which is `context`.
#[inline]
unsafe fn is_context_alone(py: Python<'_>, names: Object) -> bool {
    /// The tuple that was read last: asyncio's own futures and tasks pass one and the same, whose name is not the interned
    /// one, so that it would have to be read each time. Owned, so that its address stays its own.
    static READ: GilCell<Cell<Object>> = GilCell::new(Cell::new(ptr::null_mut()));
    let read = READ.get(py);
    if names == read.get() {
        return true;
    }
    // SAFETY: a live tuple of strings.
    unsafe {
        if ffi::PyTuple_GET_SIZE(names) != 1 {
            return false;
        }
        let name = ffi::PyTuple_GET_ITEM(names, 0);
        let expected = intern!(py, "context").as_ptr();
        if name == expected {
            return true;
        }
        if ffi::PyUnicode_Compare(name, expected) != 0 {
            return false;
        }
        ffi::Py_XDECREF(read.replace(ffi::Py_NewRef(names)));
    }
    true
}

/// No names at all are no context; else an error is set for the first that is not expected.
#[cold]
unsafe fn unexpected_keyword(py: Python<'_>, names: Object, method: &CStr) -> Result<Object, ()> {
    // SAFETY: a live tuple of strings.
    unsafe {
        for index in 0..ffi::PyTuple_GET_SIZE(names) {
            let name = ffi::PyTuple_GET_ITEM(names, index);
            if ffi::PyUnicode_Compare(name, intern!(py, "context").as_ptr()) != 0 {
                let text = c"%s() got an unexpected keyword argument '%U'";
                ffi::PyErr_Format(ffi::PyExc_TypeError, text.as_ptr(), method.as_ptr(), name);
                return Err(());
            }
        }
    }
    Ok(ptr::null_mut())
}

#[cold]
unsafe fn missing_argument(method: &CStr, names: &[&CStr], given: usize) {
    let Some(name) = names.get(given) else { return };
    // SAFETY: a format with two C strings.
    unsafe {
        let text = c"%s() missing required positional argument: '%s'";
        ffi::PyErr_Format(
            ffi::PyExc_TypeError,
            text.as_ptr(),
            method.as_ptr(),
            name.as_ptr(),
        );
    }
}

impl Callback {
    fn parts(&self, event_loop: Object) -> Parts {
        Parts {
            event_loop,
            callback: self.function,
            arguments: self.arguments,
            count: self.count,
            context: self.context,
        }
    }

    /// What an unusual loop asks first: closed, forked, debug. `false`: a Python error is set.
    #[cold]
    unsafe fn check(&self, core: &Core, method: &str, thread: bool) -> bool {
        guard(false, |py| {
            core.check_usable()?;
            if core.is_debug() {
                if thread {
                    debug::check_thread(core)?;
                }
                // SAFETY: the callback is borrowed from the caller's arguments.
                let callback = unsafe { Bound::from_borrowed_ptr(py, self.function) };
                debug::check_callback(&callback, method)?;
            }
            Ok(true)
        })
    }
}

#[cold]
fn note_source(handle: &HandleRef) -> bool {
    guard(false, |py| debug::note_source(py, handle).map(|()| true))
}

unsafe fn queue(
    slf: Object,
    arguments: &Arguments,
    method: &'static CStr,
    from_elsewhere: bool,
) -> Object {
    // SAFETY: the interpreter passes an instance of the class, and valid arguments.
    unsafe {
        let py = Python::assume_attached();
        let core = core_of(py, &slf);
        let Ok(call) = arguments.callback(py, 0, method, &[c"callback"]) else {
            return ptr::null_mut();
        };
        if core.is_special()
            && !call.check(core, method.to_str().unwrap_or_default(), !from_elsewhere)
        {
            return ptr::null_mut();
        }
        let flags = if from_elsewhere { THREADSAFE } else { 0 };
        let Some(handle) = HandleRef::new(py, Kind::Handle, call.parts(slf), flags, 0.0) else {
            return ptr::null_mut();
        };
        if core.is_debug() && !note_source(&handle) {
            return ptr::null_mut();
        }
        let returned = handle.clone_ref(py).into_ptr();
        if from_elsewhere {
            // What came through the inbox before goes first.
            core.take_inbox_if_filled();
        }
        core.ready.push(Ready::Handle(handle));
        if from_elsewhere {
            core.shared().notify();
            if core.ready.len().is_multiple_of(REMOTE_BURST) && core.runs_elsewhere() {
                gil::step_aside(py);
            }
        }
        returned
    }
}

unsafe extern "C" fn call_soon(
    slf: Object,
    values: *const Object,
    positional: ffi::Py_ssize_t,
    keywords: Object,
) -> Object {
    let arguments = Arguments {
        values,
        positional: positional.unsigned_abs(),
        keywords,
    };
    // SAFETY: as passed by the interpreter.
    unsafe { queue(slf, &arguments, c"call_soon", false) }
}

unsafe extern "C" fn call_soon_threadsafe(
    slf: Object,
    values: *const Object,
    positional: ffi::Py_ssize_t,
    keywords: Object,
) -> Object {
    let arguments = Arguments {
        values,
        positional: positional.unsigned_abs(),
        keywords,
    };
    // SAFETY: as passed by the interpreter.
    unsafe { queue(slf, &arguments, c"call_soon_threadsafe", true) }
}

/// The seconds that `object` says; `None` leaves a Python error set.
#[inline]
unsafe fn seconds(object: Object) -> Option<f64> {
    // SAFETY: `object` is live.
    unsafe {
        if ffi::PyFloat_CheckExact(object) != 0 {
            return Some(ffi::PyFloat_AS_DOUBLE(object));
        }
        let value = ffi::PyFloat_AsDouble(object);
        // -1 is also a valid answer.
        if value < 0.0 && !ffi::PyErr_Occurred().is_null() {
            None
        } else {
            Some(value)
        }
    }
}

unsafe fn schedule(
    slf: Object,
    arguments: &Arguments,
    method: &'static CStr,
    names: &[&CStr],
    origin: f64,
) -> Object {
    // SAFETY: the interpreter passes an instance of the class, and valid arguments.
    unsafe {
        let py = Python::assume_attached();
        let core = core_of(py, &slf);
        let Ok(call) = arguments.callback(py, 1, method, names) else {
            return ptr::null_mut();
        };
        let Some(offset) = seconds_or_none(arguments.get(0), names) else {
            return ptr::null_mut();
        };
        if core.is_special() && !call.check(core, "call_at", true) {
            return ptr::null_mut();
        }
        let when = origin + offset;
        let Some(handle) = HandleRef::new(py, Kind::Timer, call.parts(slf), SCHEDULED, when) else {
            return ptr::null_mut();
        };
        if core.is_debug() && !note_source(&handle) {
            return ptr::null_mut();
        }
        let returned = handle.clone_ref(py).into_ptr();
        core.add_timer(when, handle);
        returned
    }
}

unsafe fn seconds_or_none(object: Object, names: &[&CStr]) -> Option<f64> {
    // SAFETY: `object` is live.
    unsafe {
        if object == ffi::Py_None() {
            let late = names.first().is_some_and(|name| *name == c"delay");
            let text = if late {
                c"delay must not be None"
            } else {
                c"when cannot be None"
            };
            ffi::PyErr_SetString(ffi::PyExc_TypeError, text.as_ptr());
            return None;
        }
        seconds(object)
    }
}

unsafe extern "C" fn call_later(
    slf: Object,
    values: *const Object,
    positional: ffi::Py_ssize_t,
    keywords: Object,
) -> Object {
    let arguments = Arguments {
        values,
        positional: positional.unsigned_abs(),
        keywords,
    };
    let now = clock::to_seconds(clock::now());
    // SAFETY: as passed by the interpreter.
    unsafe {
        schedule(
            slf,
            &arguments,
            c"call_later",
            &[c"delay", c"callback"],
            now,
        )
    }
}

unsafe extern "C" fn call_at(
    slf: Object,
    values: *const Object,
    positional: ffi::Py_ssize_t,
    keywords: Object,
) -> Object {
    let arguments = Arguments {
        values,
        positional: positional.unsigned_abs(),
        keywords,
    };
    // SAFETY: as passed by the interpreter.
    unsafe { schedule(slf, &arguments, c"call_at", &[c"when", c"callback"], 0.0) }
}

/// asyncio's futures and tasks each ask this when they are made.
unsafe extern "C" fn get_debug(slf: Object, _: Object) -> Object {
    // SAFETY: the interpreter passes an instance of the class.
    unsafe {
        let py = Python::assume_attached();
        let answer = if core_of(py, &slf).is_debug() {
            ffi::Py_True()
        } else {
            ffi::Py_False()
        };
        ffi::Py_NewRef(answer)
    }
}

type Fast = unsafe extern "C" fn(Object, *const Object, ffi::Py_ssize_t, Object) -> Object;

fn fast(name: &'static CStr, function: Fast, doc: &'static CStr) -> ffi::PyMethodDef {
    ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer {
            PyCFunctionFastWithKeywords: function,
        },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: doc.as_ptr(),
    }
}

/// Puts the hot methods on the class.
pub fn install(py: Python<'_>) -> PyResult<()> {
    let class = EventLoop::type_object(py);
    let definitions = vec![
        fast(
            c"call_soon",
            call_soon,
            c"call_soon($self, callback, *args, context=None)\n--\n\nArrange for a callback to be called in the loop's next turn.",
        ),
        fast(
            c"call_soon_threadsafe",
            call_soon_threadsafe,
            c"call_soon_threadsafe($self, callback, *args, context=None)\n--\n\nLike call_soon(), but from any thread.",
        ),
        fast(
            c"call_later",
            call_later,
            c"call_later($self, delay, callback, *args, context=None)\n--\n\nArrange for a callback to be called after delay seconds.",
        ),
        fast(
            c"call_at",
            call_at,
            c"call_at($self, when, callback, *args, context=None)\n--\n\nArrange for a callback to be called when loop.time() reaches when.",
        ),
        fast(
            c"create_task",
            create::create_task,
            if create::takes_any_keyword(py)? {
                c"create_task($self, coro, **kwargs)\n--\n\nSchedule a coroutine as an asyncio.Task, or what the task factory makes."
            } else {
                c"create_task($self, coro, *, name=None, context=None)\n--\n\nSchedule a coroutine as an asyncio.Task, or what the task factory makes."
            },
        ),
        without_arguments(
            c"create_future",
            create::create_future,
            c"create_future($self)\n--\n\nCreate an asyncio.Future of this loop.",
        ),
        without_arguments(
            c"get_debug",
            get_debug,
            c"get_debug($self)\n--\n\nReturn the debug mode of the event loop.",
        ),
    ];
    // The definitions live as long as the class: for ever.
    for definition in Vec::leak(definitions) {
        // SAFETY: the class and the definition live for ever.
        let method = unsafe {
            let method = ffi::PyDescr_NewMethod(class.as_type_ptr(), definition);
            Bound::from_owned_ptr_or_err(py, method)?
        };
        class.setattr(
            method
                .getattr(intern!(py, "__name__"))?
                .cast::<PyString>()?,
            method,
        )?;
    }
    Ok(())
}
