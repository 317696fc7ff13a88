//! Audio tracks: AAC, Opus, G.711 and linear PCM.

use bytes::Bytes;

use super::DescriptionError;
use crate::audio::{AudioSpecificConfig, DeclaredAudio, OpusHead, WaveFormat};
use crate::{AudioFormat, Error};

/// What packaging has to know of an audio track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioDescription {
    /// The codec.
    pub codec: AudioCodec,
    /// The codecs parameter of RFC 6381: `mp4a.40.N`, `opus`, `alaw`, `ulaw` or `ipcm`.
    pub codec_string: String,
    /// Samples per second of the timing, and the timescale of a track: the core rate for AAC,
    /// 48,000 for Opus.
    pub sampling_rate: u32,
    /// Channels, 1 to 64.
    pub channels: u8,
    /// Frame lengths in samples.
    pub format: AudioFormat,
    /// Samples at [`Self::sampling_rate`] to drop at the start of the stream: pre-skip of Opus.
    pub pre_skip: u16,
    /// For the sample entry: the AudioSpecificConfig or the OpusHead as sent; empty for the
    /// others.
    pub sample_entry_record: Bytes,
}

/// The audio codecs that can be packaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioCodec {
    /// `A_AAC`.
    Aac(AudioSpecificConfig),
    /// `A_OPUS`.
    Opus,
    /// G.711 A-law in `A_MS/ACM`.
    Alaw,
    /// G.711 µ-law in `A_MS/ACM`.
    Mulaw,
    /// Linear, signed, little endian: `A_PCM/INT/LIT` or tag 1 in `A_MS/ACM`.
    Pcm {
        /// Bits per sample: 16, 24 or 32.
        bits: u8,
    },
}

impl AudioDescription {
    /// Of a track with this CodecID, CodecPrivate and Audio element.
    pub fn new(
        codec_id: &str,
        codec_private: &Bytes,
        declared: Option<DeclaredAudio>,
    ) -> Result<Self, DescriptionError> {
        match codec_id {
            "A_OPUS" | "A_MS/ACM" | "A_AAC" if codec_private.is_empty() => {
                Err(DescriptionError::MissingCodecPrivate)
            }
            "A_AAC" => Self::aac(codec_private, declared),
            "A_OPUS" => Self::opus(codec_private),
            "A_MS/ACM" => {
                let format = WaveFormat::parse(codec_private)?;
                let codec = match format.format_tag {
                    WaveFormat::ALAW => AudioCodec::Alaw,
                    WaveFormat::MULAW => AudioCodec::Mulaw,
                    WaveFormat::PCM => pcm(format.bits_per_sample.into())?,
                    _ => return Err(DescriptionError::UnsupportedCodec),
                };
                Self::plain(codec, codec_id, codec_private, declared, format.channels.into())
            }
            "A_PCM/INT/LIT" => {
                let audio = declared.ok_or(DescriptionError::MissingCodecPrivate)?;
                let bits = audio.bit_depth.ok_or(DescriptionError::MissingCodecPrivate)?;
                Self::plain(pcm(bits)?, codec_id, codec_private, declared, audio.channels)
            }
            _ => Err(DescriptionError::UnsupportedCodec),
        }
    }

    fn aac(record: &Bytes, declared: Option<DeclaredAudio>) -> Result<Self, DescriptionError> {
        if record.len() > AUDIO_SPECIFIC_CONFIG_LEN_MAX {
            let limit = AUDIO_SPECIFIC_CONFIG_LEN_MAX;
            return Err(Error::LimitExceeded { what: "AudioSpecificConfig", limit }.into());
        }
        let config = AudioSpecificConfig::parse(record)?;
        // A program_config_element tells the channels where the configuration does not; the track
        // entry has the same number.
        let channels = match config.channels() {
            0 => channel_count(declared.map_or(2, |audio| audio.channels))?,
            told => told,
        };
        let object_type = config.extension_object_type.unwrap_or(config.object_type);
        Ok(Self {
            codec: AudioCodec::Aac(config),
            codec_string: format!("mp4a.40.{object_type}"),
            sampling_rate: config.sampling_frequency,
            channels,
            format: AudioFormat::new("A_AAC", record, None)
                .ok_or(Error::NotA { structure: "AudioSpecificConfig" })?,
            pre_skip: 0,
            sample_entry_record: record.clone(),
        })
    }

