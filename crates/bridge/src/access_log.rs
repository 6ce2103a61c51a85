//! Where the lines of the access log go: straight to standard output, or through Python where the user configured logging.

use std::cell::RefCell;
use std::io::IsTerminal;
use std::rc::Rc;

use api::access_log::{AccessLog, Format, Outlet};
use pyo3::prelude::*;

use crate::coroutine::later;

/// The access log as records of the logger `data_bridge.access`.
pub fn through_python(format: Format) -> AccessLog {
    let lines = Rc::new(RefCell::new(String::new()));
    AccessLog::new(format, move |line| {
        let mut waiting = lines.borrow_mut();
        if waiting.is_empty() {
            let lines = Rc::clone(&lines);
            later(move |py| hand_over(py, &lines.take()));
        }
        waiting.push_str(line);
        waiting.push('\n');
    })
}

/// The access log straight to standard output, by the outlet: no line takes the GIL.
pub fn to_stdout(format: Format) -> (AccessLog, Rc<Outlet>) {
    let prefix = if format != Format::Usual {
        ""
    } else if std::io::stdout().is_terminal() {
        "\x1b[32mINFO\x1b[0m:     "
    } else {
        "INFO:     "
    };
    let outlet = Outlet::stdout();
    let taker = Rc::clone(&outlet);
    let log = AccessLog::new(format, move |line| taker.line(prefix, line));
    (log, outlet)
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
