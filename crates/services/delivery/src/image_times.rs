//! Which instants of a fragment get an image.

use streamkeep_media::UnixMillis;

/// The instants at which images of a fragment are made: from its start in steps of
/// `sampling_interval_ms`, before its end. A fragment shorter than the interval gets one, at its
/// start (ImageGenerationConfiguration, `SamplingInterval`).
///
/// `previous` is the instant of the stream's last image where images go on from fragment to
/// fragment: the first instant is then one interval after it, and a short fragment may get none.
/// A `previous` past the fragment's end, from a clock that was put back, counts as none.
///
/// All on one clock, that of the selector. At most [`IMAGES_PER_FRAGMENT_MAX`]; an interval below
/// [`SAMPLING_INTERVAL_MIN_MS`] counts as that.
pub fn image_times(
    start: UnixMillis,
    duration_ms: u32,
    sampling_interval_ms: u64,
    previous: Option<UnixMillis>,
) -> Vec<UnixMillis> {
    let interval_ms = sampling_interval_ms.max(SAMPLING_INTERVAL_MIN_MS);
    // A fragment without duration, one still picture, has its start.
    let end = start.0.saturating_add(u64::from(duration_ms.max(1)));
    let first = match previous {
        Some(previous) if previous.0 <= end => start.0.max(previous.0.saturating_add(interval_ms)),
        _ => start.0,
    };
    std::iter::successors(Some(first), |instant| instant.checked_add(interval_ms))
        .take_while(|instant| *instant < end)
        .take(IMAGES_PER_FRAGMENT_MAX)
        .map(UnixMillis)
        .collect()
}

/// control-plane.md §5.
pub const SAMPLING_INTERVAL_MIN_MS: u64 = 200;

/// 20 s, the longest fragment, in steps of the shortest interval.
pub const IMAGES_PER_FRAGMENT_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        start: u64,
        duration_ms: u32,
        interval_ms: u64,
        previous: Option<u64>,
        expected: &[u64],
    ) {
        let times =
            image_times(UnixMillis(start), duration_ms, interval_ms, previous.map(UnixMillis));
        assert_eq!(times.iter().map(|time| time.0).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn within_one_fragment() {
        check(1000, 2000, 1000, None, &[1000, 2000]);
        check(1000, 2001, 1000, None, &[1000, 2000, 3000]);
        check(1000, 500, 3000, None, &[1000]);
        check(1000, 0, 3000, None, &[1000]);
        check(0, 600, 0, None, &[0, 200, 400]);
        assert_eq!(image_times(UnixMillis(0), u32::MAX, 1, None).len(), IMAGES_PER_FRAGMENT_MAX);
        check(u64::MAX - 1, 5000, 1000, None, &[u64::MAX - 1]);
    }

    #[test]
    fn from_fragment_to_fragment() {
        check(1000, 2000, 5000, Some(0), &[]);
        check(4000, 2000, 5000, Some(0), &[5000]);
        check(9000, 2000, 1500, Some(5000), &[9000, 10_500]);
        // Fragments overlap by the jitter of arrival.
        check(1000, 2000, 1000, Some(2500), &[]);
        check(1000, 2000, 400, Some(2500), &[2900]);
        // The clock was put back by an hour.
        check(1000, 2000, 1000, Some(3_600_000), &[1000, 2000]);
    }

    #[test]
    fn the_rhythm_is_kept_over_any_cut() {
        for cut in [100, 700, 2000, 10_000] {
            let (mut previous, mut all) = (None, Vec::new());
            for start in (0..60_000).step_by(cut as usize) {
                let times = image_times(UnixMillis(start), cut, 3000, previous);
                previous = times.last().copied().or(previous);
                all.extend(times.iter().map(|time| time.0));
            }
            all.retain(|time| *time < 60_000); // the last fragment may be longer
            assert_eq!(all, (0..60_000).step_by(3000).collect::<Vec<_>>(), "{cut}");
        }
    }
}
