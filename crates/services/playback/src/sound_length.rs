//! How long the sound of a segment is.
//!
//! A fragment holds the audio that was sent along with its pictures: it begins and ends elsewhere,
//! with B-frames by a few frames. Players that place segments by what the list says (shaka does)
//! want the length of the track itself (packaging.md §7, "EXTINF imprecise").

use std::ops::Range;

use streamkeep_packaging::VIDEO_TIMESCALE;

use crate::PlaybackError;
use crate::claims::Mode;
use crate::segment::audio_track;
use crate::service::{Service, View};
use crate::timelines::Placed;

/// Lengths of the audio of some neighbouring segments, in ticks of the audio track; at least 1.
pub(crate) async fn sound_lengths(
    service: &Service,
    view: &View,
    placed: &Placed,
    range: Range<usize>,
) -> Result<Vec<u64>, PlaybackError> {
    let mut lengths = Vec::with_capacity(range.len());
    for index in range {
        let length = match placed.timeline.audio_length(index) {
            Some(length) => length,
            None => own_length(service, view, placed, index).await?,
        };
        lengths.push(length.max(1));
    }
    Ok(lengths)
}

/// What only the fragment can tell: of the newest, and of the last before a gap.
async fn own_length(
    service: &Service,
    view: &View,
    placed: &Placed,
    index: usize,
) -> Result<u64, PlaybackError> {
    let timeline = &placed.timeline;
    let Some(segment) = timeline.segments().get(index) else { return Ok(0) };
    let Some(audio) = segment.facts.audio else {
        let ticks = u128::from(segment.duration()) * u128::from(timeline.audio_timescale())
            / u128::from(VIDEO_TIMESCALE);
        return Ok(u64::try_from(ticks).unwrap_or(0));
    };
    // A range may hold thousands of short recordings: the index is exact to a millisecond, and
    // what follows a gap does not depend on it. Live lists are short, and what they say must stay.
    let is_last = index + 1 == timeline.segments().len();
    if view.claims.mode != Mode::Live && !is_last {
        let span = i128::from(audio.span.end_ticks) - i128::from(audio.span.earliest_ticks);
        return Ok(timeline.audio_ticks(span * i128::from(segment.facts.timestamp_scale_ns)));
    }
    let loaded = service.loaded(view, placed, segment).await?;
    let samples =
        loaded.tracks.audio.as_ref().map_or(0, |audio| audio_track(&loaded, audio).duration());
    Ok(timeline.audio_scale().ticks(samples))
}
