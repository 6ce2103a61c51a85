//! Moments as logs write them, in UTC.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The parts of HTTP's date, `Sat, 21 Nov 2026 19:26:10 GMT`: day, month, year, time.
fn parts(date: &str) -> (&str, &str, &str, &str) {
    let mut parts = date.split(' ').skip(1);
    let mut next = || parts.next().unwrap_or_default();
    (next(), next(), next(), next())
}

/// `[21/Nov/2026:19:26:10 +0000]`, as the Common Log Format has it.
pub(super) fn write_common(line: &mut String, moment: SystemTime) -> std::fmt::Result {
    let date = httpdate::fmt_http_date(moment);
    let (day, month, year, time) = parts(&date);
    write!(line, "[{day}/{month}/{year}:{time} +0000]")
}

/// `2026-11-21T19:26:10.123Z` (RFC 3339).
pub(super) fn rfc3339(moment: SystemTime) -> String {
    let date = httpdate::fmt_http_date(moment);
    let (day, month, year, time) = parts(&date);
    let month = MONTHS.iter().position(|name| *name == month).unwrap_or(0) + 1;
    let millis = moment
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.subsec_millis());
    format!("{year}-{month:02}-{day}T{time}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use super::{rfc3339, write_common};
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn moments_as_logs_write_them() {
        let moment = UNIX_EPOCH + Duration::from_millis(1_795_289_170_007);
        let mut line = String::new();
        write_common(&mut line, moment).unwrap();
        assert_eq!(line, "[21/Nov/2026:19:26:10 +0000]");
        assert_eq!(rfc3339(moment), "2026-11-21T19:26:10.007Z");
    }
}
