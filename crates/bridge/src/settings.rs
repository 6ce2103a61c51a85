//! Python's `Settings` as the server's configuration. The names and defaults are `data_bridge.settings`'s.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use api::access_log::{AccessLog, Format, Outlet};
use api::compress::Compression;
use api::forwarded::{Dialect, Trusted};
use api::http2;
use api::limits::Limits;
use api::overload::Overload;
use api::request_id::RequestIds;
use api::server::Config;
use api::statics::{Mount, Options};
use api::timeouts::Timeouts;
use api::tls::keyring::Keyring;
use api::tls::{self, Demand, Source};
use api::websocket;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::access_log;
use crate::leaving::OnDisconnect;

/// Reads everything that the server is told, but where it listens: that is `data_bridge.binds`'s.
pub fn config(settings: &Bound<'_, PyAny>) -> PyResult<Config> {
    let defaults = Config::default();
    Ok(Config {
        shared: get::<usize>(settings, "workers")? > 1,
        max_connections: get(settings, "max_connections")?,
        limits: limits(settings)?,
        timeouts: timeouts(settings)?,
        overload: overload(settings)?,
        trusted: trusted(settings)?,
        dialect: dialect(settings)?,
        proxy_protocol: get(settings, "proxy_protocol")?,
        tls: tls(settings)?,
        websocket: websocket(settings)?,
        http2: http2(settings)?,
        server_header: get::<bool>(settings, "server_header")?.then(|| "data_bridge".to_owned()),
        date_header: get(settings, "date_header")?,
        compression: compression(settings)?,
        request_ids: request_ids(settings)?,
        ..defaults
    })
}

/// The access log, where one is wanted, and its way to standard output where the user has not configured logging.
pub fn access_log(
    settings: &Bound<'_, PyAny>,
) -> PyResult<(Option<AccessLog>, Option<Rc<Outlet>>)> {
    let format = log_format(settings)?;
    if !get::<bool>(settings, "access_log")? {
        return Ok((None, None));
    }
    if get::<Option<String>>(settings, "log_config")?.is_some() {
        return Ok((Some(access_log::through_python(format)), None));
    }
    let (log, outlet) = access_log::to_stdout(format);
    Ok((Some(log), Some(outlet)))
}

/// Folders to serve, and how.
pub type Folders = (Vec<Mount>, Options);

/// Nothing where there are none.
pub fn folders(settings: &Bound<'_, PyAny>) -> PyResult<Option<Folders>> {
    let folders: Vec<(String, PathBuf)> = get(settings, "folders")?;
    if folders.is_empty() {
        return Ok(None);
    }
    let mount = |(prefix, root): &(String, PathBuf)| Mount::new(prefix, root);
    let mounts: Result<_, _> = folders.iter().map(mount).collect();
    let types = settings.py().import("data_bridge.folders")?;
    let options = Options {
        index: get(settings, "static_index")?,
        max_age: get(settings, "static_max_age")?,
        types: types.call_method0("media_types")?.extract()?,
    };
    Ok(Some((mounts?, options)))
}

/// What a client's leaving does to handlers.
pub fn on_disconnect(settings: &Bound<'_, PyAny>) -> PyResult<OnDisconnect> {
    OnDisconnect::read(&get::<String>(settings, "on_disconnect")?)
}

fn get<'py, T>(settings: &Bound<'py, PyAny>, name: &str) -> PyResult<T>
where
    T: FromPyObjectOwned<'py>,
{
    let wrong = |error: T::Error| {
        let error: PyErr = error.into();
        PyValueError::new_err(format!("{name}: {error}"))
    };
    settings.getattr(name)?.extract().map_err(wrong)
}

fn log_format(settings: &Bound<'_, PyAny>) -> PyResult<Format> {
    let text: String = get(settings, "access_log_format")?;
    Format::parse(&text)
        .map_err(|error| PyValueError::new_err(format!("access_log_format: {error}")))
}

fn limits(settings: &Bound<'_, PyAny>) -> PyResult<Limits> {
    Ok(Limits {
        target: get(settings, "max_uri")?,
        fields: get(settings, "max_headers")?,
        header: get(settings, "max_header_bytes")?,
        field: get(settings, "max_header_field")?,
        trailer: get(settings, "max_trailer_bytes")?,
        chunk_extensions: get(settings, "max_chunk_extensions")?,
    })
}

