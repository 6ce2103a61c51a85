//! How fast a request body comes, counting only the time in which somebody waits for it. Knows no socket.

use crate::timeouts::{Millis, Timeouts};
use std::time::Duration;

/// What was waited and received so far.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Pace {
    waited: Millis,
    since: Option<Millis>,
    received: u64,
}

impl Pace {
    /// Somebody begins to wait.
    pub(super) fn wait(&mut self, now: Millis) {
        self.since.get_or_insert(now);
    }

    /// Nobody waits any more.
    pub(super) fn rest(&mut self, now: Millis) {
        if let Some(since) = self.since.take() {
            self.waited += now.saturating_sub(since);
        }
    }

    pub(super) fn received(&mut self, count: usize) {
        self.received += count as u64;
    }

    /// How much longer may be waited before the body is too slow.
    pub(super) fn allowance(&self, timeouts: &Timeouts) -> Duration {
        let rate = timeouts.body_rate;
        if rate == 0 {
            return Duration::MAX;
        }
        let earned = Duration::from_millis(self.received.saturating_mul(1000) / u64::from(rate));
        let allowed = earned.max(timeouts.body_grace);
        allowed.saturating_sub(Duration::from_millis(self.waited))
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use crate::timeouts::Timeouts;
    use std::time::Duration;

    fn pace_of(body_rate: u32) -> Timeouts {
        Timeouts {
            body_rate,
            body_grace: Duration::from_secs(10),
            ..Timeouts::default()
        }
    }

    #[test]
    fn the_first_seconds_are_free_and_bytes_earn_more() {
        let mut pace = Pace::default();
        assert_eq!(pace.allowance(&pace_of(500)), Duration::from_secs(10));
        pace.wait(1_000);
        pace.rest(5_000);
        assert_eq!(pace.allowance(&pace_of(500)), Duration::from_secs(6));
        pace.received(10_000);
        assert_eq!(pace.allowance(&pace_of(500)), Duration::from_secs(16));
    }

    #[test]
    fn only_waiting_counts() {
        let mut pace = Pace::default();
        pace.wait(0);
        pace.wait(3_000);
        pace.rest(4_000);
        pace.rest(90_000);
        assert_eq!(pace.allowance(&pace_of(500)), Duration::from_secs(6));
        assert_eq!(pace.allowance(&pace_of(0)), Duration::MAX);
    }
}