    fn opus(record: &Bytes) -> Result<Self, DescriptionError> {
        let head = OpusHead::parse(record)?;
        if head.mapping_family == 0 && head.channels > 2 {
            // RFC 7845 §5.1.1.1
            let (value, max) = (head.channels.into(), 2);
            return Err(Error::OutOfRange { field: "Opus channels", value, max }.into());
        }
        // RFC 7845 §5.1.1: stream count, coupled count and one byte for each channel.
        let table_len = if head.mapping_family == 0 { 0 } else { 2 + usize::from(head.channels) };
        if record.len() < OPUS_HEAD_LEN + table_len {
            return Err(Error::Truncated { structure: "OpusHead" }.into());
        }
        Ok(Self {
            codec: AudioCodec::Opus,
            codec_string: "opus".to_owned(),
            sampling_rate: 48_000,
            channels: channel_count(head.channels.into())?,
            format: AudioFormat::new("A_OPUS", record, None)
                .ok_or(Error::NotA { structure: "OpusHead" })?,
            pre_skip: head.pre_skip,
            sample_entry_record: record.slice(..OPUS_HEAD_LEN + table_len),
        })
    }

    /// Codecs whose frames are plain samples.
    fn plain(
        codec: AudioCodec,
        codec_id: &str,
        record: &Bytes,
        declared: Option<DeclaredAudio>,
        channels: u32,
    ) -> Result<Self, DescriptionError> {
        let format = AudioFormat::new(codec_id, record, declared)
            .ok_or(Error::NotA { structure: "Audio element" })?;
        let codec_string = match codec {
            AudioCodec::Alaw => "alaw",
            AudioCodec::Mulaw => "ulaw",
            _ => "ipcm",
        };
        Ok(Self {
            codec,
            codec_string: codec_string.to_owned(),
            sampling_rate: format.sampling_rate(),
            channels: channel_count(channels)?,
            format,
            pre_skip: 0,
            sample_entry_record: Bytes::new(),
        })
    }
}

fn pcm(bits: u32) -> Result<AudioCodec, Error> {
    match bits {
        16 | 24 | 32 => Ok(AudioCodec::Pcm { bits: bits as u8 }),
        // 8-bit samples are unsigned in Matroska and signed in MP4.
        _ => Err(Error::Unsupported { field: "PCM bits per sample", value: bits.into() }),
    }
}

fn channel_count(channels: u32) -> Result<u8, Error> {
    if !(1..=CHANNELS_MAX).contains(&channels) {
        let (value, max) = (channels.into(), CHANNELS_MAX.into());
        return Err(Error::OutOfRange { field: "channels", value, max });
    }
    Ok(channels as u8)
}