fn timeouts(settings: &Bound<'_, PyAny>) -> PyResult<Timeouts> {
    Ok(Timeouts {
        handshake: seconds(settings, "ssl_handshake_timeout")?,
        header: seconds(settings, "header_timeout")?,
        keep_alive: seconds(settings, "keep_alive_timeout")?,
        body_stall: seconds(settings, "body_timeout")?,
        body_rate: get(settings, "min_body_rate")?,
        body_grace: seconds(settings, "body_rate_grace")?,
        answer: Some(seconds(settings, "request_timeout")?).filter(|limit| !limit.is_zero()),
        write_stall: seconds(settings, "write_timeout")?,
        disconnect_grace: seconds(settings, "disconnect_grace")?,
        linger: seconds(settings, "linger_timeout")?,
    })
}

fn overload(settings: &Bound<'_, PyAny>) -> PyResult<Overload> {
    Ok(Overload {
        at_work: NonZeroUsize::new(get(settings, "limit_concurrency")?),
        queue: get(settings, "queue_size")?,
        wait: seconds(settings, "queue_timeout")?,
    })
}

fn websocket(settings: &Bound<'_, PyAny>) -> PyResult<websocket::Options> {
    Ok(websocket::Options {
        max_message: get(settings, "ws_max_size")?,
        max_queue: get(settings, "ws_max_queue")?,
        max_fragments: get(settings, "ws_max_fragments")?,
        write_buffer: get(settings, "ws_write_buffer")?,
        deflate: get(settings, "ws_per_message_deflate")?,
        ping_interval: seconds(settings, "ws_ping_interval")?,
        ping_timeout: seconds(settings, "ws_ping_timeout")?,
        close_timeout: seconds(settings, "ws_close_timeout")?,
    })
}

/// Which proxies are believed. `ValueError` where one is no network.
fn trusted(settings: &Bound<'_, PyAny>) -> PyResult<Trusted> {
    let names: Vec<String> = get(settings, "forwarded_allow_ips")?;
    Trusted::new(names.iter().map(String::as_str))
        .map_err(|error| PyValueError::new_err(format!("forwarded_allow_ips: {error}")))
}

fn dialect(settings: &Bound<'_, PyAny>) -> PyResult<Dialect> {
    if !get::<bool>(settings, "proxy_headers")? {
        return Ok(Dialect::None);
    }
    Ok(
        match get::<String>(settings, "forwarded_header")?.as_str() {
            "forwarded" => Dialect::Forwarded,
            _ => Dialect::XForwarded,
        },
    )
}

/// Nothing where responses are sent as apps make them.
fn compression(settings: &Bound<'_, PyAny>) -> PyResult<Option<Compression>> {
    let wanted: bool = get(settings, "compress")?;
    let minimum = get(settings, "compress_min_size")?;
    Ok(wanted.then(|| Compression::new(minimum)))
}

/// Nothing where requests are to have no names.
fn request_ids(settings: &Bound<'_, PyAny>) -> PyResult<Option<RequestIds>> {
    let wanted: bool = get(settings, "request_id")?;
    let header: String = get(settings, "request_id_header")?;
    Ok(wanted.then(|| RequestIds::by(&header)))
}

/// Nothing where clients shall not speak it.
fn http2(settings: &Bound<'_, PyAny>) -> PyResult<Option<http2::Options>> {
    if !get::<bool>(settings, "http2")? {
        return Ok(None);
    }
    Ok(Some(http2::Options {
        streams: get(settings, "http2_max_streams")?,
        control_frames: get(settings, "http2_max_control_frames")?,
        ..http2::Options::default()
    }))
}

/// Reads the certificates' files as well. `ValueError` where they cannot be used.
fn tls(settings: &Bound<'_, PyAny>) -> PyResult<Option<Keyring>> {
    let files = |name| get::<Option<String>>(settings, name);
    let Some(chains) = files("ssl_certfile")? else {
        return Ok(None);
    };
    let keys = files("ssl_keyfile")?.unwrap_or_else(|| chains.clone());
    let source = |(chain, key): (&str, &str)| Source {
        chain: chain.trim().into(),
        key: key.trim().into(),
    };
    let options = tls::Options {
        identities: chains.split(',').zip(keys.split(',')).map(source).collect(),
        password: files("ssl_keyfile_password")?,
        authorities: files("ssl_ca_certs")?.map(Into::into),
        demand: match get::<String>(settings, "ssl_cert_reqs")?.as_str() {
            "required" => Demand::Required,
            "optional" => Demand::Optional,
            _ => Demand::None,
        },
        http2: get(settings, "http2")?,
    };
    let keyring = Keyring::load(options);
    keyring
        .map(Some)
        .map_err(|error| PyValueError::new_err(error.to_string()))
}

fn seconds(settings: &Bound<'_, PyAny>, name: &str) -> PyResult<Duration> {
    let value: f64 = get(settings, name)?;
    Duration::try_from_secs_f64(value)
        .map_err(|_| PyValueError::new_err(format!("{name}: {value} is no number of seconds")))
}
