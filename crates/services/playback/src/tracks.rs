//! What the tracks of a fragment are, and how they are handed out.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use streamkeep_codec::{
    AudioCodec, AudioDescription, DeclaredAudio, DescriptionError, VideoDescription,
};
use streamkeep_media::{SessionHeader, Track, TrackKind};
use streamkeep_packaging::{VIDEO_TIMESCALE, parse_session_header};
use streamkeep_sound::{FragmentEncoder, SampleEncoding, SoundFormat};

use crate::PlaybackError;
use crate::lru::Lru;

/// The tracks of a session that are played: the first video track and the first audio track.
#[derive(Debug)]
pub(crate) struct TrackSet {
    pub(crate) header: SessionHeader,
    pub(crate) video: Option<VideoTrack>,
    pub(crate) audio: Option<AudioTrack>,
}

#[derive(Debug)]
pub(crate) struct VideoTrack {
    /// Index into the session's tracks.
    pub(crate) index: u8,
    pub(crate) description: VideoDescription,
}

#[derive(Debug)]
pub(crate) struct AudioTrack {
    /// Index into the session's tracks.
    pub(crate) index: u8,
    pub(crate) description: AudioDescription,
    /// Ticks per second of what is handed out.
    pub(crate) timescale: u32,
    /// It is encoded anew, to Opus.
    pub(crate) encoder: Option<Arc<FragmentEncoder>>,
}

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TrackRole {
    Video,
    Audio,
}

impl TrackSet {
    /// Parses a stored session header. A track that cannot be played is left out when there is
    /// another; alone it is an error.
    pub(crate) fn parse(bytes: &Bytes) -> Result<Self, PlaybackError> {
        let header = parse_session_header(bytes)
            .ok_or_else(|| PlaybackError::InvalidFrame("no tracks are declared".to_owned()))?;
        let first = |kind| {
            let mut tracks = header.tracks.iter().zip(0_u8..);
            tracks
                .find(|(track, _)| track.kind == kind)
                .map(|(track, index)| (track.clone(), index))
        };
        let video = match first(TrackKind::Video) {
            Some((track, index)) => {
                Some(VideoTrack { index, description: describe_video(&track)? })
            }
            None => None,
        };
        let audio = match first(TrackKind::Audio) {
            Some((track, index)) => match describe_audio(&track, index) {
                Ok(audio) => Some(audio),
                // Sound that nobody can play must not hide the picture.
                Err(PlaybackError::UnsupportedMedia(what)) if video.is_some() => {
                    tracing::debug!(what, "the audio track is left out");
                    None
                }
                Err(error) => return Err(error),
            },
            None => None,
        };
        if video.is_none() && audio.is_none() {
            return Err(PlaybackError::UnsupportedMedia("no track can be played".to_owned()));
        }
        Ok(Self { header, video, audio })
    }

    /// The track that carries the timeline.
    pub(crate) fn lead(&self) -> TrackRole {
        if self.video.is_some() { TrackRole::Video } else { TrackRole::Audio }
    }

    /// Ticks per second of a track as it is handed out.
    pub(crate) fn timescale(&self, role: TrackRole) -> u32 {
        match role {
            TrackRole::Video => VIDEO_TIMESCALE,
            TrackRole::Audio => {
                self.audio.as_ref().map_or(VIDEO_TIMESCALE, |audio| audio.timescale)
            }
        }
    }

    /// The same codecs, if with other parameters: a session can go on with another init segment.
    pub(crate) fn is_same_kind(&self, other: &Self) -> bool {
        let video = |set: &Self| set.video.as_ref().map(|video| video.description.codec);
        let audio = |set: &Self| set.audio.as_ref().map(|a| (a.is_opus(), a.timescale));
        video(self) == video(other) && audio(self) == audio(other)
    }
}

impl AudioTrack {
    pub(crate) fn is_opus(&self) -> bool {
        self.encoder.is_some() || self.description.codec == AudioCodec::Opus
    }

    /// RFC 6381.
    pub(crate) fn codec_string(&self) -> &str {
        if self.encoder.is_some() { "opus" } else { &self.description.codec_string }
    }
}

fn describe_video(track: &Track) -> Result<VideoDescription, PlaybackError> {
    VideoDescription::new(&track.codec_id, &track.codec_private).map_err(|e| refused(track, e))
}

fn describe_audio(track: &Track, index: u8) -> Result<AudioTrack, PlaybackError> {
    let declared = track.audio.map(|audio| DeclaredAudio {
        sampling_frequency: audio.sampling_frequency,
        channels: audio.channels,
        bit_depth: audio.bit_depth,
    });
    let description = AudioDescription::new(&track.codec_id, &track.codec_private, declared)
        .map_err(|error| refused(track, error))?;
    let encoding = match description.codec {
        AudioCodec::Aac(_) | AudioCodec::Opus => None,
        AudioCodec::Alaw => Some(SampleEncoding::ALaw),
        AudioCodec::Mulaw => Some(SampleEncoding::MuLaw),
        AudioCodec::Pcm { bits: 16 } => Some(SampleEncoding::PcmS16Le),
        AudioCodec::Pcm { bits: 24 } => Some(SampleEncoding::PcmS24Le),
        AudioCodec::Pcm { .. } => Some(SampleEncoding::PcmS32Le),
    };
    let encoder = match encoding {
        None => None,
        Some(encoding) => {
            let format =
                SoundFormat::new(encoding, description.sampling_rate, description.channels.into());
            let encoder = format.map(|format| Arc::new(FragmentEncoder::new(format)));
            Some(encoder.map_err(|error| PlaybackError::UnsupportedMedia(error.to_string()))?)
        }
    };
    let timescale = if encoder.is_some() { 48_000 } else { description.sampling_rate };
    Ok(AudioTrack { index, description, timescale, encoder })
}

fn refused(track: &Track, error: DescriptionError) -> PlaybackError {
    let what = format!("track {} ({}): {error}", track.number, track.codec_id);
    match error {
        DescriptionError::UnsupportedCodec => PlaybackError::UnsupportedMedia(what),
        DescriptionError::MissingCodecPrivate => PlaybackError::MissingCodecPrivate(what),
        DescriptionError::InvalidCodecPrivate(_) => PlaybackError::InvalidCodecPrivate(what),
    }
}

/// Track sets lately used, by the bytes they were parsed from. All fragments of a session share
/// one.
#[derive(Debug)]
pub(crate) struct TrackSets {
    known: Mutex<Lru<Bytes, Arc<TrackSet>>>,
}

impl TrackSets {
    pub(crate) fn new() -> Self {
        Self { known: Mutex::new(Lru::new(SETS_MAX)) }
    }

    pub(crate) fn get(&self, header: &Bytes) -> Result<Arc<TrackSet>, PlaybackError> {
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(header) {
            return Ok(known);
        }
        let parsed = Arc::new(TrackSet::parse(header)?);
        // A copy of its own: the slice would hold on to the whole fragment.
        lock().insert(Bytes::copy_from_slice(header), parsed.clone(), 1);
        Ok(parsed)
    }
}

/// About 2 KB each.
const SETS_MAX: usize = 4_096;
