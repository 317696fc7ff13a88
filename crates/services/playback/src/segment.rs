//! Media segments and parts in fragmented MP4: one track of one fragment.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use streamkeep_fmp4::{Sample, SegmentKind, write_media_segment_head};
use streamkeep_media::FrameEntry;
use streamkeep_packaging::{
    TrackSamples, VIDEO_TIMESCALE, audio_samples, ns_of_ticks, ticks_of_ns, video_samples,
};
use streamkeep_sound::{FragmentSound, PACKET_SAMPLES_48K};
use streamkeep_volume::TrackRow;

use crate::PlaybackError;
use crate::claims::PartRule;
use crate::fragments::Loaded;
use crate::tracks::{AudioTrack, TrackRole};

/// Which bytes of a fragment are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SegmentWish {
    pub(crate) role: TrackRole,
    /// Where the track starts on the session's timeline, in its ticks.
    pub(crate) at: u64,
    /// Low 32 bits of the media sequence number.
    pub(crate) sequence: u32,
    /// A player starts here: pictures that refer to what came before are left out.
    pub(crate) is_join: bool,
    /// The key frame alone, shown for the whole length.
    pub(crate) key_frame_only: bool,
}

/// A whole segment.
pub(crate) fn media_segment(
    loaded: &Loaded,
    previous: Option<&Arc<Loaded>>,
    wish: &SegmentWish,
) -> Result<Bytes, PlaybackError> {
    match wish.role {
        TrackRole::Video => {
            let mut track = video_track(loaded, wish.is_join)?;
            if wish.key_frame_only {
                track = key_frame_alone(&track)?;
            }
            write(loaded, wish, SegmentKind::Segment, wish.at, &track.samples, &track.ranges)
        }
        TrackRole::Audio => {
            let audio = audio_of(loaded)?;
            match audio.encoder.is_some() {
                true => encoded_segment(loaded, previous, audio, wish),
                false => {
                    let track = audio_track(loaded, audio);
                    write(
                        loaded,
                        wish,
                        SegmentKind::Segment,
                        wish.at,
                        &track.samples,
                        &track.ranges,
                    )
                }
            }
        }
    }
}

/// The samples of the video track.
pub(crate) fn video_track(loaded: &Loaded, is_join: bool) -> Result<TrackSamples, PlaybackError> {
    let video =
        loaded.tracks.video.as_ref().ok_or(PlaybackError::NotFound("the fragment has no video"))?;
    let description = &video.description;
    // Only an open GOP of H.265 has frames that no decoder shows after a join.
    let mut seen_key = false;
    let keep = |frame: &FrameEntry| {
        seen_key |= frame.flags.key;
        !(is_join && seen_key && description.is_rasl(loaded.frame_bytes(frame)))
    };
    Ok(video_samples(
        &loaded.frames,
        video.index,
        loaded.row.timestamp_scale_ns,
        row_of(loaded, video.index).map_or(0, |track| track.end_ticks),
        keep,
    ))
}

/// The samples of an audio track that is handed out as it was sent.
pub(crate) fn audio_track(loaded: &Loaded, audio: &AudioTrack) -> TrackSamples {
    let format = &audio.description.format;
    audio_samples(
        &loaded.frames,
        audio.index,
        loaded.row.timestamp_scale_ns,
        audio.description.sampling_rate,
        |frame| {
            let bytes = loaded.frame_bytes(frame);
            format.samples(bytes, frame.len as usize).unwrap_or(0)
        },
    )
}

pub(crate) fn audio_of(loaded: &Loaded) -> Result<&AudioTrack, PlaybackError> {
    loaded.tracks.audio.as_ref().ok_or(PlaybackError::NotFound("the fragment has no sound"))
}

pub(crate) fn row_of(loaded: &Loaded, index: u8) -> Option<&TrackRow> {
    loaded.row.tracks.get(usize::from(index))
}

