//! The layers that `data_bridge.adapters.layers` found on an app.

use api::layer::{Choice, Compression, Cors, Hosts, Layer, Layers, Limit, Preflight, Secure};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The layers of `served`, the outermost one first.
pub fn of(served: &Bound<'_, PyAny>) -> PyResult<Layers> {
    let declared = served.getattr("layers")?;
    let layers = declared.try_iter()?.map(|layer| one(&layer?));
    Ok(Layers::new(layers.collect::<PyResult<_>>()?))
}

fn one(declared: &Bound<'_, PyAny>) -> PyResult<Box<dyn Layer>> {
    let (kind, options): (String, Bound<'_, PyAny>) = declared.extract()?;
    let layer: Box<dyn Layer> = match kind.as_str() {
        "cors" => Box::new(cors(&options)?),
        "compression" => Box::new(compression(&options)?),
        "hosts" => {
            let (patterns, redirects): (Vec<String>, bool) = options.extract()?;
            Box::new(Hosts::new(patterns, redirects))
        }
        "secure" => Box::new(Secure),
        "limit" => Box::new(Limit(options.extract()?)),
        _ => return Err(PyValueError::new_err(format!("no layer is called {kind}"))),
    };
    Ok(layer)
}

fn cors(options: &Bound<'_, PyAny>) -> PyResult<Cors> {
    let (all, origins, has_pattern, by_name, fields, preflight) = options.extract()?;
    let preflight: Bound<'_, PyAny> = preflight;
    Ok(Cors {
        all,
        origins,
        has_pattern,
        by_name,
        fields,
        preflight: self::preflight(&preflight)?,
    })
}

fn preflight(options: &Bound<'_, PyAny>) -> PyResult<Preflight> {
    let (fields, by_name, methods, all_headers, headers, private_network) = options.extract()?;
    Ok(Preflight {
        fields,
        by_name,
        methods,
        all_headers,
        headers,
        private_network,
    })
}

fn compression(options: &Bound<'_, PyAny>) -> PyResult<Compression> {
    let (offered, level, minimum, most, excluded) = options.extract()?;
    let offered: Option<Vec<(String, i32)>> = offered;
    let choice = offered.map_or(Choice::Gzip, Choice::Best);
    Ok(Compression::new(choice, level, minimum..most, excluded))
}
