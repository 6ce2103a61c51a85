//! Names for requests: a trusted proxy's, or one of our own. Knows no connection.

use std::cell::Cell;
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The longest name that is taken from a proxy.
const LONGEST: usize = 128;

/// What names the requests of one server.
#[derive(Debug)]
pub struct RequestIds {
    /// The header that carries the name, both ways; in lower case.
    header: Box<str>,
    /// Chance: what its keys make of `count` nobody can foretell.
    chance: RandomState,
    count: Cell<u64>,
}

impl RequestIds {
    /// By the header of this name, which must be a field's name (RFC 9110).
    pub fn by(header: &str) -> Self {
        Self {
            header: header.to_ascii_lowercase().into(),
            chance: RandomState::new(),
            count: Cell::new(0),
        }
    }

    pub(crate) fn header(&self) -> &str {
        &self.header
    }

    /// The name of a request: the `given` one, if it is sane, else a new UUID (version 7, RFC 9562).
    pub(crate) fn name(&self, given: Option<&[u8]>) -> Box<str> {
        let taken = given.filter(|name| is_sane(name));
        let taken = taken.and_then(|name| std::str::from_utf8(name).ok());
        taken.map_or_else(|| self.new_name(), Into::into)
    }

    fn new_name(&self) -> Box<str> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        uuid7(since.unwrap_or_default(), self.random(), self.random())
    }

    fn random(&self) -> u64 {
        let count = self.count.get();
        self.count.set(count.wrapping_add(1));
        self.chance.hash_one(count)
    }
}

/// Whether a name can stand anywhere: visible ASCII, and not too much of it.
fn is_sane(name: &[u8]) -> bool {
    (1..=LONGEST).contains(&name.len()) && name.iter().all(u8::is_ascii_graphic)
}

/// 48 bits of the time, 74 of chance.
fn uuid7(since: Duration, first: u64, second: u64) -> Box<str> {
    let millis = since.as_millis() & 0xffff_ffff_ffff;
    let (first, second) = (u128::from(first & 0xfff), u128::from(second >> 2));
    let uuid = millis << 80 | 7 << 76 | first << 64 | 0b10 << 62 | second;
    let digits = format!("{uuid:032x}");
    let mut name = String::with_capacity(36);
    for part in [0..8, 8..12, 12..16, 16..20, 20..32] {
        let hyphen = if part.start == 0 { "" } else { "-" };
        // Writing to a String does not fail.
        let _ = write!(name, "{hyphen}{}", &digits[part]);
    }
    name.into()
}

#[cfg(test)]
mod tests {
    use super::{RequestIds, uuid7};
    use std::collections::HashSet;
    use std::time::Duration;

    #[test]
    fn a_sane_name_is_taken_and_no_other() {
        let ids = RequestIds::by("X-Request-ID");
        assert_eq!(ids.header(), "x-request-id");
        assert_eq!(&*ids.name(Some(b"a-\"1\"~")), "a-\"1\"~");
        assert_eq!(ids.name(Some(&[b'x'; 128])).len(), 128);
        let others: [&[u8]; 5] = [b"", b"a b", b"a\tb", b"caf\xe9", &[b'x'; 129]];
        for other in others {
            assert_eq!(ids.name(Some(other)).len(), 36);
        }
    }

    #[test]
    fn new_names_are_uuids_of_version_7() {
        let ids = RequestIds::by("id");
        let names: HashSet<_> = (0..1000).map(|_| ids.name(None)).collect();
        assert_eq!(names.len(), 1000);
        // The example of RFC 9562, A.6.
        let since = Duration::from_secs(1_645_557_742);
        let name = uuid7(since, 0xcc3, 0x18c4_dc0c_0c07_398f << 2);
        assert_eq!(&*name, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    }
}