/// The first sync sample, as long as the whole.
fn key_frame_alone(track: &TrackSamples) -> Result<TrackSamples, PlaybackError> {
    let first = track.samples.first().filter(|sample| sample.is_sync);
    let first = first.ok_or(PlaybackError::NotFound("the fragment starts with no key frame"))?;
    let start = track.ranges.first().map_or(0, |range| range.start);
    let duration = u32::try_from(track.duration()).unwrap_or(u32::MAX);
    let mut alone = TrackSamples { shift: track.shift, ..TrackSamples::default() };
    alone.samples.push(Sample { duration, composition_offset: 0, ..*first });
    alone.ranges.push(start..start + first.size);
    Ok(alone)
}

/// Head and payload in one piece: one copy, and what is cached needs nothing more.
fn write(
    loaded: &Loaded,
    wish: &SegmentWish,
    kind: SegmentKind,
    at: u64,
    samples: &[Sample],
    ranges: &[Range<u32>],
) -> Result<Bytes, PlaybackError> {
    if samples.is_empty() {
        return Err(PlaybackError::NotFound("the fragment has no frame of this track"));
    }
    let payload: usize = ranges.iter().map(|range| (range.end - range.start) as usize).sum();
    let mut out = Vec::with_capacity(payload + 256 + samples.len() * 16);
    write_media_segment_head(&mut out, kind, wish.sequence, at, samples)
        .map_err(|error| PlaybackError::InvalidFrame(error.to_string()))?;
    for range in ranges {
        let bytes = loaded.media.get(range.start as usize..range.end as usize);
        out.extend_from_slice(bytes.unwrap_or_default());
    }
    Ok(out.into())
}

/// Sound encoded to Opus.
fn encoded_segment(
    loaded: &Loaded,
    previous: Option<&Arc<Loaded>>,
    audio: &AudioTrack,
    wish: &SegmentWish,
) -> Result<Bytes, PlaybackError> {
    let Some(encoder) = &audio.encoder else {
        return Err(PlaybackError::NotFound("the sound is not encoded"));
    };
    let position = row_of(loaded, audio.index).map_or(0, |track| track.sample_position);
    let payloads = frames_of(loaded, audio.index);
    let tail = match previous {
        Some(previous) if Arc::ptr_eq(&previous.tracks, &loaded.tracks) => {
            frames_of(previous, audio.index)
        }
        _ => Vec::new(),
    };
    let sound = FragmentSound { position, payloads: &payloads, tail: &tail };
    let packets =
        encoder.encode(&sound).map_err(|error| PlaybackError::InvalidFrame(error.to_string()))?;
    let Some(first) = packets.first() else {
        return Err(PlaybackError::NotFound("the fragment's sound is too short"));
    };
    // `at` is where the fragment's first sample lies; its first packet begins up to 25.5 ms before.
    let natural = position * 48_000 / u64::from(audio.description.sampling_rate.max(1));
    let at = (wish.at + first.start_48k).saturating_sub(natural);
    let samples: Vec<Sample> = packets
        .iter()
        .map(|packet| Sample {
            size: u32::try_from(packet.data.len()).unwrap_or(u32::MAX),
            duration: PACKET_SAMPLES_48K as u32,
            composition_offset: 0,
            is_sync: true,
        })
        .collect();
    let payload: usize = packets.iter().map(|packet| packet.data.len()).sum();
    let mut out = Vec::with_capacity(payload + 256 + samples.len() * 16);
    write_media_segment_head(&mut out, SegmentKind::Segment, wish.sequence, at, &samples)
        .map_err(|error| PlaybackError::InvalidFrame(error.to_string()))?;
    packets.iter().for_each(|packet| out.extend_from_slice(&packet.data));
    Ok(out.into())
}

fn frames_of(loaded: &Loaded, index: u8) -> Vec<&[u8]> {
    let own = loaded.frames.iter().filter(|frame| frame.track_index == index);
    own.map(|frame| loaded.frame_bytes(frame)).collect()
}

/// A part: some samples of a track, and how long it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartSpan {
    /// Of the track's samples.
    pub(crate) samples: Range<usize>,
    /// Decode time of its first sample after the track's start, in ticks.
    pub(crate) offset: u64,
    /// In ticks.
    pub(crate) duration: u64,
    /// Begins with a sync sample.
    pub(crate) is_independent: bool,
}

