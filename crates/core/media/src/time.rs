//! Wall-clock instants as the KVS API counts them.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01T00:00:00Z, never negative. Producer and server timestamps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// The instant as `SystemTime` reports it; times before 1970 become 0.
    pub fn from_system_time(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// Milliseconds from `earlier` to `self`; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Seconds with the fraction, as JSON timestamps carry them.
    pub fn as_secs_f64(self) -> f64 {
        // 2^53 ms is the year 287396: exact for every instant this service meets.
        self.0 as f64 / 1000.0
    }
}

/// Epoch seconds with three decimals, the form of the `AWS_KINESISVIDEO_*_TIMESTAMP` tags:
/// `1511852109.126` (get-media.md §1.3).
impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_seconds_with_three_decimals() {
        assert_eq!(UnixMillis(1_511_852_109_126).to_string(), "1511852109.126");
        assert_eq!(UnixMillis(5_000).to_string(), "5.000");
        assert_eq!(UnixMillis(0).to_string(), "0.000");
    }
}
