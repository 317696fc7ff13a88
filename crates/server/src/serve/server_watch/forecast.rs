//! When the disk is full: by what comes, and by what retention frees.
//!
//! What comes is taken to go on at the rate of the last day. What is there goes in the hour in which
//! its volume expires, and what is to come is kept as long as what came in the last day:
//!
//! ```text
//! room(t) = room − rate · t + expired(t) + Σ share_i · rate · max(0, t − kept_i)
//! ```
//!
//! Between the hours in which something changes this is a straight line, so the first instant at
//! which it is 0 is found exactly. Left out: streams that are added, retention that is
//! changed, and what other programs write to the disk.

use std::collections::BTreeMap;

use streamkeep_engine::Footage;
use streamkeep_media::UnixMillis;

const HOUR_MS: u64 = 3_600_000;
/// What is not full by then is not called filling: five years.
const HORIZON_HOURS: f64 = 5.0 * 365.0 * 24.0;
/// A volume goes with its last fragment: its first ones stay by so much longer.
const VOLUME_HOURS: f64 = 1.0;

/// Days until `room` bytes are used up at `rate` bytes a second; `None` when they are not.
///
/// Without `footage` nothing is known of retention: then nothing is taken to go.
pub(super) fn until_full(
    room: u64,
    rate: f64,
    footage: Option<&Footage>,
    now: UnixMillis,
) -> Option<f64> {
    if rate <= 0.0 {
        return None;
    }
    let per_hour = rate * 3600.0;
    // At an hour from now: what goes at once, and what goes from then on each hour.
    let mut changes: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    if let Some(footage) = footage {
        for (hour, bytes) in &footage.expiring {
            let tenths =
                tenths(hour.saturating_mul(HOUR_MS).saturating_sub(now.0) as f64 / HOUR_MS as f64);
            changes.entry(tenths).or_default().0 += *bytes as f64;
        }
        let lately: u64 = footage.kept_hours.values().sum();
        for (hours, bytes) in &footage.kept_hours {
            let share = *bytes as f64 / lately.max(1) as f64;
            changes.entry(tenths(*hours as f64 + VOLUME_HOURS)).or_default().1 += share * per_hour;
        }
    }
    let (mut room, mut filling, mut at) = (room as f64, per_hour, 0.0);
    let ends = changes.into_iter().map(|(tenths, change)| (tenths as f64 / 10.0, change));
    for (hours, (gone, goes)) in ends.chain([(HORIZON_HOURS, (0.0, 0.0))]) {
        let hours = hours.min(HORIZON_HOURS);
        // What is a rounding error of a steady state fills nothing.
        if filling > per_hour * 1e-6 && room <= filling * (hours - at) {
            return Some((at + room / filling) / 24.0);
        }
        room += gone - filling * (hours - at);
        filling -= goes;
        at = hours;
    }
    None
}

/// Six minutes are as exact as this can be, and have an order.
fn tenths(hours: f64) -> u64 {
    (hours * 10.0).ceil() as u64
}

/// What retention frees within so many hours of what is there, in bytes.
pub(super) fn freed(footage: &Footage, now: UnixMillis, hours: u64) -> u64 {
    let until = now.0 / HOUR_MS + hours;
    footage.expiring.range(..=until).map(|(_, bytes)| bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1_000_000_000;
    const NOW_HOUR: u64 = 500_000;
    const NOW: UnixMillis = UnixMillis(NOW_HOUR * HOUR_MS);
    /// 1 GB an hour.
    const RATE: f64 = 1e9 / 3600.0;

    /// Footage with so many GB in each of these hours from now, and what came lately kept so long.
    fn footage(gb_per_hour: u64, hours: std::ops::Range<u64>, kept: &[(u64, u64)]) -> Footage {
        let mut footage = Footage::default();
        for hour in hours {
            footage.bytes += gb_per_hour * GB;
            footage.expiring.insert(NOW_HOUR + hour, gb_per_hour * GB);
        }
        footage.kept_hours = kept.iter().copied().collect();
        footage
    }

    #[track_caller]
    fn check(room_gb: u64, rate: f64, footage: Option<&Footage>, hours: Option<f64>) {
        let days = until_full(room_gb * GB, rate, footage, NOW);
        match (days, hours) {
            (None, None) => {}
            (Some(days), Some(hours)) if (days * 24.0 - hours).abs() < 0.2 => {}
            _ => panic!("{:?} hours, not {hours:?}", days.map(|days| days * 24.0)),
        }
    }

    #[test]
    fn nothing_comes() {
        check(100, 0.0, None, None);
        check(0, 0.0, Some(&footage(1, 1..9, &[(24, 1)])), None);
    }

    #[test]
    fn nothing_goes() {
        check(48, RATE, None, Some(48.0));
        check(0, RATE, None, Some(0.0));
        // Kept for a year, and the disk holds two days.
        check(48, RATE, Some(&footage(0, 0..0, &[(8760, 1)])), Some(48.0));
        // Full in six years: that is not soon, and not foretold.
        check(6 * 365 * 24, RATE, None, None);
    }

    #[test]
    fn retention_in_a_steady_state() {
        // A week is kept, a week is there, and each hour as much goes as comes.
        check(10, RATE, Some(&footage(1, 1..169, &[(168, 1)])), None);
        // The same with less room than what comes until the next volume goes.
        let later = footage(1, 4..172, &[(168, 1)]);
        check(2, RATE, Some(&later), Some(2.0));
    }

    #[test]
    fn a_disk_that_empties() {
        // Cameras were taken away: more goes than comes.
        check(3, RATE, Some(&footage(5, 1..169, &[(168, 1)])), None);
    }

    #[test]
    fn a_new_store_fills_until_retention_begins() {
        // A week will be kept, nothing is there: 169 GB are needed, no more.
        check(200, RATE, Some(&footage(0, 0..0, &[(168, 1)])), None);
        check(100, RATE, Some(&footage(0, 0..0, &[(168, 1)])), Some(100.0));
    }

    #[test]
    fn more_comes_than_the_week_before() {
        // Twice the cameras: 1 GB an hour goes for a week, 2 GB come.
        let before = footage(1, 1..169, &[(168, 1)]);
        check(100, 2.0 * RATE, Some(&before), Some(99.5));
        check(400, 2.0 * RATE, Some(&before), None);
    }

    #[test]
    fn streams_of_different_retention() {
        // Half is kept for a day, half for ever so long: half a GB an hour stays.
        let mixed = footage(0, 0..0, &[(23, 1), (80_000, 1)]);
        check(100, RATE, Some(&mixed), Some(176.0));
    }

    #[test]
    fn what_is_freed_is_counted_to_the_hour() {
        let footage = footage(1, 0..200, &[]);
        assert_eq!(freed(&footage, NOW, 24), 25 * GB, "what should be gone by now, too");
        assert_eq!(freed(&footage, NOW, 168), 169 * GB);
        assert_eq!(freed(&Footage::default(), NOW, 24), 0);
    }
}
