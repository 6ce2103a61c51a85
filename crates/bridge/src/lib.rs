//! `data_bridge._native`: the whole surface on one screen. Joins the loop and the server, and is neither.

mod access_log;
mod adapted;
mod asgi;
pub mod coroutine;
mod errors;
mod executor;
mod ffi;
mod form;
mod json;
mod leaving;
mod logging;
mod metrics;
mod native;
mod plan;
mod request_id;
pub mod running;
mod serve;
mod settings;
mod task;
#[cfg(feature = "testing")]
mod testing;
mod watch;
mod wsgi;

use pyo3::prelude::*;

/// The native half of `data_bridge`.
#[pymodule(gil_used = true)]
mod _native {
    #[pymodule_export]
    use crate::form::{MultipartForm, UrlencodedForm, parse_options};
    #[pymodule_export]
    use crate::metrics::{Board, Monitor};
    #[pymodule_export]
    use crate::native::{NativeCall, NativeHandler, sdk_sources};
    #[pymodule_export]
    use crate::plan::{Answer, Operations, parse_path};
    #[pymodule_export]
    use crate::serve::Server;
    #[pymodule_export]
    use crate::watch::Watcher;
    #[pymodule_export]
    use pyloop::{EventLoop, StreamRead, StreamReads, WorkQueue};
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        pyloop::init(module.py())?;
        crate::json::read::install(module)?;
        crate::json::write::add_dumps(module)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }

    /// What only tests call.
    #[cfg(feature = "testing")]
    #[pymodule]
    mod testing {
        #[pymodule_export]
        use crate::testing::{
            detached_drops, drop_detached, drop_detached_without_wrapper, escape_with_each, occupy,
            open_sections, panic_in_job, planned_body, sleep, spawn_from_thread, spawn_many,
            take_turns,
        };
        use pyo3::prelude::*;

        #[pymodule_init]
        fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
            crate::json::write::add_respond(module)
        }
    }
}
