//! Wakers across the border: ours lent to the other side for one call, its own kept by us.

use crate as abi;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::task::Wake;
use core::ffi::c_void;
use core::mem::ManuallyDrop;
use core::task::{Context, RawWaker, RawWakerVTable, Waker};

/// Our waker, for a single call: a clone of it lives on, this one may not.
pub fn lend(waker: &Waker) -> abi::Waker {
    abi::Waker {
        data: core::ptr::from_ref(waker).cast(),
        vtable: &raw const LENT,
    }
}

static LENT: abi::WakerVtable = abi::WakerVtable {
    size: size_of::<abi::WakerVtable>(),
    clone: lent_clone,
    wake: lent_wake,
    wake_by_ref: lent_wake,
    drop: lent_drop,
};

static KEPT: abi::WakerVtable = abi::WakerVtable {
    size: size_of::<abi::WakerVtable>(),
    clone: lent_clone,
    wake: kept_wake,
    wake_by_ref: lent_wake,
    drop: kept_drop,
};

unsafe extern "C" fn lent_clone(data: *const c_void) -> abi::Waker {
    // SAFETY: `data` is a `Waker`, lent for this call or kept in a box.
    let waker = unsafe { &*data.cast::<Waker>() };
    abi::Waker {
        data: Box::into_raw(Box::new(waker.clone())).cast_const().cast(),
        vtable: &raw const KEPT,
    }
}

unsafe extern "C" fn lent_wake(data: *const c_void) {
    // SAFETY: as in `lent_clone`.
    unsafe { &*data.cast::<Waker>() }.wake_by_ref();
}

unsafe extern "C" fn lent_drop(_: *const c_void) {}

unsafe extern "C" fn kept_wake(data: *const c_void) {
    // SAFETY: `data` came from `Box::into_raw` in `lent_clone`; waking ends it.
    unsafe { Box::from_raw(data.cast_mut().cast::<Waker>()) }.wake();
}

unsafe extern "C" fn kept_drop(data: *const c_void) {
    // SAFETY: as in `kept_wake`.
    drop(unsafe { Box::from_raw(data.cast_mut().cast::<Waker>()) });
}

/// A waker that the other side made for us.
struct Foreign(abi::Waker);

// SAFETY: the contract lets every thread call a waker's functions.
unsafe impl Send for Foreign {}
// SAFETY: as above.
unsafe impl Sync for Foreign {}

impl Wake for Foreign {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // SAFETY: it is not dropped yet, and its table lives as long as it.
        unsafe { ((*self.0.vtable).wake_by_ref)(self.0.data) }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // SAFETY: dropped once.
        unsafe { ((*self.0.vtable).drop)(self.0.data) }
    }
}

/// Of a waker that stays the other side's: `data` is the `*const abi::Waker` of the current call.
static BORROWED: RawWakerVTable = RawWakerVTable::new(clone, wake_by_ref, wake_by_ref, forget);

unsafe fn clone(data: *const ()) -> RawWaker {
    let waker = data.cast::<abi::Waker>();
    // SAFETY: a borrowed waker is used during the call only, so `waker` and its table are valid.
    let cloned = unsafe { ((*(*waker).vtable).clone)((*waker).data) };
    let cloned = ManuallyDrop::new(Waker::from(Arc::new(Foreign(cloned))));
    RawWaker::new(cloned.data(), cloned.vtable())
}

unsafe fn wake_by_ref(data: *const ()) {
    let waker = data.cast::<abi::Waker>();
    // SAFETY: as in `clone`.
    unsafe { ((*(*waker).vtable).wake_by_ref)((*waker).data) }
}

unsafe fn forget(_: *const ()) {}

/// Polls with the other side's waker.
///
/// # Safety
/// `waker` is valid until this returns.
pub unsafe fn with<R>(waker: *const abi::Waker, poll: impl FnOnce(&mut Context<'_>) -> R) -> R {
    // SAFETY: the table's functions fit its data, and the waker does not outlive this call: `poll` sees a reference.
    let waker = unsafe { Waker::from_raw(RawWaker::new(waker.cast(), &BORROWED)) };
    poll(&mut Context::from_waker(&waker))
}
