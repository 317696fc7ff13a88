//! Transport stream segments: both tracks of one fragment.

use bytes::Bytes;
use streamkeep_codec::{AudioCodec, FrameNalUnits};
use streamkeep_mpegts::{
    AudioFrame, Program, SegmentConfig, TIME_OFFSET_90K, VideoUnit, transport_dts, write_segment,
};
use streamkeep_packaging::{VIDEO_TIMESCALE, frame_times, ns_of_ticks, ticks_of_ns};

use crate::PlaybackError;
use crate::fragments::Loaded;
use crate::segment::{SegmentWish, row_of};
use crate::tracks::AudioTrack;

/// A segment whose first picture is presented at `wish.at` ticks.
pub(crate) fn segment(loaded: &Loaded, wish: &SegmentWish) -> Result<Bytes, PlaybackError> {
    let invalid = |error: &dyn std::fmt::Display| PlaybackError::InvalidFrame(error.to_string());
    let scale = loaded.row.timestamp_scale_ns;
    let tracks = &loaded.tracks;

    let mut units: Vec<(FrameNalUnits<'_>, bool)> = Vec::new();
    let mut pts: Vec<u64> = Vec::new();
    let mut frame_duration = 3_600;
    let mut lead_earliest = 0;
    if let Some(video) = &tracks.video {
        let own = || loaded.frames.iter().filter(|f| f.track_index == video.index && f.len > 0);
        let end = row_of(loaded, video.index).map_or(0, |track| track.end_ticks);
        let (times, end) = frame_times(own(), scale, end);
        lead_earliest = own().map(|frame| frame.pts_ticks).min().unwrap_or(0);
        if let Some(count) = std::num::NonZeroU64::new(times.len() as u64) {
            frame_duration = (end / count).max(1);
        }
        for (frame, time) in own().zip(&times) {
            let nal_units = video
                .description
                .nal_units(loaded.frame_bytes(frame))
                .map_err(|error| invalid(&error))?;
            units.push((nal_units, frame.flags.key));
            pts.push(wish.at + time.pts);
        }
    }
    let shifted: Vec<u64> = pts.iter().map(|pts| pts + TIME_OFFSET_90K).collect();
    // The same depth throughout a stream, so that segments continue each other.
    let depth = tracks.video.as_ref().and_then(|video| video.description.reorder_depth);
    let dts = transport_dts(&shifted, usize::from(depth.unwrap_or(0)), frame_duration);
    let nal_units: Vec<Vec<&[u8]>> =
        units.iter().map(|(units, _)| units.iter().collect()).collect();
    let video: Vec<VideoUnit<'_>> = nal_units
        .iter()
        .zip(&units)
        .zip(shifted.iter().zip(&dts))
        .map(|((nal_units, (_, is_key)), (&pts, &dts))| VideoUnit {
            pts,
            dts,
            is_key: *is_key,
            nal_units,
        })
        .collect();

    let audio_track = tracks.audio.as_ref().filter(|audio| !audio.is_opus());
    let audio = match audio_track {
        Some(audio) => audio_frames(loaded, audio, wish.at + TIME_OFFSET_90K, lead_earliest)?,
        None => Vec::new(),
    };
    let parameter_sets: Vec<&[u8]> = tracks
        .video
        .iter()
        .flat_map(|video| video.description.parameter_sets.iter().map(|set| &set[..]))
        .collect();
    let config = SegmentConfig {
        program: match (tracks.video.is_some(), audio_track.is_some()) {
            (true, true) => Program::VideoAndAudio,
            (true, false) => Program::Video,
            (false, _) => Program::Audio,
        },
        parameter_sets: &parameter_sets,
    };
    let bytes = write_segment(&config, u64::from(wish.sequence), &video, &audio)
        .map_err(|error| invalid(&error))?;
    Ok(bytes.into())
}

/// The frames of an AAC track, by its sample clock from the first on.
fn audio_frames<'a>(
    loaded: &'a Loaded,
    audio: &AudioTrack,
    lead_at: u64,
    lead_earliest: i32,
) -> Result<Vec<AudioFrame<'a>>, PlaybackError> {
    let AudioCodec::Aac(config) = &audio.description.codec else { return Ok(Vec::new()) };
    let rate = audio.description.sampling_rate;
    let scale = i128::from(loaded.row.timestamp_scale_ns);
    let own = || loaded.frames.iter().filter(|f| f.track_index == audio.index && f.len > 0);
    let Some(first) = own().next() else { return Ok(Vec::new()) };
    let earliest = if loaded.tracks.video.is_some() { lead_earliest } else { first.pts_ticks };
    let after_ns = i128::from(i64::from(first.pts_ticks) - i64::from(earliest)) * scale;
    let start = i64::try_from(lead_at).unwrap_or(i64::MAX) + ticks_of_ns(after_ns, VIDEO_TIMESCALE);
    let mut samples = 0_i64;
    let mut frames = Vec::new();
    for frame in own() {
        let data = loaded.frame_bytes(frame);
        let header = config
            .adts_header(data.len())
            .map_err(|error| PlaybackError::InvalidFrame(error.to_string()))?;
        let counted = ticks_of_ns(ns_of_ticks(samples, rate), VIDEO_TIMESCALE);
        let own_ns = i128::from(i64::from(frame.pts_ticks) - i64::from(first.pts_ticks)) * scale;
        let told = ticks_of_ns(own_ns, VIDEO_TIMESCALE);
        // A hole in the sound is kept; rounding of the times is not.
        let ticks = if told - counted > HOLE_TICKS {
            samples = ticks_of_ns(own_ns, rate);
            told
        } else {
            counted
        };
        frames.push(AudioFrame { pts: u64::try_from(start + ticks).unwrap_or(0), header, data });
        samples += i64::from(config.samples_per_frame);
    }
    Ok(frames)
}

/// 20 ms.
const HOLE_TICKS: i64 = 1_800;
