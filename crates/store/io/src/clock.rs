//! Time as the store sees it.

use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use streamkeep_media::UnixMillis;

/// A wall clock and a monotonic one.
///
/// The wall clock serves for timestamps and expiry only; timers and leases use the monotonic one.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Wall-clock time. May jump in both directions.
    fn now(&self) -> UnixMillis;

    /// Time since some fixed instant of this process. Never goes back.
    fn monotonic(&self) -> Duration;
}

/// The clocks of the operating system.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time counts from now.
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> UnixMillis {
        UnixMillis::from_system_time(SystemTime::now())
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_clock_runs() {
        let clock = SystemClock::new();
        let first = clock.monotonic();
        assert!(clock.monotonic() >= first);
        // 2024-01-01: any machine that can build this is past it.
        assert!(clock.now() > UnixMillis(1_704_067_200_000));
    }
}
