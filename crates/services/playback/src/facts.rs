//! From a row of the index to what the timeline wants.

use streamkeep_media::TrackKind;
use streamkeep_packaging::{AudioSpan, FragmentFacts, Span};
use streamkeep_volume::{FragmentRow, TrackRow};

/// The facts of a stored fragment.
pub(crate) fn facts_of(row: &FragmentRow) -> FragmentFacts {
    let first = |kind| row.tracks.iter().find(|track| track.kind == kind && track.frame_count > 0);
    let audio = first(TrackKind::Audio);
    let lead = first(TrackKind::Video).or(audio).or_else(|| row.tracks.first());
    FragmentFacts {
        number: row.number,
        ordinal: row.counters.ordinal,
        discontinuities: row.counters.discontinuities,
        description: row.counters.description_version,
        continues_previous: row.continues_previous,
        starts_with_key: row.starts_with_key,
        producer_timestamp: row.producer_timestamp,
        server_timestamp: row.server_timestamp,
        timecode: row.timecode,
        timestamp_scale_ns: row.timestamp_scale_ns,
        lead: lead.map_or(Span::default(), span),
        audio: audio
            .map(|track| AudioSpan { span: span(track), sample_position: track.sample_position }),
        lead_bytes: lead.map_or(0, |track| track.bytes),
        audio_bytes: audio.map_or(0, |track| track.bytes),
        lead_frames: lead.map_or(0, |track| track.frame_count),
    }
}

fn span(track: &TrackRow) -> Span {
    Span {
        first_ticks: track.first_ticks,
        earliest_ticks: track.earliest_ticks,
        end_ticks: track.end_ticks,
    }
}
