//! The object behind `Handle` and `TimerHandle`: its layout, its making, its run and its end. Knows no queue.
//!
//! Invariants: a pointer in [`RawHandle`] is null or an owned reference. The object is of a type that the garbage
//! collector knows, but it is tracked only when somebody keeps it after its run or its cancellation: until then it
//! lies in a queue of its loop, which traverses it ([`HandleRef::visit_queued`]). Dead handles are used again.

use std::ptr::{self, NonNull};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;
use pyo3::{PyTraverseError, PyVisit};

use super::handle_memory;
use super::handle_type::{self, Kind};
use crate::handle_lock;

/// The handle was cancelled.
pub const CANCELLED: u8 = 1;
/// Its callback is being called.
pub const RUNNING: u8 = 2;
/// It lies in the timers' heap.
pub const SCHEDULED: u8 = 4;
/// It runs many times: a reader, a writer, a signal handler.
pub const REPEATING: u8 = 8;
/// The garbage collector tracks it.
const TRACKED: u8 = 16;
/// It was made by `call_soon_threadsafe()`.
pub const THREADSAFE: u8 = 32;
/// Another thread waits for the end of its run.
pub const AWAITED: u8 = 64;

/// Up to this many arguments lie in the handle itself.
pub const INLINE: usize = 3;
/// `count` of a handle whose arguments are a tuple in `arguments[0]`.
const IN_TUPLE: u8 = u8::MAX;

/// The object's layout.
#[repr(C)]
pub struct RawHandle {
    pub(super) head: ffi::PyObject,
    pub(super) weakrefs: *mut ffi::PyObject,
    pub(super) callback: *mut ffi::PyObject,
    pub(super) context: *mut ffi::PyObject,
    pub(super) event_loop: *mut ffi::PyObject,
    pub(super) arguments: [*mut ffi::PyObject; INLINE],
    /// Debug mode's `(source traceback, representation kept by a cancellation)`, either of which may be `None`.
    notes: *mut ffi::PyObject,
    pub(super) when: f64,
    pub(super) count: u8,
    pub(super) flags: u8,
}

/// What a handle is made of. Borrowed; `context` may be null: the current one is copied.
#[derive(Clone, Copy)]
pub struct Parts {
    pub event_loop: *mut ffi::PyObject,
    pub callback: *mut ffi::PyObject,
    pub arguments: *const *mut ffi::PyObject,
    pub count: usize,
    pub context: *mut ffi::PyObject,
}

/// One owned reference to a handle. Made, cloned and dropped by attached threads only.
pub struct HandleRef(NonNull<RawHandle>);

/// Makes the types; before the first handle.
pub fn init(py: Python<'_>) -> PyResult<()> {
    handle_memory::init(py)?;
    handle_type::init(py)
}

impl HandleRef {
    /// A new handle; `None` leaves a Python error set.
    ///
    /// # Safety
    /// The pointers of `parts` are valid Python objects, and `arguments` points to `count` of them.
    #[inline]
    pub unsafe fn new(
        py: Python<'_>,
        kind: Kind,
        parts: Parts,
        flags: u8,
        when: f64,
    ) -> Option<Self> {
        // SAFETY: the caller vouches for `parts`; the fresh object is exclusively ours until it is returned.
        unsafe {
            let context = if parts.context.is_null() {
                ffi::PyContext_CopyCurrent()
            } else {
                ffi::Py_NewRef(parts.context)
            };
            if context.is_null() {
                return None;
            }
            let handle = handle_memory::allocate(py, handle_type::type_object(kind));
            if handle.is_null() {
                ffi::Py_DECREF(context);
                return None;
            }
            let this = &mut *handle;
            this.context = context;
            this.event_loop = ffi::Py_NewRef(parts.event_loop);
            this.callback = ffi::Py_NewRef(parts.callback);
            this.when = when;
            this.flags = flags;
            let owned = Self(NonNull::new_unchecked(handle));
            if parts.count <= INLINE {
                for index in 0..parts.count {
                    this.arguments[index] = ffi::Py_NewRef(*parts.arguments.add(index));
                }
                #[allow(clippy::cast_possible_truncation)] // at most INLINE
                let count = parts.count as u8;
                this.count = count;
                return Some(owned);
            }
            let tuple = ffi::PyTuple_New(parts.count.cast_signed());
            if tuple.is_null() {
                return None;
            }
            for index in 0..parts.count {
                let argument = ffi::Py_NewRef(*parts.arguments.add(index));
                ffi::PyTuple_SET_ITEM(tuple, index.cast_signed(), argument);
            }
            this.arguments[0] = tuple;
            this.count = IN_TUPLE;
            Some(owned)
        }
    }

