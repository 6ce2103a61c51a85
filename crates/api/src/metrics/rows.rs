//! Requests by route and method: a row of words for each pair, found by its text once and by a number from then on.
//! The routes are templates, so that there are as many rows as an app has routes; what is beyond [`MOST`] shares one.

use super::cells::{HEAD, ROW_COUNT, add};
use super::histogram::{self, Histogram};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// Rows of one process.
pub(super) const MOST: usize = 1024;
/// Words of a row: durations, statuses with their counts, then the method and the route's text.
pub(super) const WORDS: usize = 64;

const STATUSES: usize = 12;
const STATUS: usize = histogram::WORDS;
const COUNT: usize = STATUS + STATUSES;
const NAME: usize = COUNT + STATUSES;
const TEXT: usize = NAME + 1;
/// Bytes of a route's text that are kept.
const LONGEST: usize = (WORDS - TEXT) * 8;

const METHODS: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other",
];

/// The place of a method among [`METHODS`]. They are case-sensitive.
fn number_of(method: &[u8]) -> usize {
    match method {
        b"GET" => 0,
        b"HEAD" => 1,
        b"POST" => 2,
        b"PUT" => 3,
        b"PATCH" => 4,
        b"DELETE" => 5,
        b"OPTIONS" => 6,
        _ => METHODS.len() - 1,
    }
}

/// The route of requests that no route takes.
pub static UNMATCHED: LazyLock<Arc<str>> = LazyLock::new(|| "unmatched".into());
/// The route of requests that an app answers whose routes are not known.
pub(super) static APP: LazyLock<Arc<str>> = LazyLock::new(|| "app".into());
/// The route of what is no request.
pub(super) static REFUSED: LazyLock<Arc<str>> = LazyLock::new(|| "refused".into());
static OTHERS: LazyLock<Arc<str>> = LazyLock::new(|| "others".into());

/// The number of a row; none is 0.
pub(super) type Number = u16;

/// Who was asked for lately, by the place of the route's text in memory (held, so that nothing else comes to lie there).
type Recent = Option<(Arc<str>, usize, Number)>;

const RECENT: usize = 64;

/// The rows of this process by what they count.
pub(super) struct Index {
    known: HashMap<(Box<str>, usize), Number>,
    recent: [Recent; RECENT],
}

impl Index {
    /// Knows what an earlier process has left in `words`.
    pub(super) fn of(words: &[AtomicU64]) -> Self {
        let mut known = HashMap::new();
        for (number, row) in rows(words).enumerate() {
            let (route, method) = name(row);
            known.insert((route.into(), method), into_number(number));
        }
        Self {
            known,
            recent: [const { None }; RECENT],
        }
    }

    pub(super) fn find(&mut self, words: &[AtomicU64], route: &Arc<str>, method: &[u8]) -> Number {
        let method = number_of(method);
        let place = (route.as_ptr().addr() / 16 + method) % RECENT;
        if let Some((held, which, number)) = &self.recent[place]
            && *which == method
            && Arc::ptr_eq(held, route)
        {
            return *number;
        }
        let number = self.look_up(words, route, method);
        self.recent[place] = Some((Arc::clone(route), method, number));
        number
    }

    /// [`Index::find`] for a text that nobody holds.
    pub(super) fn find_text(&mut self, words: &[AtomicU64], route: &str, method: &[u8]) -> Number {
        self.look_up(words, route, number_of(method))
    }

    fn look_up(&mut self, words: &[AtomicU64], route: &str, method: usize) -> Number {
        let text = shortened(route);
        if let Some(number) = self.known.get(&(text.into(), method)) {
            return *number;
        }
        let next = self.known.len();
        if next + 1 >= MOST && text != &**OTHERS {
            return self.look_up(words, &OTHERS, METHODS.len() - 1);
        }
        write_name(&words[start(next)..], text, method);
        words[ROW_COUNT].store(next as u64 + 1, Ordering::Release);
        let number = into_number(next);
        self.known.insert((text.into(), method), number);
        number
    }
}

/// Numbers of rows begin with 1.
fn into_number(index: usize) -> Number {
    Number::try_from(index + 1).unwrap_or(Number::MAX)
}

fn start(index: usize) -> usize {
    HEAD + index * WORDS
}

/// Counts an answered request.
pub(super) fn answered(words: &[AtomicU64], number: Number, status: u16, took: Duration) {
    let at = start(usize::from(number) - 1);
    let row = &words[at..at + WORDS];
    histogram::observe(row, took);
    let status = u64::from(status);
    for place in 0..STATUSES {
        let seen = row[STATUS + place].load(Ordering::Relaxed);
        // One app's route has few; what does not fit is counted with the last.
        if seen == status || seen == 0 || place == STATUSES - 1 {
            if seen == 0 {
                row[STATUS + place].store(status, Ordering::Relaxed);
            }
            add(&row[COUNT + place], 1);
            return;
        }
    }
}

