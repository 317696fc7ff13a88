//! Conversions between nanoseconds and ticks that do not drift (packaging.md §2.4): absolute
//! times are converted, then subtracted.

/// Clock of video tracks and transport streams: 1 ms is 90 ticks, exactly.
pub const VIDEO_TIMESCALE: u32 = 90_000;

/// Nanoseconds to ticks, to the nearest; saturates.
pub fn ticks_of_ns(ns: i128, timescale: u32) -> i64 {
    let scaled = ns.saturating_mul(i128::from(timescale));
    let rounded = scaled.saturating_add(NS_PER_S / 2).div_euclid(NS_PER_S);
    i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX })
}

/// Ticks to nanoseconds, to the nearest.
pub fn ns_of_ticks(ticks: i64, timescale: u32) -> i128 {
    let scaled = i128::from(ticks) * NS_PER_S;
    let timescale = i128::from(timescale.max(1));
    (scaled + timescale.div_euclid(2)).div_euclid(timescale)
}

const NS_PER_S: i128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_exact() {
        for ms in [0_i64, 1, 21, 33, 86_400_000, -40] {
            let ticks = ticks_of_ns(i128::from(ms) * 1_000_000, VIDEO_TIMESCALE);
            assert_eq!(ticks, ms * 90);
            assert_eq!(ns_of_ticks(ticks, VIDEO_TIMESCALE), i128::from(ms) * 1_000_000);
        }
    }

    #[test]
    fn rounds_to_the_nearest_and_saturates() {
        assert_eq!(ticks_of_ns(5_555, VIDEO_TIMESCALE), 0);
        assert_eq!(ticks_of_ns(5_556, VIDEO_TIMESCALE), 1);
        assert_eq!(ticks_of_ns(-5_556, VIDEO_TIMESCALE), -1);
        assert_eq!(ticks_of_ns(i128::MAX, VIDEO_TIMESCALE), i64::MAX);
        assert_eq!(ticks_of_ns(i128::MIN, VIDEO_TIMESCALE), i64::MIN);
    }
}
