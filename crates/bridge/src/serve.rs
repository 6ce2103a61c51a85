//! A server on a loop's thread, as Python sees it: bind, start, drain, close. The order of these is `server.py`'s.

use std::cell::{Cell, RefCell};
use std::os::fd::RawFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use api::access_log::Outlet;
use api::metrics::{self, Fronted, LoopMeter, Meter};
use api::server::{self, DrainReport, Handle, Listener};
use api::service::Service;
use api::statics::Statics;
use pyloop::gil::Kept;
use pyloop::host::{self, Observer};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::adapted;
use crate::asgi::AsgiService;
use crate::coroutine::awaitable;
use crate::errors;
use crate::ffi::{self, ThreadBound};
use crate::leaving::OnDisconnect;
use crate::logging;
use crate::metrics::{Board, Turns, on_own_addresses};
use crate::running::Running;
use crate::settings;
use crate::wsgi::{Wsgi, WsgiService};

/// An HTTP server on the event loop of this thread.
#[pyclass(frozen, module = "data_bridge._native")]
pub struct Server(ThreadBound<Rc<State>>);

struct State {
    event_loop: Kept<PyAny>,
    stage: RefCell<Stage>,
    on_disconnect: OnDisconnect,
    running: Rc<Running>,
    /// Where the app is one of WSGI.
    wsgi: RefCell<Option<Wsgi>>,
    counting: Option<Counting>,
    /// Of the access log, where it goes to standard output.
    outlet: Option<Rc<Outlet>>,
    /// Folders whose files are served before the app, until it starts.
    folders: Cell<Option<settings::Folders>>,
    /// Whether clients are shown what went wrong.
    debug: bool,
}

/// What a server tells those who watch it.
struct Counting {
    meter: Rc<Meter>,
    turns: Arc<LoopMeter>,
    /// What it answers itself.
    monitor: Option<metrics::Monitor>,
}

impl Counting {
    fn begin(board: &Bound<'_, Board>, slot: usize, settings: &Bound<'_, PyAny>) -> PyResult<Self> {
        let shared = board.get().shared();
        let meter = shared.meter(slot).map_err(|error| errors::system(&error))?;
        let turns = shared
            .loop_meter(slot)
            .map_err(|error| errors::system(&error))?;
        let monitor = on_own_addresses(settings, board)?;
        Ok(Self {
            meter,
            turns,
            monitor,
        })
    }
}

impl State {
    fn is_now(&self, state: metrics::State) {
        if let Some(counting) = &self.counting {
            counting.meter.set_state(state);
        }
    }

    /// Has the loop's turns noted from now on, or no more.
    fn observe(&self, py: Python<'_>, begins: bool) -> PyResult<()> {
        if let Some(counting) = &self.counting {
            let turns = || Arc::new(Turns(Arc::clone(&counting.turns))) as Arc<dyn Observer>;
            host::observe(py, self.event_loop.bind(py).cast()?, begins.then(turns));
            if !begins {
                counting.turns.take_counts();
            }
        }
        Ok(())
    }

    /// What answers, with folders and, where it is asked on the app's addresses, the monitor in front.
    fn fronted(&self, mut service: Rc<dyn Service>) -> Rc<dyn Service> {
        if let Some((mounts, options)) = self.folders.take() {
            service = Rc::new(Statics::new(mounts, options, service));
        }
        let monitor = self
            .counting
            .as_ref()
            .and_then(|counting| counting.monitor.clone());
        match monitor {
            Some(monitor) => Rc::new(Fronted { monitor, service }),
            None => service,
        }
    }
}

enum Stage {
    Bound(Box<server::Server>),
    Serving(Handle),
    Closed,
}