    /// A new handle from safe parts.
    pub fn create(
        event_loop: &Bound<'_, PyAny>,
        callback: &Bound<'_, PyAny>,
        arguments: &[Bound<'_, PyAny>],
        context: Option<&Bound<'_, PyAny>>,
        flags: u8,
    ) -> PyResult<Self> {
        let parts = Parts {
            event_loop: event_loop.as_ptr(),
            callback: callback.as_ptr(),
            arguments: arguments.as_ptr().cast(), // `Bound` is a transparent pointer
            count: arguments.len(),
            context: context.map_or(ptr::null_mut(), Bound::as_ptr),
        };
        // SAFETY: all parts are borrowed from live references.
        unsafe { Self::new(event_loop.py(), Kind::Handle, parts, flags, 0.0) }
            .ok_or_else(|| PyErr::fetch(event_loop.py()))
    }

    fn raw(&self) -> &RawHandle {
        // SAFETY: the reference is owned, so the object lives; the caller is attached, so nobody writes meanwhile.
        unsafe { self.0.as_ref() }
    }

    /// The pointer, which is the handle's identity.
    pub fn as_ptr(&self) -> *mut ffi::PyObject {
        self.0.as_ptr().cast()
    }

    /// Gives the reference to somebody else.
    pub fn into_ptr(self) -> *mut ffi::PyObject {
        let pointer = self.as_ptr();
        std::mem::forget(self);
        pointer
    }

    /// A second reference.
    #[must_use]
    pub fn clone_ref(&self, _py: Python<'_>) -> Self {
        // SAFETY: attached, and the object lives.
        unsafe { ffi::Py_INCREF(self.as_ptr()) };
        Self(self.0)
    }

    /// The handle as Python sees it.
    pub fn bind<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        // SAFETY: the pointer is a live object.
        unsafe { Bound::from_borrowed_ptr(py, self.as_ptr()) }
    }

    /// Whether `flag` is set.
    pub fn has(&self, flag: u8) -> bool {
        self.raw().flags & flag != 0
    }

    /// Sets or clears `flag`.
    pub fn set(&self, flag: u8, on: bool) {
        // SAFETY: the object lives, and an attached thread excludes all others.
        let flags = unsafe { &mut (*self.0.as_ptr()).flags };
        if on { *flags |= flag } else { *flags &= !flag }
    }

