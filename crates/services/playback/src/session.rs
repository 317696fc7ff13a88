//! Making a session: which fragments it begins with, whether they can be played, what its token
//! says (playback.md §2 and §3).

use std::sync::Arc;

use streamkeep_codec::VideoCodec;
use streamkeep_engine::{Engine, IndexedRow, RowRange, StoreError};
use streamkeep_media::{StreamId, UnixMillis};
use streamkeep_packaging::{Axis, FragmentFacts, Origin};
use tokio::task::spawn_blocking;

use crate::PlaybackError;
use crate::claims::{Claims, DiscontinuityMode, Mode, PartRule, Protocol};
use crate::facts::facts_of;
use crate::fragments::Loaded;
use crate::parts::depth_of;
use crate::timelines::{all_rows, without_repeats};
use crate::tracks::TrackSet;

/// What a session is asked for with. Checked by the API edge: the range fits the mode.
#[derive(Clone, Debug)]
pub struct SessionRequest {
    /// The stream.
    pub stream: StreamId,
    /// HLS or DASH, and the container.
    pub protocol: Protocol,
    /// Live or by range.
    pub mode: Mode,
    /// Which clock.
    pub axis: Axis,
    /// Discontinuity tags.
    pub discontinuity: DiscontinuityMode,
    /// Wall times of fragments in the list.
    pub display_timestamp: bool,
    /// Numbers of fragments in the list.
    pub display_number: bool,
    /// Start of the range; live sessions have none.
    pub from: Option<UnixMillis>,
    /// End of the range.
    pub to: Option<UnixMillis>,
    /// How long the session lasts, in seconds.
    pub expires_s: u32,
    /// Fragments in a list, 1..=5000; 0 for all of a range, beyond the published interface.
    pub window: u16,
}

/// Fragments of which LIVE asks that one is no older (playback.md §2, "Errors").
const LIVE_MS: u64 = 30_000;
/// Fragments that rate and length are taken from.
const SAMPLE_ROWS: usize = 30;

/// The first fragments of a session, and the newest of them.
pub(crate) fn first_rows(
    engine: &Engine,
    request: &SessionRequest,
    now: UnixMillis,
) -> Result<Vec<IndexedRow>, PlaybackError> {
    let rows = match request.mode {
        Mode::Live => newest_rows(engine, request.stream, now, request.window)?,
        Mode::LiveReplay | Mode::OnDemand => {
            let from = request.from.unwrap_or(UnixMillis(0));
            let to = request.to.unwrap_or(UnixMillis(u64::MAX));
            let range = match request.axis {
                Axis::Producer => RowRange::Producer(from..=to),
                Axis::Server => RowRange::Server(from..=to),
            };
            let limit = usize::from(request.window).max(SAMPLE_ROWS);
            let rows = all_rows(engine, request.stream, range, None, limit)?;
            if request.axis == Axis::Producer { without_repeats(rows) } else { rows }
        }
    };
    if rows.is_empty() {
        return Err(PlaybackError::NotFound(match request.mode {
            Mode::Live => "no fragment has arrived within the last 30 seconds",
            _ => "there are no fragments in the range",
        }));
    }
    Ok(rows)
}

/// The newest fragments in order of arrival, if one of them is recent.
fn newest_rows(
    engine: &Engine,
    stream: StreamId,
    now: UnixMillis,
    window: u16,
) -> Result<Vec<IndexedRow>, StoreError> {
    let Some(newest) = engine.last_row(stream)? else { return Ok(Vec::new()) };
    let age = now.since(UnixMillis(newest.server_timestamp.0 + u64::from(newest.duration_ms)));
    if age > LIVE_MS {
        return Ok(Vec::new());
    }
    let wanted = usize::from(window.max(1)).max(SAMPLE_ROWS);
    let newest_ms = newest.server_timestamp.0;
    let mut span = u64::from(newest.duration_ms.max(1_000)) * (wanted as u64 + 4);
    loop {
        let from = UnixMillis(newest_ms.saturating_sub(span));
        let range = RowRange::Server(from..=UnixMillis(u64::MAX));
        let mut rows = all_rows(engine, stream, range, None, usize::MAX)?;
        if rows.len() >= wanted || span > LOOK_BACK_MS || from.0 == 0 {
            rows.sort_by_key(|row| row.counters.ordinal);
            let first = rows.len().saturating_sub(usize::from(window.max(1)));
            return Ok(rows.split_off(first));
        }
        span *= 4;
    }
}

