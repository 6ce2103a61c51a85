//! Tasks that a task factory makes: what it is told in which release. Knows no queue.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::core::Core;
use crate::ffi::python;

/// A name and its value, as `create_task` got them.
type Keyword<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

/// `create_task` when a task factory is set.
pub(crate) fn by_factory<'py>(
    py: Python<'py>,
    core: &Core,
    event_loop: &Bound<'py, PyAny>,
    coroutine: &Bound<'py, PyAny>,
    keywords: &[Keyword<'py>],
) -> PyResult<Bound<'py, PyAny>> {
    let Some(factory) = core
        .task_factory
        .borrow()
        .as_ref()
        .map(|factory| factory.clone_ref(py))
    else {
        return Ok(py.None().into_bound(py));
    };
    let passed = PyDict::new(py);
    for (name, value) in keywords {
        passed.set_item(name, value)?;
    }
    if python::is_at_least(14) {
        return factory
            .bind(py)
            .call((event_loop, coroutine), Some(&passed));
    }
    // Before 3.14 a factory hears of a context only if there is one, and the name is set afterwards.
    let name = passed
        .get_item(intern!(py, "name"))?
        .filter(|name| !name.is_none());
    let without_context = passed
        .get_item(intern!(py, "context"))?
        .is_some_and(|context| context.is_none());
    let mut needless = vec![intern!(py, "name")];
    if without_context {
        needless.push(intern!(py, "context"));
    }
    for key in needless {
        if passed.contains(key)? {
            passed.del_item(key)?;
        }
    }
    let task = factory
        .bind(py)
        .call((event_loop, coroutine), Some(&passed))?;
    if let Some(name) = name {
        task.call_method1(intern!(py, "set_name"), (name,))?;
    }
    Ok(task)
}