fn rows(words: &[AtomicU64]) -> impl Iterator<Item = &[AtomicU64]> {
    let count = usize::try_from(words[ROW_COUNT].load(Ordering::Acquire)).unwrap_or(MOST);
    (0..count.min(MOST)).map(|index| &words[start(index)..start(index + 1)])
}

/// Whether a route's text is kept whole.
pub(super) fn fits(route: &str) -> bool {
    route.len() <= LONGEST
}

fn shortened(route: &str) -> &str {
    let mut end = route.len().min(LONGEST);
    while !route.is_char_boundary(end) {
        end -= 1;
    }
    &route[..end]
}

fn write_name(row: &[AtomicU64], text: &str, method: usize) {
    for (place, part) in text.as_bytes().chunks(8).enumerate() {
        let mut bytes = [0; 8];
        bytes[..part.len()].copy_from_slice(part);
        row[TEXT + place].store(u64::from_le_bytes(bytes), Ordering::Relaxed);
    }
    let name = (text.len() as u64) << 8 | method as u64;
    row[NAME].store(name, Ordering::Relaxed);
}

#[allow(clippy::cast_possible_truncation)] // both are bounded right here
fn name(row: &[AtomicU64]) -> (String, usize) {
    let name = row[NAME].load(Ordering::Relaxed);
    let length = ((name >> 8) as usize).min(LONGEST);
    let words = row[TEXT..].iter();
    let bytes = words.flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes());
    let bytes: Vec<u8> = bytes.take(length).collect();
    let method = (name & 0xff) as usize;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (text, method.min(METHODS.len() - 1))
}

/// What was counted of one route and method.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) durations: Histogram,
    pub(super) statuses: BTreeMap<u64, u64>,
}

/// The rows of all processes, by route and method.
pub(super) type Table = BTreeMap<(String, &'static str), Row>;

/// Takes the rows in `words` on top.
pub(super) fn take(table: &mut Table, words: &[AtomicU64]) {
    for row in rows(words) {
        let (route, method) = name(row);
        let taken = table.entry((route, METHODS[method])).or_default();
        taken.durations.take(row);
        let statuses = row[STATUS..COUNT].iter().zip(&row[COUNT..NAME]);
        for (status, count) in statuses {
            let status = status.load(Ordering::Relaxed);
            if status > 0 {
                *taken.statuses.entry(status).or_default() += count.load(Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::cells::SLOT;
    use super::{Index, LONGEST, METHODS, MOST, Table, answered, number_of, take};
    use std::sync::Arc;
    use std::sync::atomic::AtomicU64;
    use std::time::Duration;

    fn count(words: &[AtomicU64], index: &mut Index, route: &str, method: &str, status: u16) {
        let number = index.find(words, &Arc::from(route), method.as_bytes());
        answered(words, number, status, Duration::from_millis(1));
    }

    #[test]
    fn methods_are_known_by_their_places() {
        for (place, method) in METHODS.iter().enumerate() {
            assert_eq!(number_of(method.as_bytes()), place);
        }
        assert_eq!(number_of(b"get"), METHODS.len() - 1);
    }

    #[test]
    fn rows_are_bounded_and_survive_their_process() {
        let words: Vec<AtomicU64> = (0..SLOT).map(|_| AtomicU64::new(0)).collect();
        let mut index = Index::of(&words);
        for turn in 0..2 {
            for route in 0..MOST + 9 {
                count(&words, &mut index, &format!("/{route}"), "GET", 200);
            }
            if turn == 0 {
                index = Index::of(&words);
            }
        }
        let mut table = Table::new();
        take(&mut table, &words);
        assert_eq!(table.len(), MOST);
        assert_eq!(table[&("/0".to_owned(), "GET")].statuses[&200], 2);
        assert_eq!(table[&("others".to_owned(), "other")].statuses[&200], 20);
        assert_eq!(
            table.values().map(|row| row.durations.count()).sum::<u64>(),
            2066
        );
    }

    #[test]
    fn names_and_statuses_of_any_kind() {
        let words: Vec<AtomicU64> = (0..SLOT).map(|_| AtomicU64::new(0)).collect();
        let mut index = Index::of(&words);
        let long = "/ü".repeat(LONGEST);
        for status in (200..230).rev() {
            count(&words, &mut index, &long, "PURGE", status);
        }
        count(&words, &mut index, &format!("{long}!"), "PATCH", 204);
        let mut table = Table::new();
        take(&mut table, &words);
        let names: Vec<_> = table
            .keys()
            .map(|(route, method)| (route.len(), *method))
            .collect();
        assert_eq!(names.len(), 2);
        assert!(
            names
                .iter()
                .all(|(length, _)| *length <= LONGEST && *length > LONGEST - 3)
        );
        let statuses = &table
            .iter()
            .find(|((_, method), _)| *method == "other")
            .unwrap()
            .1
            .statuses;
        assert_eq!(statuses.values().sum::<u64>(), 30);
        assert_eq!((statuses.len(), statuses[&229]), (12, 1));
    }
}
