//! How long to wait before the next start.

use std::time::{Duration, Instant};

/// Doubles from one failure to the next; one success forgets all.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    max: Duration,
    failures: u32,
    until: Option<Instant>,
}

impl Backoff {
    pub(crate) fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, failures: 0, until: None }
    }

    pub(crate) fn failed(&mut self, now: Instant) {
        let factor = 1u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        self.until = now.checked_add(self.first.saturating_mul(factor).min(self.max));
    }

    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
        self.until = None;
    }

    /// What is left to wait; zero when it is time.
    pub(crate) fn remaining(&self, now: Instant) -> Duration {
        self.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_and_forgets() {
        let ms = Duration::from_millis;
        let now = Instant::now();
        let mut backoff = Backoff::new(ms(10), ms(100));
        assert_eq!(backoff.remaining(now), Duration::ZERO);
        for expected in [10, 20, 40, 80, 100, 100] {
            backoff.failed(now);
            assert_eq!(backoff.remaining(now), ms(expected));
        }
        assert_eq!(backoff.remaining(now + ms(99)), ms(1));
        (0..100).for_each(|_| backoff.failed(now));
        assert_eq!(backoff.remaining(now), ms(100));
        backoff.succeeded();
        assert_eq!(backoff.remaining(now), Duration::ZERO);
    }
}
