//! Where handles come from and where the dead ones go. Knows their size, not what they call.

use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::cell::GilCell;
use super::handle::RawHandle;

/// How many dead handles are kept for use again: 1.8 MB at most, after a burst of as many. Without them a deep queue
/// costs a page fault for every 40 handles.
const SPARE: usize = 16_384;

struct Spares {
    length: Cell<usize>,
    slots: RefCell<[*mut RawHandle; SPARE]>,
}

static SPARES: GilCell<Spares> = GilCell::new(Spares {
    length: Cell::new(0),
    slots: RefCell::new([ptr::null_mut(); SPARE]),
});

/// How many bytes the collector's own head has before each object; 0 where that is not known for sure.
///
/// With it, handles are allocated without the collector counting them: nearly all die in the queue, untracked, and
/// counting them would make it run for nothing.
static COLLECTOR_HEAD: AtomicUsize = AtomicUsize::new(0);

/// Asks the interpreter for the head's size; before the first handle is made.
///
/// # Errors
/// What `sys.getsizeof` raises.
pub(super) fn init(py: Python<'_>) -> PyResult<()> {
    let list = PyList::empty(py);
    let whole: usize = py
        .import("sys")?
        .call_method1("getsizeof", (&list,))?
        .extract()?;
    let bare: usize = list.call_method0("__sizeof__")?.extract()?;
    // Two words in all releases up to now. Anything else is left to the interpreter's own allocator.
    let head = whole.saturating_sub(bare);
    COLLECTOR_HEAD.store(
        if head == 2 * size_of::<usize>() {
            head
        } else {
            0
        },
        Ordering::Relaxed,
    );
    Ok(())
}

/// A blank, untracked object: all of its pointers are null but the head's. Null leaves a Python error set.
///
/// # Safety
/// `type_object` is one of the two handle types.
#[inline]
pub(super) unsafe fn allocate(
    py: Python<'_>,
    type_object: *mut ffi::PyTypeObject,
) -> *mut RawHandle {
    let spares = SPARES.get(py);
    let length = spares.length.get();
    if length > 0 {
        spares.length.set(length - 1);
        let handle = spares.slots.borrow()[length - 1];
        // SAFETY: what lies among the spares is blank, untracked memory of this layout.
        unsafe { ffi::PyObject_Init(handle.cast(), type_object) };
        return handle;
    }
    // SAFETY: the caller vouches for the type.
    unsafe { fresh(type_object) }
}

/// Takes a handle whose pointers are null and which is not tracked.
///
/// # Safety
/// Nobody refers to the handle any more.
pub(super) unsafe fn release(py: Python<'_>, handle: *mut RawHandle) {
    let spares = SPARES.get(py);
    let length = spares.length.get();
    if length < SPARE {
        spares.slots.borrow_mut()[length] = handle;
        spares.length.set(length + 1);
        return;
    }
    let head = COLLECTOR_HEAD.load(Ordering::Relaxed);
    // SAFETY: the block comes from `fresh`, which decided by the same number.
    unsafe {
        if head == 0 {
            ffi::PyObject_GC_Del(handle.cast());
        } else {
            ffi::PyObject_Free(handle.cast::<u8>().sub(head).cast());
        }
    }
}

unsafe fn fresh(type_object: *mut ffi::PyTypeObject) -> *mut RawHandle {
    let head = COLLECTOR_HEAD.load(Ordering::Relaxed);
    // SAFETY: the block has room for both heads and the body; a zeroed collector's head is that of an untracked
    // object; everything behind the object's head is zeroed before anybody sees it.
    unsafe {
        let handle = if head == 0 {
            ffi::PyObject_GC_New::<RawHandle>(type_object)
        } else {
            let block = ffi::PyObject_Malloc(head + size_of::<RawHandle>()).cast::<u8>();
            if block.is_null() {
                return ffi::PyErr_NoMemory().cast();
            }
            ptr::write_bytes(block, 0, head);
            ffi::PyObject_Init(block.add(head).cast(), type_object).cast()
        };
        if !handle.is_null() {
            let body = std::mem::offset_of!(RawHandle, weakrefs);
            ptr::write_bytes(
                handle.cast::<u8>().add(body),
                0,
                size_of::<RawHandle>() - body,
            );
        }
        handle
    }
}