const OPUS_HEAD_LEN: usize = 19;
/// Beyond any camera.
const CHANNELS_MAX: u32 = 64;
/// The longest known, with a program_config_element and its 255-byte comment, stays below.
const AUDIO_SPECIFIC_CONFIG_LEN_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARED: Option<DeclaredAudio> =
        Some(DeclaredAudio { sampling_frequency: 44_100.0, channels: 2, bit_depth: Some(16) });
    const MULAW: &[u8] = &[7, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x40, 0x1f, 0, 0, 1, 0, 8, 0, 0, 0];
    const OPUS: &[u8] = b"OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00";

    fn describe(
        codec_id: &str,
        record: &[u8],
        declared: Option<DeclaredAudio>,
    ) -> Result<AudioDescription, DescriptionError> {
        AudioDescription::new(codec_id, &Bytes::copy_from_slice(record), declared)
    }

    /// Expected: codec string, rate, channels, pre-skip, record length.
    fn check(
        codec_id: &str,
        record: &[u8],
        declared: Option<DeclaredAudio>,
        expected: (&str, u32, u8, u16, usize),
    ) {
        let d = describe(codec_id, record, declared).unwrap();
        let record_len = d.sample_entry_record.len();
        let got = (d.codec_string.as_str(), d.sampling_rate, d.channels, d.pre_skip, record_len);
        assert_eq!(got, expected);
        assert_eq!(d.format.sampling_rate(), d.sampling_rate);
    }

    #[test]
    fn tracks() {
        check("A_AAC", &[0x11, 0x90], None, ("mp4a.40.2", 48_000, 2, 0, 2));
        check("A_AAC", &[0x2b, 0x09, 0x88, 0x00], None, ("mp4a.40.5", 24_000, 1, 0, 4));
        check("A_AAC", &[0x11, 0x80], DECLARED, ("mp4a.40.2", 48_000, 2, 0, 2)); // channels 0
        check("A_OPUS", OPUS, None, ("opus", 48_000, 2, 312, 19));
        check("A_OPUS", &[OPUS, &[9; 4]].concat(), None, ("opus", 48_000, 2, 312, 19));
        check("A_MS/ACM", MULAW, None, ("ulaw", 8_000, 1, 0, 0));
        let mut wave = MULAW.to_vec();
        wave[0] = 6;
        check("A_MS/ACM", &wave, None, ("alaw", 8_000, 1, 0, 0));
        (wave[0], wave[14]) = (1, 16);
        check("A_MS/ACM", &wave, None, ("ipcm", 8_000, 1, 0, 0));
        check("A_PCM/INT/LIT", &[], DECLARED, ("ipcm", 44_100, 2, 0, 0));
    }

    #[test]
    fn three_kinds_of_refusal() {
        use DescriptionError::{InvalidCodecPrivate, MissingCodecPrivate, UnsupportedCodec};
        assert_eq!(describe("A_VORBIS", &[1], None), Err(UnsupportedCodec));
        assert_eq!(describe("A_PCM/INT/BIG", &[], DECLARED), Err(UnsupportedCodec));
        let mut adpcm = MULAW.to_vec();
        adpcm[0] = 0x11;
        assert_eq!(describe("A_MS/ACM", &adpcm, None), Err(UnsupportedCodec));
        for codec_id in ["A_AAC", "A_OPUS", "A_MS/ACM", "A_PCM/INT/LIT"] {
            assert_eq!(describe(codec_id, &[], None), Err(MissingCodecPrivate));
        }
        let mut surround = OPUS.to_vec();
        surround[9] = 6;
        let mut table = surround.clone();
        table[18] = 1;
        for (codec_id, record) in [
            ("A_AAC", &[0x16, 0x90][..]),
            ("A_AAC", &[0x11; 1025]),
            ("A_OPUS", b"OpusTags"),
            ("A_OPUS", &OPUS[..18]),
            ("A_OPUS", &surround), // six channels need a table
            ("A_OPUS", &table),    // and here it is missing
            ("A_MS/ACM", &MULAW[..15]),
        ] {
            let refused = describe(codec_id, record, None);
            assert!(matches!(refused, Err(InvalidCodecPrivate(_))), "{codec_id} {record:02x?}");
        }
        table.extend([4, 2, 0, 4, 1, 2, 3, 5]);
        assert_eq!(describe("A_OPUS", &table, None).unwrap().sample_entry_record.len(), 27);
        let eight_bits = DeclaredAudio { bit_depth: Some(8), ..DECLARED.unwrap() };
        assert!(matches!(
            describe("A_PCM/INT/LIT", &[], Some(eight_bits)),
            Err(InvalidCodecPrivate(Error::Unsupported { .. }))
        ));
    }
}
