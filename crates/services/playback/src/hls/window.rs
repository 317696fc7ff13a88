//! Which segments a list shows.

use streamkeep_media::UnixMillis;
use streamkeep_packaging::{Axis, Segment, VIDEO_TIMESCALE};

use crate::claims::{Claims, Mode};

/// The segments that a list shows now.
pub(crate) fn listed<'a>(
    claims: &Claims,
    segments: &'a [Segment],
    now: UnixMillis,
) -> &'a [Segment] {
    let shown = match claims.mode {
        Mode::OnDemand => segments,
        Mode::Live => {
            let window = segments.len().saturating_sub(usize::from(claims.window.max(1)));
            &segments[window..]
        }
        Mode::LiveReplay => {
            let until = replay_position(claims, segments, now);
            let shown = segments.partition_point(|segment| segment.end <= until);
            let shown = &segments[..shown];
            &shown[shown.len().saturating_sub(usize::from(claims.window.max(1)))..]
        }
    };
    // Players must be able to begin with the first.
    let skipped = shown.iter().position(|segment| segment.facts.starts_with_key).unwrap_or(0);
    &shown[skipped..]
}

/// How far a replay has come: it begins with three target durations, then time goes by.
fn replay_position(claims: &Claims, segments: &[Segment], now: UnixMillis) -> u64 {
    let start = segments.first().map_or(0, |first| first.start);
    let first_end = segments.first().map_or(0, |first| first.end);
    let head_start = 3 * u64::from(claims.target_duration_s) * u64::from(VIDEO_TIMESCALE);
    let elapsed = now.since(claims.created) * 90;
    (start + head_start + elapsed).max(first_end)
}

pub(super) fn replay_has_ended(
    claims: &Claims,
    segments: &[Segment],
    shown: usize,
    now: UnixMillis,
) -> bool {
    let range_is_over = match claims.axis {
        Axis::Server => claims.to < now,
        // A producer's clock may be late; a minute covers what is in flight.
        Axis::Producer => claims.to.0.saturating_add(60_000) < now.0,
    };
    range_is_over && shown == segments.len()
}

pub(crate) fn wall_time(claims: &Claims, segment: &Segment) -> UnixMillis {
    match claims.axis {
        Axis::Producer => segment.facts.producer_start(),
        Axis::Server => segment.facts.server_timestamp,
    }
}
