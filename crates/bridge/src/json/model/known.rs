//! The plans of classes, found out once. Knows neither schemas nor documents.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use pyloop::gil::Kept;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::plan::{Node, Plan, Wishes};
use super::read;

/// Classes whose plans are kept, and which plans keep. A program that makes classes without end plans anew.
const REMEMBERED: usize = 1024;

struct Known {
    /// The class's own serialiser at the time: with another one, this is about another class.
    serialiser: Kept<PyAny>,
    plan: Option<Arc<Plan>>,
}

type Plans = HashMap<(usize, Wishes), Known>;

/// By the class's address. No Python code runs while they are locked.
fn plans() -> MutexGuard<'static, Plans> {
    static PLANS: LazyLock<Mutex<Plans>> = LazyLock::new(Mutex::default);
    PLANS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The plan of a class's own instances, read at its first use and whenever the class was rebuilt.
pub fn plan_of(class: &Bound<'_, PyType>, wishes: Wishes) -> PyResult<Option<Arc<Plan>>> {
    let py = class.py();
    let serialiser = class.getattr(intern!(py, "__pydantic_serializer__"))?;
    let place = (class.as_ptr() as usize, wishes);
    if let Some(known) = plans().get(&place)
        && known.serialiser.bind(py).is(&serialiser)
    {
        return Ok(known.plan.clone());
    }
    let plan = read_class(class, &serialiser, wishes).map(Arc::new);
    let known = Known {
        serialiser: Kept::from(serialiser),
        plan: plan.clone(),
    };
    let mut plans = plans();
    let forgotten = if plans.len() < REMEMBERED {
        Plans::new()
    } else {
        std::mem::take(&mut *plans)
    };
    let replaced = plans.insert(place, known);
    drop(plans);
    drop((forgotten, replaced));
    Ok(plan)
}

/// A class that is not as expected has no plan: Pydantic writes it.
fn read_class(
    class: &Bound<'_, PyType>,
    serialiser: &Bound<'_, PyAny>,
    wishes: Wishes,
) -> Option<Plan> {
    let py = class.py();
    // Until a class is complete, something else stands for its serialiser.
    let name = serialiser.get_type().name().ok()?;
    let schema = class
        .getattr(intern!(py, "__pydantic_core_schema__"))
        .ok()?;
    let plan = read::read(&schema, wishes).ok()??;
    let is_own = match plan.root {
        Node::Model(number) => plan.models[number].class.0.bind(py).is(class),
        _ => false,
    };
    (name == "SchemaSerializer" && is_own).then_some(plan)
}
