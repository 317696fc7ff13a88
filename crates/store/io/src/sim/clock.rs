//! A clock that moves only when told to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use streamkeep_media::UnixMillis;

use crate::Clock;

/// Simulated wall and monotonic time. Shared by reference; starts at the given wall time and
/// monotonic zero.
#[derive(Debug)]
pub struct SimClock {
    wall_ms: AtomicU64,
    monotonic_ns: AtomicU64,
}

impl SimClock {
    /// A clock that shows `now`.
    pub fn new(now: UnixMillis) -> Self {
        Self { wall_ms: AtomicU64::new(now.0), monotonic_ns: AtomicU64::new(0) }
    }

    /// Lets time pass on both clocks. The wall clock moves by whole milliseconds of `by`.
    pub fn advance(&self, by: Duration) {
        let ns = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.monotonic_ns.fetch_add(ns, Ordering::SeqCst);
        self.wall_ms.fetch_add(ns / 1_000_000, Ordering::SeqCst);
    }

    /// Sets the wall clock alone, as an administrator or NTP does.
    pub fn set_now(&self, now: UnixMillis) {
        self.wall_ms.store(now.0, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.wall_ms.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.monotonic_ns.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_when_told() {
        let clock = SimClock::new(UnixMillis(5_000));
        assert_eq!((clock.now(), clock.monotonic()), (UnixMillis(5_000), Duration::ZERO));
        clock.advance(Duration::from_millis(1_500));
        assert_eq!(clock.now(), UnixMillis(6_500));
        clock.set_now(UnixMillis(1));
        assert_eq!(clock.now(), UnixMillis(1));
        assert_eq!(clock.monotonic(), Duration::from_millis(1_500));
    }
}
