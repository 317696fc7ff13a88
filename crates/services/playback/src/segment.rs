//! Media segments in fragmented MP4: one track of one fragment.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use streamkeep_fmp4::{Sample, SegmentKind, write_media_segment_head};
use streamkeep_http::Pieces;
use streamkeep_media::FrameEntry;
use streamkeep_packaging::{TrackSamples, audio_samples, video_samples};
use streamkeep_sound::{FragmentSound, PACKET_SAMPLES_48K};
use streamkeep_volume::TrackRow;

use crate::PlaybackError;
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

/// A whole segment. Its payload is that of the fragment, not a copy.
pub(crate) fn media_segment(
    loaded: &Loaded,
    previous: Option<&Arc<Loaded>>,
    wish: &SegmentWish,
) -> Result<Pieces, PlaybackError> {
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
                true => encoded_segment(loaded, previous, audio, wish).map(Pieces::from),
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

/// Head, and the payload where it lies.
fn write(
    loaded: &Loaded,
    wish: &SegmentWish,
    kind: SegmentKind,
    at: u64,
    samples: &[Sample],
    ranges: &[Range<u32>],
) -> Result<Pieces, PlaybackError> {
    if samples.is_empty() {
        return Err(PlaybackError::NotFound("the fragment has no frame of this track"));
    }
    let mut head = Vec::with_capacity(256 + samples.len() * 16);
    write_media_segment_head(&mut head, kind, wish.sequence, at, samples)
        .map_err(|error| PlaybackError::InvalidFrame(error.to_string()))?;
    let payload = ranges.iter().map(|range| {
        let range = range.start as usize..range.end as usize;
        // A stored frame table points inside.
        if range.end <= loaded.media.len() { loaded.media.slice(range) } else { Bytes::new() }
    });
    Ok(std::iter::once(Bytes::from(head)).chain(payload).collect())
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