/// Cuts a track into parts: `rule.frames` frames of the lead track each, and of the other track
/// what is presented meanwhile. `is_complete` is false while the fragment is still arriving; then
/// only parts that nothing can change any more are given.
pub(crate) fn cut_parts(
    lead: &TrackSamples,
    other: Option<(&TrackSamples, u32)>,
    rule: PartRule,
    is_complete: bool,
) -> Vec<PartSpan> {
    let frames = usize::from(rule.frames.max(1));
    let mut spans = Vec::new();
    let (mut start, mut offset) = (0, 0_u64);
    while start < lead.samples.len() {
        let end = (start + frames).min(lead.samples.len());
        // The duration of a frame is known when the one decoded after it is, and that is final
        // when no frame can come that belongs before.
        let is_final = is_complete || end + usize::from(rule.reorder) < lead.samples.len();
        if !is_final || (end - start < frames && !is_complete) {
            break;
        }
        let duration = durations(&lead.samples[start..end]);
        spans.push(PartSpan {
            samples: start..end,
            offset,
            duration,
            is_independent: lead.samples[start].is_sync,
        });
        offset += duration;
        start = end;
    }
    match other {
        None => spans,
        Some((track, timescale)) => cut_along(&spans, track, timescale, is_complete),
    }
}

/// Parts of the second track: the samples that begin within each part of the lead track, counted
/// from its own start. It may begin earlier than the lead track, but its first part must not be
/// longer for that.
fn cut_along(
    lead: &[PartSpan],
    track: &TrackSamples,
    timescale: u32,
    is_complete: bool,
) -> Vec<PartSpan> {
    let mut spans = Vec::new();
    let (mut next, mut offset) = (0, 0_u64);
    for (index, part) in lead.iter().enumerate() {
        let end_90k = i64::try_from(part.offset + part.duration).unwrap_or(i64::MAX);
        let end = ticks_of_ns(ns_of_ticks(end_90k, VIDEO_TIMESCALE), timescale);
        let is_last = is_complete && index + 1 == lead.len();
        let first = next;
        let mut duration = 0;
        while let Some(sample) = track.samples.get(next) {
            let begins = i64::try_from(offset + duration).unwrap_or(i64::MAX);
            if begins >= end && !is_last {
                break;
            }
            duration += u64::from(sample.duration);
            next += 1;
        }
        // A sample that begins later must have come: only then is this one whole.
        if next == track.samples.len() && !is_complete {
            break;
        }
        spans.push(PartSpan { samples: first..next, offset, duration, is_independent: true });
        offset += duration;
    }
    spans
}

fn durations(samples: &[Sample]) -> u64 {
    samples.iter().map(|sample| u64::from(sample.duration)).sum()
}

/// The bytes of a part. `media` holds the fragment so far.
pub(crate) fn part_bytes(
    media: impl Fn(Range<u32>) -> Option<Bytes>,
    track: &TrackSamples,
    frames: &[Range<u32>],
    span: &PartSpan,
    at: u64,
    sequence: u32,
) -> Result<Bytes, PlaybackError> {
    let samples = track.samples.get(span.samples.clone()).unwrap_or_default();
    if samples.is_empty() {
        return Err(PlaybackError::NotFound("the part has no frame"));
    }
    let payload: usize = samples.iter().map(|sample| sample.size as usize).sum();
    let mut out = Vec::with_capacity(payload + 256 + samples.len() * 16);
    write_media_segment_head(&mut out, SegmentKind::Part, sequence, at + span.offset, samples)
        .map_err(|error| PlaybackError::InvalidFrame(error.to_string()))?;
    for range in frames.get(span.samples.clone()).unwrap_or_default() {
        let bytes = media(range.clone()).ok_or(PlaybackError::NotFound("the part is gone"))?;
        out.extend_from_slice(&bytes);
    }
    Ok(out.into())
}
