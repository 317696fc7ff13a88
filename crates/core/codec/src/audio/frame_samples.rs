//! How many samples an audio frame lasts: what the sample clock of packaging.md §2.4 counts.

use super::opus::packet_samples;
use super::{AudioSpecificConfig, WaveFormat};

/// The Audio element of a track, for codecs whose CodecPrivate does not tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeclaredAudio {
    /// SamplingFrequency in Hz.
    pub sampling_frequency: f64,
    /// Channels.
    pub channels: u32,
    /// BitDepth.
    pub bit_depth: Option<u32>,
}

/// Sampling rate and frame length of an audio track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioFormat {
    sampling_rate: u32,
    length: FrameLength,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FrameLength {
    /// Every frame has this many samples.
    Fixed(u32),
    /// Plain samples of this many bytes, all channels together.
    Bytes(u32),
    /// In the packet.
    Opus,
}

impl AudioFormat {
    /// For a track with this CodecID, CodecPrivate and Audio element. `None` when the length of
    /// its frames cannot be told: their timestamps are all there is.
    pub fn new(
        codec_id: &str,
        codec_private: &[u8],
        declared: Option<DeclaredAudio>,
    ) -> Option<Self> {
        let declared_rate = declared.and_then(|audio| rate_of(audio.sampling_frequency));
        let (sampling_rate, length) = match codec_id {
            "A_OPUS" => (48_000, FrameLength::Opus),
            "A_MS/ACM" => {
                let format = WaveFormat::parse(codec_private).ok()?;
                (format.samples_per_second, FrameLength::Bytes(format.bytes_per_sample()?))
            }
            "A_PCM/INT/LIT" | "A_PCM/INT/BIG" | "A_PCM/FLOAT/IEEE" => {
                let audio = declared?;
                let bytes = audio.bit_depth?.div_ceil(8);
                // 64-bit float and 64 channels are far beyond any camera.
                if !(1..=8).contains(&bytes) || !(1..=64).contains(&audio.channels) {
                    return None;
                }
                (declared_rate?, FrameLength::Bytes(bytes * audio.channels))
            }
            // ISO/IEC 11172-3 and 13818-3: layer II has 1152 samples, layer III half of that at
            // the low rates of MPEG-2.
            "A_MPEG/L2" => (declared_rate?, FrameLength::Fixed(1152)),
            "A_MPEG/L3" => {
                let rate = declared_rate?;
                (rate, FrameLength::Fixed(if rate >= 32_000 { 1152 } else { 576 }))
            }
            "A_AC3" => (declared_rate?, FrameLength::Fixed(1536)), // ETSI TS 102 366 §4.1
            // `A_AAC` and the old forms `A_AAC/MPEG4/LC`, …
            _ if codec_id == "A_AAC" || codec_id.starts_with("A_AAC/") => {
                let config = AudioSpecificConfig::parse(codec_private).ok()?;
                (config.sampling_frequency, FrameLength::Fixed(config.samples_per_frame))
            }
            _ => return None,
        };
        Some(Self { sampling_rate, length })
    }

    /// Samples per second: the unit of [`Self::samples`]. 48,000 for Opus; the core rate for AAC.
    pub fn sampling_rate(&self) -> u32 {
        self.sampling_rate
    }

    /// Samples of one frame when all frames have the same number.
    pub fn samples_per_frame(&self) -> Option<u32> {
        match self.length {
            FrameLength::Fixed(samples) => Some(samples),
            FrameLength::Bytes(_) | FrameLength::Opus => None,
        }
    }

    /// Samples of a frame of `frame_len` bytes that starts with `prefix`: at most its first two
    /// bytes are looked at. `None` when the frame is broken.
    pub fn samples(&self, prefix: &[u8], frame_len: usize) -> Option<u32> {
        match self.length {
            FrameLength::Fixed(samples) => Some(samples),
            FrameLength::Bytes(bytes) => u32::try_from(frame_len).ok().map(|len| len / bytes),
            FrameLength::Opus => packet_samples(prefix),
        }
    }
}

fn rate_of(sampling_frequency: f64) -> Option<u32> {
    let rate = sampling_frequency.round();
    (1.0..=f64::from(super::aac::RATE_MAX)).contains(&rate).then_some(rate as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEREO_44: Option<DeclaredAudio> =
        Some(DeclaredAudio { sampling_frequency: 44_100.0, channels: 2, bit_depth: Some(16) });

    fn check(
        codec_id: &str,
        private: &[u8],
        declared: Option<DeclaredAudio>,
        frame: &[u8],
        expected: Option<(u32, Option<u32>)>,
    ) {
        let format = AudioFormat::new(codec_id, private, declared);
        let got = format.map(|f| (f.sampling_rate(), f.samples(frame, frame.len())));
        assert_eq!(got, expected, "{codec_id} {private:02x?}");
    }

    #[test]
    fn codecs() {
        let frame = &[0xf8; 160];
        check("A_AAC", &[0x11, 0x90], None, frame, Some((48_000, Some(1024))));
        check("A_AAC/MPEG4/LC", &[0x14, 0x08], None, frame, Some((16_000, Some(1024))));
        check("A_AAC", &[], STEREO_44, frame, None);
        check("A_OPUS", &[], None, frame, Some((48_000, Some(960))));
        check("A_OPUS", &[], None, &[], Some((48_000, None)));
        let mulaw = [7, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x40, 0x1f, 0, 0, 1, 0, 8, 0, 0, 0];
        check("A_MS/ACM", &mulaw, None, frame, Some((8_000, Some(160))));
        check("A_PCM/INT/LIT", &[], STEREO_44, frame, Some((44_100, Some(40))));
        check("A_PCM/INT/LIT", &[], None, frame, None);
        check("A_MPEG/L3", &[], STEREO_44, frame, Some((44_100, Some(1152))));
        check("A_VORBIS", &[], STEREO_44, frame, None);
        check("V_MPEG4/ISO/AVC", &[], STEREO_44, frame, None);
    }

    #[test]
    fn absurd_declarations() {
        for (rate, channels, depth) in [
            (f64::NAN, 1, 16),
            (f64::INFINITY, 1, 16),
            (-1.0, 1, 16),
            (0.2, 1, 16),
            (48_000.0, 0, 16),
            (48_000.0, u32::MAX, 16),
            (48_000.0, 1, 0),
            (48_000.0, 1, u32::MAX),
        ] {
            let declared =
                DeclaredAudio { sampling_frequency: rate, channels, bit_depth: Some(depth) };
            check("A_PCM/INT/LIT", &[], Some(declared), &[0; 4], None);
        }
    }
}
