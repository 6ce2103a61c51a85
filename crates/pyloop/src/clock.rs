//! Seconds of `loop.time()` and nanoseconds of the kernel. Knows no timers.

use crate::ffi::sys;

/// Nanoseconds since the epoch of `time.monotonic()`.
pub use loopcore::Nanos;

/// Now, in nanoseconds.
pub fn now() -> Nanos {
    sys::monotonic_ns()
}

/// The float that `time.monotonic()` makes of `ns`.
#[allow(clippy::cast_precision_loss)] // the rounding of time.monotonic() is wanted
pub fn to_seconds(ns: Nanos) -> f64 {
    ns as f64 / 1e9
}

/// The first nanosecond at which `loop.time() >= seconds` holds, so that a timer is never early.
#[allow(clippy::cast_possible_truncation)] // saturates: an infinite deadline never comes, NaN is due at once
pub fn deadline(seconds: f64) -> Nanos {
    let mut ns = (seconds * 1e9).ceil() as i64;
    while ns < i64::MAX && to_seconds(ns) < seconds {
        ns += 1;
    }
    ns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_never_early_and_at_most_rounding_late() {
        for base in [0.0, 0.1, 1.0, 12_345.678_901_234, 9_876_543.21] {
            for step in 0..1000 {
                let seconds = base + f64::from(step) * 1.37e-7;
                let ns = deadline(seconds);
                assert!(to_seconds(ns) >= seconds);
                assert!(to_seconds(ns - 3) < seconds, "{seconds}");
            }
        }
    }

    #[test]
    fn deadlines_that_are_no_numbers() {
        assert_eq!(deadline(f64::INFINITY), i64::MAX);
        assert_eq!(deadline(f64::NEG_INFINITY), i64::MIN);
        assert_eq!(deadline(f64::NAN), 0);
        assert_eq!(deadline(1e300), i64::MAX);
    }
}
