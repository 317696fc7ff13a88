//! What a track's samples are: what goes into `stsd`.

use bytes::Bytes;

/// The codec of a track and what a decoder must know before the first sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SampleEntry {
    /// Video.
    Visual(VisualSampleEntry),
    /// Audio.
    Audio(AudioSampleEntry),
}

/// `avc1` or `hvc1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisualSampleEntry {
    /// The codec and its record.
    pub codec: VideoCodec,
    /// Coded width in luma samples, after cropping.
    pub width: u16,
    /// Coded height in luma samples, after cropping.
    pub height: u16,
    /// Width to show in square pixels, for `tkhd`.
    pub display_width: u16,
    /// Height to show in square pixels, for `tkhd`.
    pub display_height: u16,
    /// hSpacing and vSpacing of `pasp`; `None` when samples are square. Neither is 0.
    pub pixel_aspect_ratio: Option<(u32, u32)>,
    /// `colr`, when the stream tells.
    pub colour: Option<ColourInformation>,
}

/// The video codecs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VideoCodec {
    /// H.264.
    Avc {
        /// AVCDecoderConfigurationRecord.
        record: Bytes,
    },
    /// H.265.
    Hevc {
        /// HEVCDecoderConfigurationRecord whose arrays of parameter sets are complete.
        record: Bytes,
    },
}

/// `colr` of type `nclx`: code points of ISO/IEC 23091-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColourInformation {
    /// colour_primaries.
    pub primaries: u8,
    /// transfer_characteristics.
    pub transfer: u8,
    /// matrix_coefficients.
    pub matrix: u8,
    /// full_range_flag.
    pub full_range: bool,
}

/// `mp4a`, `Opus`, `alaw`, `ulaw` or `ipcm`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioSampleEntry {
    /// The codec and its record.
    pub codec: AudioCodec,
    /// channelcount.
    pub channels: u16,
    /// samplerate in Hz: 48,000 for Opus, the core rate for AAC.
    pub sampling_rate: u32,
}

/// The audio codecs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AudioCodec {
    /// AAC.
    Aac {
        /// AudioSpecificConfig, at most 1024 bytes.
        config: Bytes,
    },
    /// Opus.
    Opus {
        /// The identification header of RFC 7845 §5.1, `OpusHead` and all.
        head: Bytes,
    },
    /// G.711 A-law. Plays in FFmpeg and VLC, in no browser.
    Alaw,
    /// G.711 µ-law. Plays in FFmpeg and VLC, in no browser.
    Mulaw,
    /// Linear, signed, little endian.
    Pcm {
        /// Bits per sample of one channel: 16, 24 or 32.
        bits: u8,
    },
}

/// What kind of media a track has: `hdlr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handler {
    Video,
    Sound,
}

impl SampleEntry {
    pub(crate) fn handler(&self) -> Handler {
        match self {
            Self::Visual(_) => Handler::Video,
            Self::Audio(_) => Handler::Sound,
        }
    }

    /// Width and height to show; (0, 0) for audio.
    pub(crate) fn display_size(&self) -> (u16, u16) {
        match self {
            Self::Visual(entry) => (entry.display_width, entry.display_height),
            Self::Audio(_) => (0, 0),
        }
    }

    /// Bytes of the codec's record.
    pub(crate) fn record_len(&self) -> usize {
        match self {
            Self::Visual(entry) => match &entry.codec {
                VideoCodec::Avc { record } | VideoCodec::Hevc { record } => record.len(),
            },
            Self::Audio(entry) => match &entry.codec {
                AudioCodec::Aac { config: record } | AudioCodec::Opus { head: record } => {
                    record.len()
                }
                AudioCodec::Alaw | AudioCodec::Mulaw | AudioCodec::Pcm { .. } => 0,
            },
        }
    }
}