#[pymethods]
impl Server {
    /// A server as `settings` (a `data_bridge.settings.Settings`) says, on `listeners`: descriptors of sockets that listen.
    /// It makes its own duplicates of them. It counts in `slot` of `board`, where there is one. `OSError` where one of all
    /// these cannot be used.
    #[new]
    #[pyo3(signature = (event_loop, settings, listeners, board=None, slot=0))]
    fn new(
        event_loop: &Bound<'_, PyAny>,
        settings: &Bound<'_, PyAny>,
        listeners: Vec<RawFd>,
        board: Option<&Bound<'_, Board>>,
        slot: usize,
    ) -> PyResult<Self> {
        logging::install();
        pyloop::host::on_turn(api::wake::flush);
        pyloop::host::on_turn(ffi::drop_strays);
        let mut config = settings::config(settings)?;
        let duplicate = |number| Listener::of(ffi::duplicate(number)?);
        config.listeners = listeners
            .into_iter()
            .map(duplicate)
            .collect::<Result<_, _>>()
            .map_err(|error| errors::system(&error))?;
        let (access_log, outlet) = settings::access_log(settings)?;
        config.access_log = access_log;
        let counting = board.map(|board| Counting::begin(board, slot, settings));
        let counting = counting.transpose()?;
        config.meter = counting.as_ref().map(|counting| Rc::clone(&counting.meter));
        let bound = server::Server::bind(config).map_err(|error| errors::system(&error))?;
        Ok(Self(ThreadBound::new(Rc::new(State {
            event_loop: Kept::new(event_loop.clone().unbind()),
            stage: RefCell::new(Stage::Bound(Box::new(bound))),
            on_disconnect: settings::on_disconnect(settings)?,
            running: Rc::default(),
            wsgi: RefCell::default(),
            counting,
            outlet,
            folders: Cell::new(settings::folders(settings)?),
            debug: settings.getattr("debug")?.extract()?,
        }))))
    }

    /// Accepts from now on and answers with the ASGI `app`; `state` is what its lifespan left. To be awaited.
    #[pyo3(signature = (app, root_path, state))]
    fn start<'py>(
        &self,
        py: Python<'py>,
        app: &Bound<'py, PyAny>,
        root_path: &str,
        state: Option<Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let service = self.asgi(app, root_path, state)?;
        self.serve(py, Rc::new(service))
    }

    /// Accepts from now on and answers for `served`, a `data_bridge.adapters.serve.Served`: by the compiled routes of its
    /// app where there are such, else by the app; `state` is what its lifespan left. To be awaited.
    fn start_adapted<'py>(
        &self,
        py: Python<'py>,
        served: &Bound<'py, PyAny>,
        root_path: &str,
        state: Option<Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let own = self.state()?;
        let app = self.asgi(&served.getattr("app")?, root_path, state)?;
        let service = adapted::service(
            served,
            app,
            own.event_loop.bind(py),
            own.on_disconnect,
            Rc::clone(&own.running),
        )?;
        self.serve(py, Rc::new(service))
    }

    /// Accepts from now on and answers with the WSGI app that `wsgi`, a `data_bridge.wsgi.Wsgi`, describes. To be awaited.
    fn start_wsgi<'py>(
        &self,
        py: Python<'py>,
        wsgi: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let own = self.state()?;
        let wsgi = Wsgi::new(own.event_loop.bind(py), wsgi, own.debug)?;
        own.wsgi.replace(Some(wsgi.clone()));
        self.serve(py, Rc::new(WsgiService(wsgi)))
    }

    /// Closes the listening sockets; connections end with their next response. Awaits the end of all, at most `grace` seconds.
    fn leave<'py>(&self, py: Python<'py>, grace: f64) -> PyResult<Bound<'py, PyAny>> {
        let (handle, grace) = (self.handle()?, seconds(grace)?);
        self.state()?.is_now(metrics::State::Leaving);
        let left = async move { handle.leave(grace).await };
        awaitable(self.state()?.event_loop.bind(py), left, |py, ()| {
            Ok(py.None().into_bound(py))
        })
    }

    /// Closes the listening sockets and idle connections.
    fn stop_accepting(&self) -> PyResult<()> {
        self.state()?.is_now(metrics::State::Leaving);
        if let Stage::Serving(handle) = &*self.state()?.stage.borrow() {
            handle.stop_accepting();
        }
        Ok(())
    }

    /// Awaits the end of all connections, at most `grace` seconds, then cuts the rest; then the end of the calls that a WSGI
    /// app's threads still run. Gives how many connections were cut.
    fn drain<'py>(&self, py: Python<'py>, grace: f64) -> PyResult<Bound<'py, PyAny>> {
        let (handle, grace) = (self.handle()?, seconds(grace)?);
        self.state()?.is_now(metrics::State::Leaving);
        let wsgi = self.state()?.wsgi.borrow().clone();
        let drained = async move {
            let report = handle.drain(grace).await;
            if let Some(wsgi) = wsgi {
                wsgi.idle().await;
            }
            report
        };
        awaitable(
            self.state()?.event_loop.bind(py),
            drained,
            |py, report: DrainReport| Ok(report.aborted.into_pyobject(py)?.into_any()),
        )
    }

    /// Writes what is kept of the access log, a second at most, and throws the rest away. To be awaited.
    fn flush_log<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let own = self.state()?;
        let outlet = own.outlet.clone();
        let flushed = async move {
            if let Some(outlet) = outlet {
                outlet.finish().await;
            }
        };
        awaitable(own.event_loop.bind(py), flushed, |py, ()| {
            Ok(py.None().into_bound(py))
        })
    }

    /// Reads the certificates' files anew. To be awaited.
    fn reload_certificates<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let handle = self.handle()?;
        let reloaded = async move { handle.reload_certificates().await };
        awaitable(self.state()?.event_loop.bind(py), reloaded, |py, ()| {
            Ok(py.None().into_bound(py))
        })
    }

    /// Cuts all connections now.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let own = self.state()?;
        if let Stage::Serving(handle) = own.stage.replace(Stage::Closed) {
            handle.abort();
        }
        if let Some(wsgi) = own.wsgi.take() {
            wsgi.close();
        }
        own.is_now(metrics::State::Leaving);
        own.observe(py, false)
    }

    /// The tasks of requests that still run.
    fn tasks<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.state()?.running.list(py)
    }

    /// How many calls of a WSGI app wait for a thread or run in one.
    fn calls(&self) -> PyResult<usize> {
        let wsgi = self.state()?.wsgi.borrow();
        Ok(wsgi.as_ref().map_or(0, Wsgi::calls))
    }

    /// What the server is doing: `connections`, `in_flight`, `requests_total`, `panics_total`.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = self.handle()?.stats();
        let dict = PyDict::new(py);
        dict.set_item("connections", stats.connections)?;
        dict.set_item("in_flight", stats.in_flight)?;
        dict.set_item("requests_total", stats.requests_total)?;
        dict.set_item("panics_total", stats.panics_total)?;
        Ok(dict)
    }
}

