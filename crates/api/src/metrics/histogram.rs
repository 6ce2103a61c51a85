//! Durations by how long they were, in fixed buckets. Knows not what took so long.

use super::cells::add;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The buckets' upper bounds in nanoseconds, and as Prometheus shows them; one bucket more takes what is longer.
pub(super) const BOUNDS: [(u64, &str); 16] = [
    (100_000, "0.0001"),
    (250_000, "0.00025"),
    (500_000, "0.0005"),
    (1_000_000, "0.001"),
    (2_500_000, "0.0025"),
    (5_000_000, "0.005"),
    (10_000_000, "0.01"),
    (25_000_000, "0.025"),
    (50_000_000, "0.05"),
    (100_000_000, "0.1"),
    (250_000_000, "0.25"),
    (500_000_000, "0.5"),
    (1_000_000_000, "1"),
    (2_500_000_000, "2.5"),
    (5_000_000_000, "5"),
    (10_000_000_000, "10"),
];

/// The sum, then the buckets.
pub(super) const WORDS: usize = 2 + BOUNDS.len();

/// By how many bits a duration has: the bucket of the shortest such one, and that bucket's bound. Between two powers of two
/// there is one bound at most, so that one comparison finds the bucket: a search would be branches that no processor guesses.
static BY_BITS: [(u8, u64); 65] = by_bits();

const fn by_bits() -> [(u8, u64); 65] {
    let mut table = [(0, 0); 65];
    let mut bucket = 0;
    let mut bits = 1;
    while bits < table.len() {
        let shortest = 1 << (bits - 1);
        if bucket < BOUNDS.len() && BOUNDS[bucket].0 < shortest {
            bucket += 1;
        }
        #[allow(clippy::cast_possible_truncation)] // there are seventeen
        let number = bucket as u8;
        let bound = if bucket < BOUNDS.len() {
            BOUNDS[bucket].0
        } else {
            u64::MAX
        };
        table[bits] = (number, bound);
        bits += 1;
    }
    table
}

/// Counts one duration in `words`.
pub(super) fn observe(words: &[AtomicU64], took: Duration) {
    observe_nanoseconds(words, u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
}

/// The same, of so many nanoseconds.
pub(super) fn observe_nanoseconds(words: &[AtomicU64], took: u64) {
    add(&words[0], took);
    add(&words[1 + bucket(took)], 1);
}

/// The first bucket whose bound `took` nanoseconds do not exceed.
fn bucket(took: u64) -> usize {
    let bits = u64::BITS - took.leading_zeros();
    let (shortest, bound) = BY_BITS[bits as usize];
    usize::from(shortest) + usize::from(took > bound)
}

/// What was counted, by one process or by several.
#[derive(Debug, Clone, Default)]
pub(super) struct Histogram {
    /// Nanoseconds.
    pub(super) sum: u64,
    pub(super) buckets: [u64; BOUNDS.len() + 1],
}

impl Histogram {
    /// Takes what stands in `words` on top.
    pub(super) fn take(&mut self, words: &[AtomicU64]) {
        self.sum = self.sum.wrapping_add(words[0].load(Ordering::Relaxed));
        for (bucket, word) in self.buckets.iter_mut().zip(&words[1..]) {
            *bucket += word.load(Ordering::Relaxed);
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.sum = self.sum.wrapping_add(other.sum);
        for (bucket, count) in self.buckets.iter_mut().zip(other.buckets) {
            *bucket += count;
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Milliseconds that `share` of the durations did not exceed, taken evenly within a bucket; 0 where there are none.
    #[allow(clippy::cast_precision_loss)] // an estimate
    pub(super) fn quantile_ms(&self, share: f64) -> f64 {
        let rank = share * self.count() as f64;
        let mut below = 0.0;
        let mut lower = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            let Some(&(upper, _)) = BOUNDS.get(bucket) else {
                break;
            };
            let upto = below + *count as f64;
            if *count > 0 && upto >= rank {
                let part = (rank - below) / *count as f64;
                return (lower as f64 + part * (upper - lower) as f64) / 1e6;
            }
            (below, lower) = (upto, upper);
        }
        if self.count() == 0 {
            0.0
        } else {
            lower as f64 / 1e6
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BOUNDS, Histogram, WORDS, bucket, observe};
    use std::sync::atomic::AtomicU64;
    use std::time::Duration;

    #[test]
    fn a_bucket_takes_what_its_bound_says() {
        assert_eq!((bucket(0), bucket(1)), (0, 0));
        for bits in 0..u64::BITS {
            for took in [1 << bits, u64::MAX >> bits] {
                let before = BOUNDS.iter().take_while(|(bound, _)| *bound < took);
                assert_eq!(bucket(took), before.count(), "{took}");
            }
        }
        for (place, (bound, _)) in BOUNDS.iter().enumerate() {
            let around = [bound - 1, *bound, bound + 1].map(bucket);
            assert_eq!(around, [place, place, place + 1]);
        }
    }

    #[test]
    fn counts_and_estimates() {
        let words: Vec<AtomicU64> = (0..WORDS).map(|_| AtomicU64::new(0)).collect();
        let mut seen = Histogram::default();
        seen.take(&words);
        assert!(seen.quantile_ms(0.5) == 0.0);
        for ms in 1..=100 {
            observe(&words, Duration::from_millis(ms));
        }
        observe(&words, Duration::from_secs(20));
        seen.take(&words);
        assert_eq!(seen.count(), 101);
        assert_eq!(seen.sum, 25_050_000_000);
        assert_eq!(seen.buckets[3..10], [1, 1, 3, 5, 15, 25, 50]);
        assert_eq!(seen.buckets[16], 1);
        assert!((seen.quantile_ms(0.5) - 50.5).abs() < 1.0);
        assert!((seen.quantile_ms(1.0) - 10_000.0).abs() < 1e-6);
    }
}
