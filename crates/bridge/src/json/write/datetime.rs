//! Dates and times as RFC 3339 has them. Knows no writer.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyDate, PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess, PyTime, PyTimeAccess, PyTzInfo,
    PyTzInfoAccess,
};

use super::options::Options;
use super::stop::Stop;

/// `2026-11-21T16:40:00.000001+00:00`; without an offset if it has none.
pub fn datetime(object: &Bound<'_, PyAny>, options: Options) -> Result<String, Stop> {
    let moment = object.cast::<PyDateTime>().map_err(PyErr::from)?;
    let mut text = calendar(moment);
    text.push('T');
    clock(&mut text, moment, options);
    match offset(moment)? {
        Some(0) if options.has(Options::UTC_Z) => text.push('Z'),
        Some(seconds) => push_offset(&mut text, seconds),
        None if options.has(Options::NAIVE_UTC) && options.has(Options::UTC_Z) => text.push('Z'),
        None if options.has(Options::NAIVE_UTC) => text.push_str("+00:00"),
        None => {}
    }
    Ok(text)
}

/// `2026-11-21`.
pub fn date(object: &Bound<'_, PyAny>) -> Result<String, Stop> {
    Ok(calendar(object.cast::<PyDate>().map_err(PyErr::from)?))
}

/// `16:40:00.000001`.
pub fn time(object: &Bound<'_, PyAny>, options: Options) -> Result<String, Stop> {
    let time = object.cast::<PyTime>().map_err(PyErr::from)?;
    if time.get_tzinfo().is_some() {
        return Err(Stop::refused("datetime.time must not have tzinfo set"));
    }
    let mut text = String::with_capacity(16);
    clock(&mut text, time, options);
    Ok(text)
}

fn calendar(date: &impl PyDateAccess) -> String {
    let mut text = String::with_capacity(40);
    let year = date.get_year().unsigned_abs();
    push_pair(&mut text, year / 100);
    push_pair(&mut text, year % 100);
    text.push('-');
    push_pair(&mut text, date.get_month().into());
    text.push('-');
    push_pair(&mut text, date.get_day().into());
    text
}

fn clock(text: &mut String, time: &impl PyTimeAccess, options: Options) {
    push_pair(text, time.get_hour().into());
    text.push(':');
    push_pair(text, time.get_minute().into());
    text.push(':');
    push_pair(text, time.get_second().into());
    let micros = time.get_microsecond();
    if micros != 0 && !options.has(Options::OMIT_MICROSECONDS) {
        text.push('.');
        push_pair(text, micros / 10_000);
        push_pair(text, micros / 100 % 100);
        push_pair(text, micros % 100);
    }
}

/// Two digits.
fn push_pair(text: &mut String, value: u32) {
    for digit in [value / 10, value % 10] {
        text.push(char::from_digit(digit, 10).unwrap_or('0'));
    }
}

/// Seconds east of UTC; `None` for a moment without a zone.
fn offset(moment: &Bound<'_, PyDateTime>) -> PyResult<Option<i32>> {
    let Some(zone) = moment.get_tzinfo() else {
        return Ok(None);
    };
    let py = moment.py();
    if zone.is(PyTzInfo::utc(py)?) {
        return Ok(Some(0));
    }
    let offset = moment.call_method0(intern!(py, "utcoffset"))?;
    if offset.is_none() {
        return Ok(None);
    }
    let offset = offset.cast::<PyDelta>()?;
    Ok(Some(offset.get_days() * 86_400 + offset.get_seconds()))
}

/// Whether the offset, if there is one, has no seconds beside its minutes.
pub fn has_whole_minutes(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let offset = offset(object.cast::<PyDateTime>()?)?;
    Ok(offset.is_none_or(|seconds| seconds % 60 == 0))
}

/// RFC 3339 has offsets of whole minutes; seconds, as zones had them until 1972, are rounded.
fn push_offset(text: &mut String, seconds: i32) {
    text.push(if seconds < 0 { '-' } else { '+' });
    let minutes = (seconds.unsigned_abs() + 30) / 60;
    push_pair(text, minutes / 60);
    text.push(':');
    push_pair(text, minutes % 60);
}
