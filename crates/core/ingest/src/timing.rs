//! When a fragment starts and ends on the media timeline (packaging.md §2).

use streamkeep_media::{FrameEntry, SessionHeader, TrackTiming};

/// Presentation times of one track of one fragment, decided once and stored.
///
/// `frames` holds the fragment's frames in stream order. `next_start_ticks` is where the next
/// fragment of the session begins, relative to this fragment's timecode, when it is known.
pub(crate) fn track_timing(
    frames: &[FrameEntry],
    track_index: usize,
    header: &SessionHeader,
    next_start_ticks: Option<i64>,
) -> TrackTiming {
    let mut own = frames.iter().filter(|frame| usize::from(frame.track_index) == track_index);
    let Some(first) = own.clone().next() else {
        return TrackTiming::default();
    };
    let mut times: Vec<i32> = own.clone().map(|frame| frame.pts_ticks).collect();
    times.sort_unstable();
    let (earliest, latest) = (times[0], times[times.len() - 1]);
    let last_shown = own.clone().find(|frame| frame.pts_ticks == latest).unwrap_or(first);
    let distance = last_shown
        .duration_ticks
        .map(i64::from)
        .or_else(|| default_duration_ticks(header, track_index))
        .or_else(|| median_distance(&times))
        .or_else(|| lone_frame_distance(next_start_ticks, latest))
        .unwrap_or(0);
    let expected = i64::from(latest) + distance;
    let end = match next_start_ticks {
        // The next fragment begins where this one is expected to end, up to rounding and jitter:
        // its start is the truth. With an open GOP its first block is later than its earliest
        // frame; then the expectation is the better figure (packaging.md §2.1). Only the track
        // that opens the cluster can be compared with the cluster's time.
        Some(next) if first.pts_ticks == 0 && (next - expected).abs() <= (distance / 2).max(1) => {
            next.max(i64::from(latest))
        }
        _ => expected,
    };
    TrackTiming {
        frame_count: u32::try_from(times.len()).unwrap_or(u32::MAX),
        bytes: own.by_ref().map(|frame| frame.len).fold(0, u32::saturating_add),
        first_ticks: first.pts_ticks,
        earliest_ticks: earliest,
        end_ticks: i32::try_from(end).unwrap_or(i32::MAX),
        sample_position: 0,
    }
}

/// Ticks to nanoseconds; saturates, because ticks come from the wire.
pub(crate) fn ticks_to_ns(ticks: i128, timestamp_scale_ns: u64) -> i128 {
    ticks.saturating_mul(i128::from(timestamp_scale_ns))
}

fn default_duration_ticks(header: &SessionHeader, track_index: usize) -> Option<i64> {
    let duration_ns = header.tracks.get(track_index)?.default_duration_ns?;
    let scale = header.timestamp_scale_ns.max(1);
    i64::try_from(duration_ns.saturating_add(scale / 2) / scale).ok().filter(|ticks| *ticks > 0)
}

fn median_distance(sorted: &[i32]) -> Option<i64> {
    let mut distances: Vec<i64> =
        sorted.windows(2).map(|pair| i64::from(pair[1]) - i64::from(pair[0])).collect();
    if distances.is_empty() {
        return None;
    }
    let middle = distances.len() / 2;
    Some(*distances.select_nth_unstable(middle).1)
}

/// One frame in the fragment and no duration anywhere: it lasts until the next fragment, if that
/// comes within the 20 s a fragment may last at the default scale.
fn lone_frame_distance(next_start_ticks: Option<i64>, latest: i32) -> Option<i64> {
    next_start_ticks
        .map(|next| next - i64::from(latest))
        .filter(|distance| (1..=20_000).contains(distance))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use streamkeep_media::{FrameFlags, Track, TrackKind};

    use super::*;

    fn header(default_duration_ns: Option<u64>) -> SessionHeader {
        SessionHeader {
            bytes: Bytes::new(),
            timestamp_scale_ns: 1_000_000,
            tracks: vec![Track {
                number: 1,
                uid: 0,
                kind: TrackKind::Video,
                codec_id: String::new(),
                codec_private: Bytes::new(),
                name: String::new(),
                default_duration_ns,
                video: None,
                audio: None,
            }],
        }
    }

    fn frames(times: &[i32]) -> Vec<FrameEntry> {
        let frame = |&pts_ticks| FrameEntry {
            track_index: 0,
            flags: FrameFlags::default(),
            pts_ticks,
            duration_ticks: None,
            offset: 0,
            len: 10,
        };
        times.iter().map(frame).collect()
    }

    #[track_caller]
    fn check(times: &[i32], next: Option<i64>, expected: (i32, i32, i32)) {
        let timing = track_timing(&frames(times), 0, &header(None), next);
        assert_eq!((timing.first_ticks, timing.earliest_ticks, timing.end_ticks), expected);
    }

    #[test]
    fn the_next_fragment_decides_the_end_when_it_fits() {
        check(&[0, 40, 80], Some(120), (0, 0, 120));
        // Millisecond rounding of 30 fps: 33, 67, then 100 or 101.
        check(&[0, 33, 67], Some(100), (0, 0, 100));
        check(&[0, 33, 67], Some(101), (0, 0, 101));
    }

    #[test]
    fn a_gap_or_an_unknown_next_ends_one_frame_after_the_last() {
        check(&[0, 40, 80], None, (0, 0, 120));
        check(&[0, 40, 80], Some(5_000), (0, 0, 120));
        check(&[0, 40, 80], Some(81), (0, 0, 120));
    }

    #[test]
    fn open_gop_as_measured_in_packaging_md() {
        // First block at 0, leading pictures presented at -80 and -40; the fragment before ends
        // at -80, not at its successor's first block.
        check(&[0, -80, -40, 40, 80], Some(200), (0, -80, 120));
    }

    #[test]
    fn durations_given_by_the_producer_win() {
        let timing = track_timing(&frames(&[0]), 0, &header(Some(40_000_000)), None);
        assert_eq!(timing.end_ticks, 40);
        let mut given = frames(&[0, 40]);
        given[1].duration_ticks = Some(70);
        assert_eq!(track_timing(&given, 0, &header(Some(40_000_000)), None).end_ticks, 110);
    }

    #[test]
    fn a_lone_frame_lasts_until_the_next_fragment() {
        check(&[0], Some(1_000), (0, 0, 1_000));
        check(&[0], Some(60_000), (0, 0, 0));
        check(&[0], None, (0, 0, 0));
    }
}
