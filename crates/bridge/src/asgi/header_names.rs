//! Header names as Python objects; those of the common ones are made once for the process.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;

const COMMON: [&str; 60] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "access-control-request-headers",
    "access-control-request-method",
    "authorization",
    "cache-control",
    "connection",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "dnt",
    "etag",
    "expect",
    "forwarded",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "last-modified",
    "link",
    "max-forwards",
    "origin",
    "pragma",
    "priority",
    "proxy-authorization",
    "range",
    "referer",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "sec-websocket-key",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
    "x-api-key",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
];

/// Longer names than this are not common ones.
const LONGEST: usize = 32;

/// Places of the table: several for each name, so that searches are short.
const PLACES: usize = 256;

/// What Python knows the common names as, each at the first free place from its own on.
pub struct Names<T>(Vec<Option<(&'static [u8], T)>>);

/// The common names in lower case; to be asked once for a whole list.
pub fn common(py: Python<'_>) -> &'static Names<Py<PyBytes>> {
    static NAMES: PyOnceLock<Names<Py<PyBytes>>> = PyOnceLock::new();
    NAMES.get_or_init(py, || {
        Names::new(|name| PyBytes::new(py, name.as_bytes()).unbind())
    })
}

impl<T> Names<T> {
    /// The common names, as `make` has them.
    pub fn new(make: impl Fn(&'static str) -> T) -> Self {
        let mut places: Vec<_> = (0..PLACES).map(|_| None).collect();
        for name in COMMON {
            let free = search(&places, name.as_bytes());
            places[free] = Some((name.as_bytes(), make(name)));
        }
        Self(places)
    }

    /// What stands for `name`, in whatever case; for one that is not common, `other` of it in lower case.
    pub fn find<R>(
        &self,
        name: &[u8],
        known: impl FnOnce(&T) -> R,
        other: impl FnOnce(&[u8]) -> R,
    ) -> R {
        let mut buffer = [0_u8; LONGEST];
        let Some(lowered) = buffer.get_mut(..name.len()) else {
            return other(&name.to_ascii_lowercase());
        };
        lowered.copy_from_slice(name);
        lowered.make_ascii_lowercase();
        match &self.0[search(&self.0, lowered)] {
            Some((_, found)) => known(found),
            None => other(lowered),
        }
    }
}

impl Names<Py<PyBytes>> {
    /// `name` in lower case.
    pub fn lower<'py>(&self, py: Python<'py>, name: &[u8]) -> Bound<'py, PyBytes> {
        self.find(
            name,
            |known| known.bind(py).clone(),
            |lowered| PyBytes::new(py, lowered),
        )
    }
}

/// Where `name` stands, or the empty place where it would. The names in the table are ours, so nobody can make searches long.
fn search<T>(places: &[Option<(&[u8], T)>], name: &[u8]) -> usize {
    let byte = |at: usize| usize::from(name.get(at).copied().unwrap_or_default());
    let middle = byte(name.len() / 2);
    let mut place = name.len() + 3 * byte(0) + 7 * middle + 31 * byte(name.len().wrapping_sub(1));
    loop {
        place %= PLACES;
        match &places[place] {
            Some((known, _)) if *known != name => place += 1,
            _ => return place,
        }
    }
}
