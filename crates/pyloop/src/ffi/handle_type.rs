//! The Python types `Handle` and `TimerHandle`: slots, methods, attributes. Each one calls `handle.rs` of this crate.

use std::ffi::{CStr, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;

use super::handle::{self as raw, HandleRef, RawHandle};
use super::python;
use crate::handle;
use crate::handle_lock;

/// Which of the two types.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `Handle`
    Handle,
    /// `TimerHandle`
    Timer,
}

static HANDLE: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());
static TIMER: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());

/// The type object; made by [`init`] before the first handle is.
#[inline]
pub fn type_object(kind: Kind) -> *mut ffi::PyTypeObject {
    match kind {
        Kind::Handle => HANDLE.load(Ordering::Relaxed),
        Kind::Timer => TIMER.load(Ordering::Relaxed),
    }
}

/// Runs `f` for a slot or method and turns errors and panics into what the interpreter expects.
pub(super) fn guard<R>(failed: R, f: impl FnOnce(Python<'_>) -> PyResult<R>) -> R {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        crate::gil::attach(|py| match f(py) {
            Ok(value) => Some(value),
            Err(error) => {
                error.restore(py);
                None
            }
        })
    }));
    match outcome {
        Ok(Some(Some(value))) => value,
        Ok(_) => failed,
        Err(_) => {
            crate::gil::attach(|py| {
                PyRuntimeError::new_err("data_bridge: internal error (panic)").restore(py);
            });
            failed
        }
    }
}

/// For a method without arguments: `self` as a reference, the result as a new one.
unsafe fn method<'a>(
    object: *mut ffi::PyObject,
    f: impl for<'py> FnOnce(Python<'py>, HandleRef) -> PyResult<Bound<'py, PyAny>> + 'a,
) -> *mut ffi::PyObject {
    guard(ptr::null_mut(), |py| {
        // SAFETY: the interpreter passes an instance of the type that the method belongs to.
        let this = unsafe { HandleRef::from_borrowed(py, object) };
        f(py, this).map(Bound::into_ptr)
    })
}

unsafe extern "C" fn cancel(
    object: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: `object` is a handle; see `method`.
    unsafe {
        let this = object.cast::<RawHandle>();
        if (*this).flags & raw::CANCELLED == 0 {
            if !run_has_ended(object) {
                return ptr::null_mut();
            }
            let core = super::methods::core_of(Python::assume_attached(), &(*this).event_loop);
            if core.is_debug() {
                method(object, |py, this| {
                    handle::keep_repr(py, &this).map(|()| py.None().into_bound(py))
                });
                ffi::PyErr_Clear();
            }
            if (*this).flags & raw::SCHEDULED != 0 {
                core.timer_cancelled(object);
            }
            raw::cancel(this);
        }
        ffi::Py_NewRef(ffi::Py_None())
    }
}

unsafe extern "C" fn cancelled(
    object: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: `object` is a handle.
    unsafe {
        if !run_has_ended(object) {
            return ptr::null_mut();
        }
        ffi::PyBool_FromLong(((*object.cast::<RawHandle>()).flags & raw::CANCELLED).into())
    }
}

/// Waits for the end of the run where asyncio does. `false`: a signal handler raised instead, and the error is set.
#[inline]
unsafe fn run_has_ended(object: *mut ffi::PyObject) -> bool {
    const BOTH: u8 = raw::RUNNING | raw::THREADSAFE;
    // SAFETY: `object` is a handle, and the caller holds a reference meanwhile.
    unsafe {
        let this = object.cast::<RawHandle>();
        if (*this).flags & BOTH != BOTH {
            return true;
        }
        guard(false, |py| {
            let core = super::methods::core_of(py, &(*this).event_loop);
            handle_lock::wait_for_run(py, core, &HandleRef::from_borrowed(py, object))
                .map(|()| true)
        })
    }
}

unsafe extern "C" fn when(object: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: `object` is a handle.
    unsafe { ffi::PyFloat_FromDouble((*object.cast::<RawHandle>()).when) }
}

unsafe extern "C" fn run(object: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: `object` is a handle.
    unsafe {
        method(object, |py, this| {
            handle::run(py, &this).map(|()| py.None().into_bound(py))
        })
    }
}

