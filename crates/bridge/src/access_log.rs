//! Where the lines of the access log go: straight to standard output, or through Python where the user configured logging.

use std::cell::RefCell;
use std::io::IsTerminal;
use std::rc::Rc;

use api::access_log::{AccessLog, Format, Outlet};
use pyo3::prelude::*;

use crate::coroutine::later;

/// The access log that the settings ask for. `through_python`: as records of the logger `data_bridge.access`.
///
/// Without it no line takes the GIL: the lines of one turn are written together by a task of the runtime.
pub fn sink(wanted: bool, format: Format, through_python: bool) -> Option<AccessLog> {
    if !wanted {
        return None;
    }
    let lines = Rc::new(RefCell::new(String::new()));
    let prefix = if through_python || format != Format::Usual {
        ""
    } else if std::io::stdout().is_terminal() {
        "\x1b[32mINFO\x1b[0m:     "
    } else {
        "INFO:     "
    };
    let outlet = Outlet::stdout();
    Some(AccessLog::new(format, move |line| {
        let first = lines.borrow().is_empty();
        {
            let mut lines = lines.borrow_mut();
            lines.push_str(prefix);
            lines.push_str(line);
            lines.push('\n');
        }
        if first && through_python {
            let lines = Rc::clone(&lines);
            later(move |py| hand_over(py, &lines.take()));
        } else if first {
            let (lines, outlet) = (Rc::clone(&lines), Rc::clone(&outlet));
            tokio::task::spawn_local(async move { outlet.write(&lines.take()) });
        }
    }))
}

fn hand_over(py: Python<'_>, lines: &str) {
    let logged = py.import("logging").and_then(|logging| {
        let logger = logging
            .getattr("getLogger")?
            .call1(("data_bridge.access",))?;
        for line in lines.lines() {
            logger.call_method1("info", ("%s", line))?;
        }
        Ok(())
    });
    if let Err(error) = logged {
        error.write_unraisable(py, None);
    }
}