    fn note<'py>(&self, py: Python<'py>, index: usize) -> Option<Bound<'py, PyAny>> {
        // SAFETY: null or a live tuple.
        let notes = unsafe { Bound::from_borrowed_ptr_or_opt(py, self.raw().notes) }?;
        notes.get_item(index).ok().filter(|note| !note.is_none())
    }

    /// Where the handle was made, in debug mode.
    pub fn source_traceback<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.note(py, 0)
    }

    /// The representation kept by a cancellation in debug mode.
    pub fn saved_repr<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.note(py, 1)
    }

    /// Keeps debug mode's notes.
    pub fn set_notes(
        &self,
        py: Python<'_>,
        source_traceback: Option<&Bound<'_, PyAny>>,
        repr: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let notes = (source_traceback, repr).into_pyobject(py)?;
        // SAFETY: the object lives; the old reference is released after the new one is in place.
        unsafe { replace(&raw mut (*self.0.as_ptr()).notes, notes.into_ptr()) };
        Ok(())
    }

    /// The callback, unless it was released by a cancellation.
    pub fn callback<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        // SAFETY: null or a live object.
        unsafe { Bound::from_borrowed_ptr_or_opt(py, self.raw().callback) }
    }

    /// The callback's arguments, unless they were released by a cancellation.
    pub fn arguments<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyTuple>> {
        if self.raw().callback.is_null() {
            return None;
        }
        // SAFETY: the first `count` slots are live objects, or the first is a tuple.
        unsafe {
            if self.raw().count == IN_TUPLE {
                let tuple = Bound::from_borrowed_ptr(py, self.raw().arguments[0]);
                return Some(tuple.cast_into_unchecked());
            }
            let count = usize::from(self.raw().count);
            let arguments = self.raw().arguments[..count]
                .iter()
                .map(|a| Bound::from_borrowed_ptr(py, *a));
            PyTuple::new(py, arguments.collect::<Vec<_>>()).ok()
        }
    }

    /// The loop that the handle belongs to.
    pub fn event_loop<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        // SAFETY: set by `new`, released by the handle's end only.
        unsafe { Bound::from_borrowed_ptr(py, self.raw().event_loop) }
    }

    /// The deadline in seconds; 0 for a plain handle.
    pub fn when(&self) -> f64 {
        self.raw().when
    }

    /// Whether this is a `TimerHandle`.
    pub fn is_timer(&self) -> bool {
        // SAFETY: the object lives.
        unsafe { ffi::Py_TYPE(self.as_ptr()) == handle_type::type_object(Kind::Timer) }
    }

    /// Calls the callback in its context. `Err`: it raised.
    #[inline]
    pub fn run(&self, py: Python<'_>) -> PyResult<()> {
        let handle = self.0.as_ptr();
        // SAFETY (whole block): the object lives, because `self` owns a reference; while RUNNING is set neither the
        // callback nor the arguments are released; the slot before them is ours to lend to the vectorcall.
        unsafe {
            if (*handle).callback.is_null() {
                return Ok(());
            }
            let context = (*handle).context;
            if ffi::PyContext_Enter(context) != 0 {
                return Err(PyErr::fetch(py));
            }
            (*handle).flags |= RUNNING;
            let callback = (*handle).callback;
            let [first, second, third] = (*handle).arguments;
            let result = match (*handle).count {
                0 => call_without_arguments(py, callback),
                IN_TUPLE => ffi::PyObject_Call(callback, first, ptr::null_mut()),
                count => {
                    let mut lent = [ptr::null_mut(), first, second, third];
                    let arguments = lent.as_mut_ptr().add(1);
                    let count = usize::from(count) | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
                    ffi::PyObject_Vectorcall(callback, arguments, count, ptr::null_mut())
                }
            };
            if result.is_null() {
                let error = PyErr::fetch(py);
                ffi::PyContext_Exit(context);
                return Err(error);
            }
            ffi::Py_DECREF(result);
            ffi::PyContext_Exit(context);
        }
        Ok(())
    }

    /// What follows a run and its report: a handle that nobody else holds will die now, another becomes ordinary.
    #[inline]
    pub fn finish(&self) {
        let handle = self.0.as_ptr();
        // SAFETY: the object lives and the thread is attached.
        unsafe {
            (*handle).flags &= !RUNNING;
            if (*handle).flags & CANCELLED != 0 {
                release_call(handle);
            }
            if (*handle).flags & AWAITED != 0 {
                (*handle).flags &= !AWAITED;
                handle_lock::run_ended();
            }
            if (*handle).flags & REPEATING == 0 && ffi::Py_REFCNT(handle.cast()) > 1 {
                track(handle);
            }
        }
    }

    /// Lets the garbage collector look into a handle that lies in a queue and nowhere else.
    pub(crate) fn visit_queued(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let this = self.raw();
        // SAFETY: the object lives.
        let holders = unsafe { ffi::Py_REFCNT(self.as_ptr()) };
        if this.flags & TRACKED != 0 || holders > 1 {
            // Somebody else holds it too: what it refers to stays alive until the loop is closed.
            return Ok(());
        }
        let [first, second, third] = this.arguments;
        for pointer in [
            this.callback,
            this.context,
            this.event_loop,
            first,
            second,
            third,
            this.notes,
        ] {
            if let Some(pointer) = NonNull::new(pointer) {
                // SAFETY: `Py` is a transparent non-null pointer, lent for the visit and not dropped.
                visit.call(unsafe { &*(&raw const pointer).cast::<Py<PyAny>>() })?;
            }
        }
        Ok(())
    }

    /// Wraps a handle that Python passed as `self`.
    ///
    /// # Safety
    /// `object` is a live handle.
    pub(super) unsafe fn from_borrowed(py: Python<'_>, object: *mut ffi::PyObject) -> Self {
        // SAFETY: the caller says so; the reference taken is given up by `drop`.
        let borrowed =
            std::mem::ManuallyDrop::new(Self(unsafe { NonNull::new_unchecked(object.cast()) }));
        borrowed.clone_ref(py)
    }
}

/// What a loop calls most is the step of an asyncio task, whose class has no vectorcall: the interpreter's own way to such
/// a call, from an empty list of arguments to the tuple, is longer than the rest of a handle's run.
#[inline]
unsafe fn call_without_arguments(
    py: Python<'_>,
    callback: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's callback lives. A class that can be called and has no vectorcall is called by its slot, which
    // gets a tuple; nothing has been called by the loop before it, so there is no recursion to be counted.
    unsafe {
        let class = ffi::Py_TYPE(callback);
        match (*class).tp_call {
            Some(call) if ffi::PyType_HasFeature(class, ffi::Py_TPFLAGS_HAVE_VECTORCALL) == 0 => {
                call(callback, empty_tuple(py), ptr::null_mut())
            }
            _ => ffi::PyObject_CallNoArgs(callback),
        }
    }
}

