//! A matched request on its way into Python: arguments, then the call, in the way its route asks for.

use std::rc::Rc;

use api::exchange::Exchange;
use bytes::Bytes;
use pyloop::gil::Kept;
use pyloop::host::Job;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use smallvec::SmallVec;

use super::Shared;
use super::answer::Owed;
use super::pool;
use super::source::Source;
use crate::ffi;
use crate::plan::{Argument, DecidedValue, Matched, Mode, path_params};

/// The arguments of a call, in the order of its endpoint's names.
pub type Arguments<'py> = SmallVec<[Bound<'py, PyAny>; 6]>;

/// A request that waits for the interpreter.
pub struct Arrived {
    shared: Rc<Shared>,
    exchange: Exchange,
    matched: Matched,
    /// The body, where the plan has read it.
    body: Option<Bytes>,
    /// The list that the handler may fill with work for afterwards.
    background: Option<Kept<PyAny>>,
}

impl Job for Arrived {
    fn run(self: Rc<Self>, py: Python<'_>) {
        // The queue's reference was the only one.
        if let Some(own) = Rc::into_inner(self) {
            own.begin(py);
        }
    }
}

impl Arrived {
    /// `exchange` matched a route; `body` is what was read of it.
    pub fn new(
        shared: Rc<Shared>,
        exchange: Exchange,
        matched: Matched,
        body: Option<Bytes>,
    ) -> Self {
        Self {
            shared,
            exchange,
            matched,
            body,
            background: None,
        }
    }

    fn begin(mut self, py: Python<'_>) {
        if self.exchange.is_finished() {
            return; // Too late: it was answered in our place.
        }
        match self.arguments(py) {
            Ok(Some(arguments)) => self.call(py, arguments),
            Ok(None) => self.refer(py),
            Err(error) => self.owed().complete(py, Err(error)),
        }
    }

    /// The endpoint's arguments; `None` where the reference path has to find them.
    fn arguments<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Arguments<'py>>> {
        let endpoint = &self.matched.endpoint;
        let Some(values) = &self.matched.values else {
            return Ok(None);
        };
        let mut arguments = Arguments::new();
        for (value, default) in values.iter().zip(&endpoint.defaults) {
            arguments.push(match value.argument(py)? {
                DecidedValue::Default => default.bind(py).clone(),
                DecidedValue::Certain(value) => value,
                DecidedValue::Sent(_) => return Ok(None),
            });
        }
        if let Some(document) = &endpoint.document {
            let (Some(body), Some(accept)) = (&self.body, &document.accept) else {
                return Ok(None);
            };
            match accept.bind(py).call1((PyBytes::new(py, body),)) {
                Ok(value) => arguments.push(value),
                Err(_) => return Ok(None),
            }
        }
        if endpoint.wants_request {
            arguments.push(self.request(py)?);
        }
        if endpoint.wants_background {
            let list = self.shared.python.background_tasks.bind(py).call0()?;
            self.background = Some(Kept::from(list.clone()));
            arguments.push(list);
        }
        Ok(Some(arguments))
    }

    fn call<'py>(self, py: Python<'py>, arguments: Arguments<'py>) {
        let endpoint = self.matched.endpoint.clone();
        let (function, names) = (endpoint.function.bind(py), endpoint.names.bind(py));
        match endpoint.mode {
            Mode::Task => {
                let coroutine = ffi::call(function, &arguments, names);
                self.owed().run(py, coroutine);
            }
            Mode::Inline => {
                let result =
                    ffi::in_copied_context(py, || ffi::call(function, &arguments, names)).flatten();
                self.owed().complete(py, result);
            }
            Mode::Thread => {
                let shared = self.shared.clone();
                let owed = self.owed();
                pool::start(
                    shared.submit.bind(py),
                    shared.remote.clone(),
                    function,
                    arguments,
                    names,
                    Box::new(move |py, result| owed.complete(py, result)),
                );
            }
        }
    }

    /// T3: the reference path reads and validates by itself.
    fn refer(self, py: Python<'_>) {
        let coroutine = self.request(py).and_then(|request| {
            let call = self.matched.endpoint.call.bind(py);
            self.shared.python.respond.bind(py).call1((call, request))
        });
        self.owed().run(py, coroutine);
    }

    /// The `data_bridge.Request` of this request.
    fn request<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let source = Source::new(
            self.exchange.incoming(),
            self.shared.event_loop.clone_ref(py),
        );
        let path = self.exchange.head().path_text();
        let params = path_params(
            py,
            &self.matched.endpoint.in_path,
            &self.matched.captures,
            &path,
        )?;
        let body = self.body.as_ref().map(|body| PyBytes::new(py, body));
        self.shared.python.request.bind(py).call1((
            Bound::new(py, source)?,
            params,
            self.shared.app.bind(py),
            body,
        ))
    }

    fn owed(self) -> Owed {
        Owed::new(
            self.shared,
            self.matched.endpoint,
            self.exchange,
            self.background,
        )
    }
}
