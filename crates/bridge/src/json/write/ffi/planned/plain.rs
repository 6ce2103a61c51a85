//! Models of which no type says anything: as `FastAPI` writes them, by `model_dump(mode="json")` and `json.dumps`.

use pyo3::prelude::*;

use super::super::walk::{Object, Writer};
use super::{Under, surprise};
use crate::json::model;
use crate::json::write::stop::Written;

impl Writer<'_, '_> {
    /// # Safety
    /// `value` lives until code runs.
    pub(super) unsafe fn plain_model(&mut self, value: Object) -> Written {
        // SAFETY: the caller says so; from here on the object is held.
        let object = unsafe { Bound::from_borrowed_ptr(self.py, value) };
        let Some(plan) = model::plan_of_plain(&object.get_type())? else {
            return surprise();
        };
        let under = Under {
            plan: &plan,
            exact: false,
            plain: true,
        };
        // SAFETY: `object` holds it.
        unsafe { self.node(under, &plan.root, object.as_ptr()) }
    }
}
