//! Tracks: one elementary stream each, as declared by the producer.

use bytes::Bytes;

/// One elementary stream of a PutMedia session, from its Matroska TrackEntry (RFC 9559 §5.1.4.1).
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// TrackNumber: what blocks refer to. Never 0.
    pub number: u64,
    /// TrackUID, 0 when absent.
    pub uid: u64,
    /// TrackType.
    pub kind: TrackKind,
    /// CodecID, trailing NULs removed, for example `V_MPEG4/ISO/AVC`.
    pub codec_id: String,
    /// CodecPrivate as sent; empty when absent.
    pub codec_private: Bytes,
    /// Name, trailing NULs removed; empty when absent.
    pub name: String,
    /// DefaultDuration: nanoseconds per frame; `None` when absent or zero.
    pub default_duration_ns: Option<u64>,
    /// The Video element, when present.
    pub video: Option<VideoParameters>,
    /// The Audio element, when present.
    pub audio: Option<AudioParameters>,
}

/// TrackType of a Matroska track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrackKind {
    /// TrackType 1.
    Video,
    /// TrackType 2.
    Audio,
    /// Any other TrackType, kept as sent.
    Other(u8),
}

impl TrackKind {
    /// From the TrackType value.
    pub fn from_track_type(value: u64) -> Self {
        match value {
            1 => Self::Video,
            2 => Self::Audio,
            other => Self::Other(u8::try_from(other).unwrap_or(u8::MAX)),
        }
    }
}

/// Pixel dimensions from PixelWidth and PixelHeight; 0 when absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoParameters {
    /// PixelWidth.
    pub width: u32,
    /// PixelHeight.
    pub height: u32,
}

/// The Audio element: rate in Hz, channel count, bits per sample when given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AudioParameters {
    /// SamplingFrequency in Hz; 8000 when absent (RFC 9559 §5.1.4.1.29.1).
    pub sampling_frequency: f64,
    /// Channels; 1 when absent.
    pub channels: u32,
    /// BitDepth.
    pub bit_depth: Option<u32>,
}
