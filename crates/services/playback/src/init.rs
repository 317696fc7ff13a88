//! Initialisation segments and sample entries of the tracks.

use bytes::Bytes;
use streamkeep_codec as codec;
use streamkeep_fmp4::{
    AudioCodec, AudioSampleEntry, ColourInformation, SampleEntry, TrackInit, VideoCodec,
    VisualSampleEntry, init_segment,
};
use streamkeep_packaging::VIDEO_TIMESCALE;
use streamkeep_sound::PRE_SKIP_48K;

use crate::PlaybackError;
use crate::tracks::{AudioTrack, TrackRole, TrackSet, VideoTrack};

/// The initialisation segment of a track; `None` when there is no such track.
pub(crate) fn track_init_segment(
    tracks: &TrackSet,
    role: TrackRole,
) -> Result<Option<Bytes>, PlaybackError> {
    let Some(init) = track_init(tracks, role) else { return Ok(None) };
    let bytes = init_segment(&init)
        .map_err(|error| PlaybackError::InvalidCodecPrivate(error.to_string()))?;
    Ok(Some(bytes.into()))
}

/// A track as it is handed out.
pub(crate) fn track_init(tracks: &TrackSet, role: TrackRole) -> Option<TrackInit> {
    match role {
        TrackRole::Video => tracks.video.as_ref().map(|video| TrackInit {
            timescale: VIDEO_TIMESCALE,
            sample_entry: SampleEntry::Visual(visual_entry(video)),
            priming: 0,
        }),
        TrackRole::Audio => tracks.audio.as_ref().map(|audio| TrackInit {
            timescale: audio.timescale,
            sample_entry: SampleEntry::Audio(audio_entry(audio)),
            priming: match &audio.encoder {
                Some(_) => PRE_SKIP_48K as u32,
                None => u32::from(audio.description.pre_skip),
            },
        }),
    }
}

pub(crate) fn visual_entry(video: &VideoTrack) -> VisualSampleEntry {
    let description = &video.description;
    let record = description.sample_entry_record.clone();
    VisualSampleEntry {
        codec: match description.codec {
            codec::VideoCodec::H264 => VideoCodec::Avc { record },
            codec::VideoCodec::H265 => VideoCodec::Hevc { record },
        },
        width: description.width,
        height: description.height,
        display_width: description.display_width,
        display_height: description.display_height,
        pixel_aspect_ratio: description
            .sample_aspect_ratio
            .map(|ratio| (u32::from(ratio.width), u32::from(ratio.height))),
        colour: description.colour.map(|colour| ColourInformation {
            primaries: colour.primaries,
            transfer: colour.transfer,
            matrix: colour.matrix,
            full_range: colour.full_range,
        }),
    }
}

fn audio_entry(audio: &AudioTrack) -> AudioSampleEntry {
    let description = &audio.description;
    if let Some(encoder) = &audio.encoder {
        return AudioSampleEntry {
            codec: AudioCodec::Opus { head: Bytes::copy_from_slice(&encoder.opus_head()) },
            channels: u16::from(encoder.format().channels()),
            sampling_rate: 48_000,
        };
    }
    let record = description.sample_entry_record.clone();
    AudioSampleEntry {
        codec: match description.codec {
            codec::AudioCodec::Opus => AudioCodec::Opus { head: record },
            codec::AudioCodec::Alaw => AudioCodec::Alaw,
            codec::AudioCodec::Mulaw => AudioCodec::Mulaw,
            // Encoded anew above; AAC is what is left.
            codec::AudioCodec::Aac(_) | codec::AudioCodec::Pcm { .. } => {
                AudioCodec::Aac { config: record }
            }
        },
        channels: u16::from(description.channels),
        sampling_rate: description.sampling_rate,
    }
}

/// The sample entry of sound as it was sent: for clips (playback.md §1 has G.711 in them).
pub(crate) fn plain_audio_entry(audio: &AudioTrack) -> AudioSampleEntry {
    let description = &audio.description;
    let record = description.sample_entry_record.clone();
    AudioSampleEntry {
        codec: match description.codec {
            codec::AudioCodec::Opus => AudioCodec::Opus { head: record },
            codec::AudioCodec::Alaw => AudioCodec::Alaw,
            codec::AudioCodec::Mulaw => AudioCodec::Mulaw,
            codec::AudioCodec::Pcm { bits } => AudioCodec::Pcm { bits },
            codec::AudioCodec::Aac(_) => AudioCodec::Aac { config: record },
        },
        channels: u16::from(description.channels),
        sampling_rate: description.sampling_rate,
    }
}