/// The interpreter's one empty tuple. Borrowed, for ever.
fn empty_tuple(py: Python<'_>) -> *mut ffi::PyObject {
    static EMPTY: PyOnceLock<Py<PyTuple>> = PyOnceLock::new();
    EMPTY
        .get_or_init(py, || PyTuple::empty(py).unbind())
        .as_ptr()
}

impl Drop for HandleRef {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the reference is owned; handles are dropped attached (see the type).
        unsafe { ffi::Py_DECREF(self.as_ptr()) }
    }
}

unsafe fn replace(slot: *mut *mut ffi::PyObject, value: *mut ffi::PyObject) {
    // SAFETY: the caller passes a slot of a live handle and an owned reference or null.
    unsafe {
        let old = ptr::replace(slot, value);
        ffi::Py_XDECREF(old);
    }
}

unsafe fn track(handle: *mut RawHandle) {
    // SAFETY: a live handle; the flag keeps it from being tracked twice.
    unsafe {
        if (*handle).flags & TRACKED == 0 {
            (*handle).flags |= TRACKED;
            ffi::PyObject_GC_Track(handle.cast());
        }
    }
}

/// Releases the callback and the arguments.
unsafe fn release_call(handle: *mut RawHandle) {
    // SAFETY: a live handle that is not running; each slot is emptied before its reference is released, because
    // a release may run Python code that looks at the handle again.
    unsafe {
        let held = match std::mem::take(&mut (*handle).count) {
            IN_TUPLE => 1,
            count => count.into(),
        };
        for index in 0..held {
            replace(&raw mut (*handle).arguments[index], ptr::null_mut());
        }
        replace(&raw mut (*handle).callback, ptr::null_mut());
    }
}

/// The part of a cancellation that touches the object: the callback and the arguments go at once, or after the run.
pub(super) unsafe fn cancel(handle: *mut RawHandle) {
    // SAFETY: a live handle, and its caller holds a reference.
    unsafe {
        (*handle).flags |= CANCELLED;
        if (*handle).flags & RUNNING == 0 {
            release_call(handle);
            track(handle);
        }
    }
}

/// `tp_dealloc`
pub(super) unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    // SAFETY (whole block): called once by the interpreter with the last reference gone; the memory goes to the
    // spares with null pointers, untracked, or back to the allocator.
    unsafe {
        let handle = object.cast::<RawHandle>();
        let type_object = ffi::Py_TYPE(object);
        if (*handle).flags & TRACKED != 0 {
            ffi::PyObject_GC_UnTrack(object.cast());
        }
        if !(*handle).weakrefs.is_null() {
            ffi::PyObject_ClearWeakRefs(object);
        }
        release_call(handle);
        replace(&raw mut (*handle).context, ptr::null_mut());
        replace(&raw mut (*handle).notes, ptr::null_mut());
        replace(&raw mut (*handle).event_loop, ptr::null_mut());
        (*handle).flags = 0;
        handle_memory::release(Python::assume_attached(), handle);
        ffi::Py_DECREF(type_object.cast());
    }
}

/// `tp_traverse`
pub(super) unsafe extern "C" fn traverse(
    object: *mut ffi::PyObject,
    visit: ffi::visitproc,
    arg: *mut std::ffi::c_void,
) -> std::ffi::c_int {
    // SAFETY: called by the garbage collector with a live handle.
    unsafe {
        let this = &*object.cast::<RawHandle>();
        let [first, second, third] = this.arguments;
        let owned = [
            this.callback,
            this.context,
            this.event_loop,
            first,
            second,
            third,
            this.notes,
        ];
        for pointer in owned.into_iter().chain([ffi::Py_TYPE(object).cast()]) {
            if !pointer.is_null() {
                let stop = visit(pointer, arg);
                if stop != 0 {
                    return stop;
                }
            }
        }
    }
    0
}

/// `tp_clear`; the loop stays, because the handle's methods rely on it.
pub(super) unsafe extern "C" fn clear(object: *mut ffi::PyObject) -> std::ffi::c_int {
    // SAFETY: called by the garbage collector with a live handle that is not running.
    unsafe {
        let handle = object.cast::<RawHandle>();
        release_call(handle);
        replace(&raw mut (*handle).context, ptr::null_mut());
    }
    0
}
