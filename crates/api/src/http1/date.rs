//! The date as HTTP writes it, rendered once a second. Reads no clock.

use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The last second that the format can express: the end of the year 9999.
const LAST: u64 = 253_402_300_799;

/// Length of `Sun, 06 Nov 1994 08:49:37 GMT`.
const LENGTH: usize = 29;

/// The current date for `Date` fields.
#[derive(Debug)]
pub struct DateCache {
    second: Cell<u64>,
    text: Cell<[u8; LENGTH]>,
}

impl DateCache {
    /// Knows the date of `now`.
    pub fn new(now: SystemTime) -> Self {
        let cache = Self {
            second: Cell::new(u64::MAX),
            text: Cell::new([b' '; LENGTH]),
        };
        cache.refresh(now);
        cache
    }

    /// Takes note of the time; does something only when the second changes.
    pub fn refresh(&self, now: SystemTime) {
        let second = now
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs().min(LAST));
        if second == self.second.get() {
            return;
        }
        let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(second));
        if let Ok(text) = text.as_bytes().try_into() {
            self.text.set(text);
        }
        self.second.set(second);
    }

    /// As it stands in a `Date` field.
    pub fn text(&self) -> [u8; LENGTH] {
        self.text.get()
    }
}

#[cfg(test)]
mod tests {
    use super::DateCache;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn the_date_follows_the_clock_in_whole_seconds() {
        let start = UNIX_EPOCH + Duration::from_secs(784_111_777);
        let cache = DateCache::new(start);
        assert_eq!(&cache.text(), b"Sun, 06 Nov 1994 08:49:37 GMT");
        cache.refresh(start + Duration::from_millis(999));
        assert_eq!(&cache.text(), b"Sun, 06 Nov 1994 08:49:37 GMT");
        cache.refresh(start + Duration::from_secs(1));
        assert_eq!(&cache.text(), b"Sun, 06 Nov 1994 08:49:38 GMT");
        cache.refresh(start - Duration::from_secs(1));
        assert_eq!(&cache.text(), b"Sun, 06 Nov 1994 08:49:36 GMT");
    }

    #[test]
    fn a_clock_out_of_range_does_no_harm() {
        let cache = DateCache::new(UNIX_EPOCH + Duration::from_secs(300_000_000_000));
        assert_eq!(&cache.text(), b"Fri, 31 Dec 9999 23:59:59 GMT");
        let cache = DateCache::new(UNIX_EPOCH - Duration::from_secs(5));
        assert_eq!(&cache.text(), b"Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