/// A list of live fragments does not reach back further than this over gaps.
const LOOK_BACK_MS: u64 = 24 * 3600 * 1000;

/// Reads the rows on a thread for blocking work.
pub(crate) async fn find_first_rows(
    engine: &Engine,
    request: &SessionRequest,
    now: UnixMillis,
) -> Result<Vec<IndexedRow>, PlaybackError> {
    let (engine, request) = (engine.clone(), request.clone());
    spawn_blocking(move || first_rows(&engine, &request, now))
        .await
        .map_err(|_| PlaybackError::Stopping)?
}

/// The claims of a session that begins with `rows`, of which `sample` was read.
pub(crate) fn claims(
    request: &SessionRequest,
    rows: &[IndexedRow],
    sample: &Arc<Loaded>,
    now: UnixMillis,
) -> Result<Claims, PlaybackError> {
    check_media(request.protocol, &sample.tracks)?;
    let facts: Vec<FragmentFacts> = rows.iter().map(|row| facts_of(row)).collect();
    let first = facts.first().ok_or(PlaybackError::NotFound("there are no fragments"))?;
    let zero_ms = match request.axis {
        Axis::Producer => first.producer_start().0,
        Axis::Server => first.server_timestamp.0,
    };
    let (from, to) = match request.mode {
        // What was there when the session began, not what is older.
        Mode::Live => (first.server_timestamp, UnixMillis(u64::MAX)),
        _ => (request.from.unwrap_or_default(), request.to.unwrap_or(UnixMillis(u64::MAX))),
    };
    let longest_ms = facts.iter().rev().take(match request.mode {
        Mode::OnDemand => usize::MAX,
        _ => SAMPLE_ROWS,
    });
    let longest_ms = longest_ms.map(|facts| facts.duration_ns() / 1_000_000).max().unwrap_or(0);
    let rounded = (longest_ms + 500) / 1000;
    let target_duration_s = match request.mode {
        Mode::OnDemand => rounded.max(1),
        // The future is unknown, and the value may not change (packaging.md §5.2 rule 1).
        _ => rounded.max(2) + 1,
    };
    let is_encoded = sample.tracks.audio.as_ref().is_some_and(|audio| audio.encoder.is_some());
    let parts = (request.protocol == Protocol::HlsMp4 && request.mode == Mode::Live && !is_encoded)
        .then(|| part_rule(sample))
        .flatten();
    Ok(Claims {
        stream: request.stream,
        protocol: request.protocol,
        mode: request.mode,
        axis: request.axis,
        discontinuity: request.discontinuity,
        display_timestamp: request.display_timestamp,
        display_number: request.display_number,
        from,
        to,
        created: now,
        expires: UnixMillis(now.0 + u64::from(request.expires_s) * 1000),
        window: request.window,
        target_duration_s: u16::try_from(target_duration_s).unwrap_or(u16::MAX),
        origin: Origin {
            ordinal: first.ordinal,
            discontinuities: first.discontinuities,
            description: first.description,
            zero_ms,
        },
        parts,
    })
}

/// What the protocol can carry (playback.md §1; packaging.md §4 for transport streams).
fn check_media(protocol: Protocol, tracks: &TrackSet) -> Result<(), PlaybackError> {
    if protocol != Protocol::HlsTs {
        return Ok(());
    }
    if tracks.video.as_ref().is_some_and(|video| video.description.codec != VideoCodec::H264) {
        return Err(PlaybackError::UnsupportedMedia(
            "MPEG_TS takes H.264; use FRAGMENTED_MP4 for H.265".to_owned(),
        ));
    }
    if tracks.audio.as_ref().is_some_and(|audio| audio.is_opus()) && tracks.video.is_none() {
        return Err(PlaybackError::UnsupportedMedia(
            "MPEG_TS takes AAC; use FRAGMENTED_MP4 for other sound".to_owned(),
        ));
    }
    Ok(())
}

