//! The module as Python imports it: five functions of the stable ABI, found in the process, so that nothing is linked to.

use super::abi;
use std::cell::UnsafeCell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

/// Python's `PyModuleDef`, as the stable ABI has it.
#[repr(C)]
struct ModuleDef {
    refcount: isize,
    kind: *mut c_void,
    init: *mut c_void,
    index: isize,
    copy: *mut c_void,
    name: *const c_char,
    doc: *const c_char,
    size: isize,
    methods: *mut c_void,
    slots: *const Slot,
    traverse: *mut c_void,
    clear: *mut c_void,
    free: *mut c_void,
}

#[repr(C)]
struct Slot {
    slot: c_int,
    value: Option<unsafe extern "C" fn(*mut c_void) -> c_int>,
}

/// `Py_mod_exec`.
const EXEC: c_int = 2;

/// What Python knows of a module; a `static`, which Python writes into.
pub struct Definition {
    def: UnsafeCell<ModuleDef>,
    slots: [Slot; 2],
}

// SAFETY: only Python writes to it, with the interpreter's lock held.
unsafe impl Sync for Definition {}

impl Definition {
    /// A module that `exec` fills.
    pub const fn new(
        name: &'static CStr,
        exec: unsafe extern "C" fn(*mut c_void) -> c_int,
    ) -> Self {
        let nothing = ptr::null_mut();
        Self {
            def: UnsafeCell::new(ModuleDef {
                refcount: 1,
                kind: nothing,
                init: nothing,
                index: 0,
                copy: nothing,
                name: name.as_ptr(),
                doc: ptr::null(),
                size: 0,
                methods: nothing,
                slots: ptr::null(),
                traverse: nothing,
                clear: nothing,
                free: nothing,
            }),
            slots: [
                Slot {
                    slot: EXEC,
                    value: Some(exec),
                },
                Slot {
                    slot: 0,
                    value: None,
                },
            ],
        }
    }
}

/// What a module's `PyInit_…` gives.
///
/// # Safety
/// Called by Python, with the interpreter's lock held.
pub unsafe fn init(definition: &'static Definition) -> *mut c_void {
    type DefInit = unsafe extern "C" fn(*mut c_void) -> *mut c_void;
    let def = definition.def.get();
    // SAFETY: the lock is held, so nobody else touches the definition.
    unsafe { (*def).slots = definition.slots.as_ptr() };
    // SAFETY: `PyModuleDef_Init` has this signature.
    match unsafe { symbol::<DefInit>(c"PyModuleDef_Init") } {
        // SAFETY: the definition is a valid one, and lives for ever.
        Some(function) => unsafe { function(def.cast()) },
        None => ptr::null_mut(),
    }
}

/// Fills a module with its handlers' capsules. -1 and an exception where that fails.
///
/// # Safety
/// Called by Python with a module that it made, with the interpreter's lock held.
pub unsafe fn exec(module: *mut c_void, handlers: &'static [(&CStr, abi::Handler)]) -> c_int {
    type New = unsafe extern "C" fn(*mut c_void, *const c_char, *mut c_void) -> *mut c_void;
    type Add = unsafe extern "C" fn(*mut c_void, *const c_char, *mut c_void) -> c_int;
    type DecRef = unsafe extern "C" fn(*mut c_void);
    // SAFETY: these functions have these signatures.
    let (new, add, decref) = unsafe {
        (
            symbol::<New>(c"PyCapsule_New"),
            symbol::<Add>(c"PyModule_AddObjectRef"),
            symbol::<DecRef>(c"Py_DecRef"),
        )
    };
    let (Some(new), Some(add), Some(decref)) = (new, add, decref) else {
        return -1;
    };
    for (name, handler) in handlers {
        let pointer = ptr::from_ref(handler).cast_mut().cast();
        // SAFETY: pointer and name live for ever; the capsule is ours until it is given up.
        let added = unsafe {
            let capsule = new(pointer, abi::CAPSULE.as_ptr(), ptr::null_mut());
            if capsule.is_null() {
                return -1;
            }
            let added = add(module, name.as_ptr(), capsule);
            decref(capsule);
            added
        };
        if added != 0 {
            return -1;
        }
    }
    0
}

/// A function of Python's, where this process is Python.
///
/// # Safety
/// `F` is the type of a pointer to that function.
unsafe fn symbol<F: Copy>(name: &CStr) -> Option<F> {
    unsafe extern "C" {
        fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    }
    // `RTLD_DEFAULT`: everything that is loaded.
    let everywhere = if cfg!(target_os = "macos") {
        ptr::without_provenance_mut(usize::MAX - 1)
    } else {
        ptr::null_mut()
    };
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    // SAFETY: the name ends with NUL.
    let found = unsafe { dlsym(everywhere, name.as_ptr()) };
    // SAFETY: a pointer to a function, of the type that the caller says.
    (!found.is_null()).then(|| unsafe { std::mem::transmute_copy(&found) })
}
