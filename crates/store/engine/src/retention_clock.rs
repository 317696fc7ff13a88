//! The clock that deletion goes by: a wrong wall clock must never delete footage.

use std::time::Duration;

use streamkeep_media::UnixMillis;

/// How far the wall clock may run ahead of what is known before deletion stops believing it.
pub(crate) const TOLERANCE_MS: u64 = 60 * 60 * 1000;

/// Wall-clock time for expiry, which never gains more than an hour on the monotonic clock from an
/// instant that is known to be right.
///
/// Such an instant is the start, when the newest stored server timestamp is close to it, or the
/// moment an operator confirmed the clock. When the wall clock is ahead by more, deletion goes on by
/// the monotonic clock, that is, late, until the clock is confirmed or comes back. After a long time
/// without power it is late by that time.
#[derive(Debug)]
pub(crate) struct RetentionClock {
    /// A wall-clock instant believed to be right, and the monotonic time when it was.
    anchor: (UnixMillis, Duration),
}

impl RetentionClock {
    /// `newest` is the newest server timestamp stored; while nothing is stored nothing can be lost.
    pub(crate) fn new(newest: Option<UnixMillis>, wall: UnixMillis, monotonic: Duration) -> Self {
        let believed = match newest {
            Some(newest) if wall.since(newest) > TOLERANCE_MS => newest,
            _ => wall,
        };
        Self { anchor: (believed, monotonic) }
    }

    /// The time to judge expiry by.
    pub(crate) fn now(&self, wall: UnixMillis, monotonic: Duration) -> UnixMillis {
        let (believed, since) = self.anchor;
        let elapsed_ms = monotonic.saturating_sub(since).as_millis();
        let elapsed_ms = u64::try_from(elapsed_ms).unwrap_or(u64::MAX);
        let believed = UnixMillis(believed.0.saturating_add(elapsed_ms));
        // The monotonic clock is slewed along with the wall clock by NTP, so that over years the
        // two part only by steps: corrections at boot, suspended machines, mistakes.
        if wall.since(believed) <= TOLERANCE_MS { wall } else { believed }
    }

    /// Milliseconds by which the wall clock is ahead of what deletion believes.
    pub(crate) fn ahead_ms(&self, wall: UnixMillis, monotonic: Duration) -> u64 {
        wall.since(self.now(wall, monotonic))
    }

    /// The wall clock is right.
    pub(crate) fn confirm(&mut self, wall: UnixMillis, monotonic: Duration) {
        self.anchor = (wall, monotonic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = TOLERANCE_MS;

    fn after(hours: u64) -> Duration {
        Duration::from_millis(hours * HOUR)
    }

    #[test]
    fn follows_a_clock_that_is_right() {
        let start = UnixMillis(100 * HOUR);
        let clock = RetentionClock::new(Some(UnixMillis(start.0 - HOUR)), start, after(0));
        for hour in 0..50 {
            let wall = UnixMillis((100 + hour) * HOUR + 5_000);
            assert_eq!(clock.now(wall, after(hour)), wall);
        }
    }

    #[test]
    fn a_jump_counts_only_the_time_that_passed() {
        let start = UnixMillis(100 * HOUR);
        let mut clock = RetentionClock::new(Some(start), start, after(0));
        let year = 8_760;
        let jumped = UnixMillis((100 + year) * HOUR);
        assert_eq!(clock.now(jumped, after(0)), start);
        let later = UnixMillis((103 + year) * HOUR);
        assert_eq!(clock.now(later, after(3)), UnixMillis(103 * HOUR));
        assert_eq!(clock.ahead_ms(later, after(3)), year * HOUR);
        clock.confirm(later, after(3));
        assert_eq!(clock.now(later, after(3)), later);
    }

    #[test]
    fn small_steps_add_up_to_the_same_hour() {
        let start = UnixMillis(100 * HOUR);
        let clock = RetentionClock::new(Some(start), start, after(0));
        for minutes in [20, 40, 60] {
            let wall = UnixMillis(start.0 + minutes * 60_000);
            assert_eq!(clock.now(wall, after(0)), wall);
        }
        assert_eq!(clock.now(UnixMillis(start.0 + 61 * 60_000), after(0)), start);
    }

    #[test]
    fn a_start_far_past_the_newest_fragment_is_not_believed() {
        let newest = UnixMillis(100 * HOUR);
        let clock = RetentionClock::new(Some(newest), UnixMillis(200 * HOUR), after(7));
        assert_eq!(clock.now(UnixMillis(205 * HOUR), after(12)), UnixMillis(105 * HOUR));
    }

    #[test]
    fn backward_jumps_are_followed_at_once() {
        let start = UnixMillis(100 * HOUR);
        let clock = RetentionClock::new(Some(start), start, after(0));
        assert_eq!(clock.now(UnixMillis(3 * HOUR), after(1)), UnixMillis(3 * HOUR));
        // And the way back is not taken for a jump forward.
        assert_eq!(clock.now(UnixMillis(101 * HOUR), after(1)), UnixMillis(101 * HOUR));
    }

    #[test]
    fn an_empty_store_believes_the_clock() {
        let clock = RetentionClock::new(None, UnixMillis(HOUR), after(0));
        assert_eq!(clock.now(UnixMillis(HOUR), after(0)), UnixMillis(HOUR));
    }
}