unsafe extern "C" fn repr(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: `object` is a handle.
    unsafe { method(object, |py, this| handle::repr(py, &this)) }
}

unsafe extern "C" fn get_context(
    object: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: `object` is a handle; its context is null only after the garbage collector cleared it.
    unsafe {
        let context = (*object.cast::<RawHandle>()).context;
        ffi::Py_NewRef(if context.is_null() {
            ffi::Py_None()
        } else {
            context
        })
    }
}

unsafe extern "C" fn compare(
    object: *mut ffi::PyObject,
    other: *mut ffi::PyObject,
    operator: c_int,
) -> *mut ffi::PyObject {
    // SAFETY: `object` is a timer handle, `other` any live object.
    unsafe {
        method(object, |py, this| {
            let other = Bound::from_borrowed_ptr(py, other);
            handle::compare(py, &this, &other, operator)
        })
    }
}

unsafe extern "C" fn hash(object: *mut ffi::PyObject) -> ffi::Py_hash_t {
    guard(-1, |py| {
        // SAFETY: `object` is a timer handle.
        let this = unsafe { HandleRef::from_borrowed(py, object) };
        this.when().into_pyobject(py)?.hash()
    })
}

/// Whether a handle that was passed as `other` is one of ours, and then the handle.
pub fn as_timer(object: &Bound<'_, PyAny>) -> Option<HandleRef> {
    // SAFETY: the type was checked.
    unsafe {
        (ffi::Py_TYPE(object.as_ptr()) == type_object(Kind::Timer))
            .then(|| HandleRef::from_borrowed(object.py(), object.as_ptr()))
    }
}

type Getter = unsafe extern "C" fn(*mut ffi::PyObject, *mut c_void) -> *mut ffi::PyObject;

macro_rules! getter {
    ($name:ident, |$py:ident, $this:ident| $value:expr) => {
        unsafe extern "C" fn $name(
            object: *mut ffi::PyObject,
            _: *mut c_void,
        ) -> *mut ffi::PyObject {
            // SAFETY: `object` is a handle.
            unsafe {
                method(object, |$py, $this| {
                    Ok($value.into_pyobject($py)?.into_any())
                })
            }
        }
    };
}

getter!(get_callback, |py, this| this.callback(py));
getter!(get_arguments, |py, this| this.arguments(py));
getter!(get_loop, |py, this| this.event_loop(py));
getter!(get_cancelled, |py, this| this
    .has(raw::CANCELLED)
    .into_pyobject(py)?
    .to_owned());
getter!(get_scheduled, |py, this| this
    .has(raw::SCHEDULED)
    .into_pyobject(py)?
    .to_owned());
getter!(get_source_traceback, |py, this| this.source_traceback(py));
getter!(get_saved_repr, |py, this| this.saved_repr(py));
getter!(get_when, |py, this| this.when());
getter!(get_class, |py, this| handle::class(py, &this)?);

unsafe extern "C" fn get_context_attribute(
    object: *mut ffi::PyObject,
    _: *mut c_void,
) -> *mut ffi::PyObject {
    // SAFETY: `object` is a handle.
    unsafe { get_context(object, ptr::null_mut()) }
}

fn attribute(name: &'static CStr, get: Getter) -> ffi::PyGetSetDef {
    ffi::PyGetSetDef {
        name: name.as_ptr(),
        get: Some(get),
        set: None,
        doc: ptr::null(),
        closure: ptr::null_mut(),
    }
}

/// A method that takes nothing but its object.
pub fn without_arguments(
    name: &'static CStr,
    function: ffi::PyCFunction,
    doc: &'static CStr,
) -> ffi::PyMethodDef {
    ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer {
            PyCFunction: function,
        },
        ml_flags: ffi::METH_NOARGS,
        ml_doc: doc.as_ptr(),
    }
}