/// How parts are cut, from what the last fragment was like (packaging.md §5.3).
fn part_rule(sample: &Loaded) -> Option<PartRule> {
    let facts = facts_of(&sample.row);
    if facts.lead_frames == 0 {
        return None;
    }
    let frame_ns = facts.duration_ns() / u64::from(facts.lead_frames);
    if frame_ns == 0 || frame_ns > SLOWEST_FRAME_NS {
        return None;
    }
    let frames = frames_of_part(u64::from(facts.lead_frames), frame_ns);
    // No part may be longer than the target or shorter than 85 % of it (bis §4.4.4.9). Pictures come as
    // they come: this leaves 5 % below and 11 % above. Sound is cut at its own frames.
    let length_ns = frames * frame_ns;
    let target_ns = (length_ns * 100 / 90).max(length_ns + audio_frame_ns(sample));
    let reorder = reorder_depth(sample);
    Some(PartRule {
        frames: u16::try_from(frames).ok()?,
        target_ms: u16::try_from(target_ns / 1_000_000).ok()?,
        reorder,
    })
}

/// How long a frame of the second track was in a fragment; 0 where there is none.
fn audio_frame_ns(sample: &Loaded) -> u64 {
    let Some(audio) = sample.tracks.audio.as_ref().filter(|_| sample.tracks.video.is_some()) else {
        return 0;
    };
    let own: Vec<_> =
        sample.frames.iter().filter(|frame| frame.track_index == audio.index).collect();
    let [first, .., last] = own[..] else { return 0 };
    let ticks = u64::try_from(last.pts_ticks - first.pts_ticks).unwrap_or(0);
    ticks * sample.row.timestamp_scale_ns / (own.len() as u64 - 1)
}

/// By how many places frames were out of order in a fragment.
fn reorder_depth(sample: &Loaded) -> u8 {
    let Some(video) = &sample.tracks.video else { return 0 };
    let own = sample.frames.iter().filter(|frame| frame.track_index == video.index);
    depth_of(own.map(|frame| frame.pts_ticks).collect())
}

/// Frames of a part, in fragments of so many: the fewest that make parts of a fifth of a second or more, the
/// last one too.
///
/// A short part at the end comes right after the one before it, and hls.js (1.7.4) that is just done with
/// that one may then never ask for it: what lacks 0.2 s or less at its end is whole to it
/// (`FragmentTracker.bufferPadding`). It stands still until the fragment's parts leave the list, 9 s.
fn frames_of_part(fragment: u64, frame_ns: u64) -> u64 {
    let fits = |frames: &u64| {
        let last = match fragment % frames {
            0 => *frames,
            rest => rest,
        };
        last * frame_ns >= PART_NS_MIN
    };
    let fewest = PART_NS_MIN.div_ceil(frame_ns).max(1);
    let most = (PART_NS_MAX / frame_ns).max(fewest);
    (fewest..=most).find(fits).unwrap_or_else(|| (PART_NS / frame_ns).max(1))
}

/// A part is as long as this, about, where no other length fits.
const PART_NS: u64 = 250_000_000;
/// A part is not shorter, where the fragments allow it: 200 ms, of frames whose length is rounded down.
const PART_NS_MIN: u64 = 199_999_000;
/// Nor longer: three of them are how far a player stays behind.
const PART_NS_MAX: u64 = 300_000_000;
/// Below two frames a second parts make no sense.
const SLOWEST_FRAME_NS: u64 = 500_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_divide_a_fragment_without_a_short_one_at_its_end() {
        for (fragment, rate, frames) in [
            (50, 25, 5),
            (25, 25, 5),
            (60, 30, 6),
            (30, 15, 3),
            (40, 20, 4),
            (48, 24, 6),
            (24, 12, 3),
            (16, 8, 2),
            (10, 5, 1),
            (2, 1, 1),
            // The rest is long enough, or the frames of another number of parts divide it.
            (49, 25, 7),
            (11, 25, 6),
            // None fits: a quarter of a second.
            (47, 25, 6),
            (1, 25, 6),
        ] {
            assert_eq!(
                frames_of_part(fragment, 1_000_000_000 / rate),
                frames,
                "{fragment} at {rate}"
            );
        }
    }
}