fn seconds(grace: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(grace)
        .map_err(|_| PyValueError::new_err("grace must be seconds, not negative"))
}

impl Server {
    /// What answers by the ASGI `app`.
    fn asgi(
        &self,
        app: &Bound<'_, PyAny>,
        root_path: &str,
        state: Option<Bound<'_, PyDict>>,
    ) -> PyResult<AsgiService> {
        let own = self.state()?;
        AsgiService::new(
            Kept::new(app.clone().unbind()),
            own.event_loop.bind(app.py()),
            root_path,
            state.map(|state| Kept::new(state.unbind())),
            own.on_disconnect,
            Rc::clone(&own.running),
            own.debug,
        )
    }

    fn state(&self) -> PyResult<&Rc<State>> {
        self.0.get().ok_or_else(errors::foreign_thread)
    }

    fn handle(&self) -> PyResult<Handle> {
        match &*self.state()?.stage.borrow() {
            Stage::Serving(handle) => Ok(handle.clone()),
            Stage::Bound(_) | Stage::Closed => {
                Err(PyRuntimeError::new_err("the server is not running"))
            }
        }
    }

    /// Starts to accept for `service`. The listening tasks are spawned from within the runtime, hence an awaitable.
    pub fn serve<'py>(
        &self,
        py: Python<'py>,
        service: Rc<dyn Service>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let own = self.state()?;
        let Stage::Bound(server) = own.stage.replace(Stage::Closed) else {
            return Err(PyRuntimeError::new_err("the server was started before"));
        };
        let serving = Rc::clone(own);
        let service = own.fronted(service);
        awaitable(
            own.event_loop.bind(py),
            async move { server.serve(service) },
            move |py, handle| {
                serving.stage.replace(Stage::Serving(
                    handle.map_err(|error| errors::system(&error))?,
                ));
                serving.is_now(metrics::State::Ready);
                serving.observe(py, true)?;
                Ok(py.None().into_bound(py))
            },
        )
    }
}