fn methods(kind: Kind) -> Vec<ffi::PyMethodDef> {
    let mut methods = vec![
        without_arguments(
            c"cancel",
            cancel,
            c"cancel($self)\n--\n\nCancel the callback.",
        ),
        without_arguments(
            c"cancelled",
            cancelled,
            c"cancelled($self)\n--\n\nReturn True if the callback was cancelled.",
        ),
        without_arguments(c"_run", run, c"_run($self)\n--\n\nRun the callback now."),
    ];
    if python::is_at_least(12) {
        methods.push(without_arguments(
            c"get_context",
            get_context,
            c"get_context($self)\n--\n\nReturn the context the callback runs in.",
        ));
    }
    if kind == Kind::Timer {
        methods.push(without_arguments(
            c"when",
            when,
            c"when($self)\n--\n\nReturn the deadline, in seconds of loop.time().",
        ));
    }
    methods.push(ffi::PyMethodDef::zeroed());
    methods
}

fn attributes(kind: Kind) -> Vec<ffi::PyGetSetDef> {
    let mut attributes = vec![
        attribute(c"__class__", get_class),
        attribute(c"_callback", get_callback),
        attribute(c"_args", get_arguments),
        attribute(c"_context", get_context_attribute),
        attribute(c"_loop", get_loop),
        attribute(c"_cancelled", get_cancelled),
        attribute(c"_source_traceback", get_source_traceback),
        attribute(c"_repr", get_saved_repr),
    ];
    if kind == Kind::Timer {
        attributes.push(attribute(c"_when", get_when));
        attributes.push(attribute(c"_scheduled", get_scheduled));
    }
    attributes.push(ffi::PyGetSetDef::default());
    attributes
}

fn make(py: Python<'_>, kind: Kind, name: &'static CStr) -> PyResult<*mut ffi::PyTypeObject> {
    // The tables live as long as the type: for ever.
    let weakref_offset = std::mem::offset_of!(RawHandle, weakrefs).cast_signed();
    let members = Vec::leak(vec![
        ffi::PyMemberDef {
            name: c"__weaklistoffset__".as_ptr(),
            type_code: ffi::Py_T_PYSSIZET,
            offset: weakref_offset,
            flags: ffi::Py_READONLY,
            doc: ptr::null(),
        },
        ffi::PyMemberDef::default(),
    ]);
    let slot = |slot: c_int, pfunc: *mut c_void| ffi::PyType_Slot { slot, pfunc };
    let mut slots = vec![
        slot(ffi::Py_tp_dealloc, raw::dealloc as *mut c_void),
        slot(ffi::Py_tp_traverse, raw::traverse as *mut c_void),
        slot(ffi::Py_tp_clear, raw::clear as *mut c_void),
        slot(ffi::Py_tp_repr, repr as *mut c_void),
        slot(
            ffi::Py_tp_methods,
            Vec::leak(methods(kind)).as_mut_ptr().cast(),
        ),
        slot(
            ffi::Py_tp_getset,
            Vec::leak(attributes(kind)).as_mut_ptr().cast(),
        ),
        slot(ffi::Py_tp_members, members.as_mut_ptr().cast()),
    ];
    if kind == Kind::Timer {
        slots.push(slot(ffi::Py_tp_richcompare, compare as *mut c_void));
        slots.push(slot(ffi::Py_tp_hash, hash as *mut c_void));
    }
    slots.push(slot(0, ptr::null_mut()));
    let flags =
        ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_HAVE_GC | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION;
    let mut spec = ffi::PyType_Spec {
        name: name.as_ptr(),
        basicsize: c_int::try_from(size_of::<RawHandle>()).unwrap_or(c_int::MAX),
        itemsize: 0,
        flags: u32::try_from(flags)?,
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: spec, slots and tables are complete and terminated; the name is static.
    let object = unsafe { ffi::PyType_FromSpec(&raw mut spec) };
    if object.is_null() {
        Err(PyErr::fetch(py))
    } else {
        Ok(object.cast())
    }
}

/// Makes the two types.
pub fn init(py: Python<'_>) -> PyResult<()> {
    if type_object(Kind::Timer).is_null() {
        HANDLE.store(
            make(py, Kind::Handle, c"data_bridge._native.Handle")?,
            Ordering::Relaxed,
        );
        TIMER.store(
            make(py, Kind::Timer, c"data_bridge._native.TimerHandle")?,
            Ordering::Relaxed,
        );
    }
    Ok(())
}
