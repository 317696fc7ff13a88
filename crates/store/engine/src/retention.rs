//! Who keeps what for how long.

use streamkeep_media::{FragmentNumber, StreamId, UnixMillis};

/// What the engine must know of a stream to store and show its fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamConfig {
    /// The stream.
    pub id: StreamId,
    /// Hours that fragments are kept; with 0 nothing of the stream is stored any more.
    pub retention_hours: u32,
    /// Nothing with an older server timestamp is visible.
    pub visible_from: UnixMillis,
}

impl StreamConfig {
    /// The oldest server timestamp that is visible at `now`.
    pub(crate) fn floor(&self, now: UnixMillis) -> UnixMillis {
        UnixMillis(now.0.saturating_sub(self.retention_ms())).max(self.visible_from)
    }

    /// The smallest number that is visible at `now`.
    pub(crate) fn number_floor(&self, now: UnixMillis) -> FragmentNumber {
        FragmentNumber::first_at(self.floor(now))
    }

    /// When a fragment with this server timestamp is no longer kept.
    pub(crate) fn expiry(&self, server_timestamp: UnixMillis) -> UnixMillis {
        if server_timestamp < self.visible_from {
            return UnixMillis(0);
        }
        UnixMillis(server_timestamp.0.saturating_add(self.retention_ms()))
    }

    fn retention_ms(&self) -> u64 {
        u64::from(self.retention_hours) * 3_600_000
    }

    /// Streams of one class share volumes, so that whole volumes expire together: up to 1, 7, 31, 92
    /// and 400 days, and longer.
    pub(crate) fn retention_class(&self) -> u32 {
        let days = [1, 7, 31, 92, 400];
        days.iter().take_while(|days| self.retention_hours > *days * 24).count() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    fn stream(retention_hours: u32, visible_from: u64) -> StreamConfig {
        StreamConfig {
            id: StreamId([1; 16]),
            retention_hours,
            visible_from: UnixMillis(visible_from),
        }
    }

    #[test]
    fn floor_and_expiry_agree() {
        for config in [stream(2, 0), stream(2, 9 * HOUR), stream(u32::MAX, 0)] {
            let now = UnixMillis(10 * HOUR);
            for server in (0..=20).map(|half| UnixMillis(half * HOUR / 2)) {
                let is_visible = server >= config.floor(now);
                assert_eq!(is_visible, config.expiry(server) >= now, "{config:?} {server:?}");
                assert_eq!(
                    is_visible,
                    FragmentNumber::new(server, 1, 0) >= config.number_floor(now)
                );
            }
        }
    }

    #[test]
    fn classes() {
        for (hours, class) in [
            (1, 0),
            (24, 0),
            (25, 1),
            (168, 1),
            (169, 2),
            (744, 2),
            (2208, 3),
            (9600, 4),
            (9601, 5),
        ] {
            assert_eq!(stream(hours, 0).retention_class(), class, "{hours}");
        }
    }
}
