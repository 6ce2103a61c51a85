//! Watermarks of a write buffer: when the protocol must pause and when it may go on. Knows no socket and no protocol.

use pyo3::PyResult;
use pyo3::exceptions::PyValueError;

/// What a transport starts with, and what one side is derived from when only the other is given.
const HIGH: i64 = 64 * 1024;
const RATIO: i64 = 4;

/// The two marks, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    low: usize,
    high: usize,
}

/// Marks that contradict each other, completed as the rule completes them.
#[derive(Debug, PartialEq, Eq)]
pub struct BadLimits {
    /// The upper mark.
    pub high: i64,
    /// The lower mark.
    pub low: i64,
}

impl Limits {
    /// asyncio's rule: `high` is 64 KiB or four times `low`, `low` is a quarter of `high`.
    pub fn new(high: Option<i64>, low: Option<i64>) -> Result<Self, BadLimits> {
        let high = high.unwrap_or_else(|| low.map_or(HIGH, |low| low.saturating_mul(RATIO)));
        let low = low.unwrap_or_else(|| high.div_euclid(RATIO));
        match (usize::try_from(low), usize::try_from(high)) {
            (Ok(low), Ok(high)) if low <= high => Ok(Self { low, high }),
            _ => Err(BadLimits { high, low }),
        }
    }

    /// [`Limits::new`] for Python.
    pub fn checked(high: Option<i64>, low: Option<i64>) -> PyResult<Self> {
        Self::new(high, low).map_err(|bad| {
            PyValueError::new_err(format!(
                "high ({}) must be >= low ({}) must be >= 0",
                bad.high, bad.low
            ))
        })
    }

    /// At or below this many bytes a paused protocol goes on.
    pub fn low(self) -> usize {
        self.low
    }

    /// Above this many bytes the protocol pauses.
    pub fn high(self) -> usize {
        self.high
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            low: 16 * 1024,
            high: 64 * 1024,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(high: Option<i64>, low: Option<i64>) -> Result<(usize, usize), BadLimits> {
        Limits::new(high, low).map(|limits| (limits.low(), limits.high()))
    }

    #[test]
    fn what_is_not_given_is_derived() {
        assert_eq!(Limits::new(None, None), Ok(Limits::default()));
        assert_eq!(marks(Some(100), None), Ok((25, 100)));
        assert_eq!(marks(None, Some(100)), Ok((100, 400)));
        assert_eq!(marks(Some(0), None), Ok((0, 0)));
        assert_eq!(marks(None, Some(0)), Ok((0, 0)));
        assert_eq!(marks(Some(7), Some(7)), Ok((7, 7)));
    }

    #[test]
    fn contradictions_are_refused() {
        assert_eq!(marks(Some(1), Some(2)), Err(BadLimits { high: 1, low: 2 }));
        assert_eq!(marks(Some(-1), None), Err(BadLimits { high: -1, low: -1 }));
        assert_eq!(marks(None, Some(-1)), Err(BadLimits { high: -4, low: -1 }));
    }
}
