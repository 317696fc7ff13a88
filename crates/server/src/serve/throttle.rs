//! Rates that a PutMedia session is held to: what is too fast waits in the producer's buffers.

use std::time::{Duration, Instant};

/// A token bucket of one second.
#[derive(Debug)]
pub(crate) struct Throttle {
    per_second: f64,
    /// Below zero: so much was taken too early.
    available: f64,
    at: Instant,
}

impl Throttle {
    /// A full bucket.
    pub(crate) fn new(per_second: u64, now: Instant) -> Self {
        let per_second = per_second.max(1) as f64;
        Self { per_second, available: per_second, at: now }
    }

    /// Takes `amount`, which has already happened, and answers how long to wait before more.
    pub(crate) fn take(&mut self, amount: u64, now: Instant) -> Duration {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * self.per_second;
        self.available = (self.available + gained).min(self.per_second) - amount as f64;
        self.at = now;
        Duration::from_secs_f64((-self.available / self.per_second).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_free_and_the_rest_waits() {
        let start = Instant::now();
        let mut throttle = Throttle::new(1_000, start);
        assert_eq!(throttle.take(1_000, start), Duration::ZERO);
        assert_eq!(throttle.take(500, start), Duration::from_millis(500));
        // Half a second later the debt is paid, and no more.
        let later = start + Duration::from_millis(500);
        assert_eq!(throttle.take(0, later), Duration::ZERO);
        assert_eq!(throttle.take(100, later), Duration::from_millis(100));
        // Idle time does not add up beyond one second.
        let much_later = start + Duration::from_secs(60);
        assert_eq!(throttle.take(1_500, much_later), Duration::from_millis(500));
    }
}
