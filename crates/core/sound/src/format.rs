//! What the stored samples are.

use crate::Error;

/// Sampling rates taken, in Hz. 8, 12, 16, 24 and 48 kHz are the encoder's own; the others are
/// resampled to the next of these above.
pub const RATES_HZ: [u32; 9] =
    [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

/// How one sample of one channel is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SampleEncoding {
    /// ITU-T G.711 A-law, one byte with the even bits inverted.
    ALaw,
    /// ITU-T G.711 µ-law, one byte, all bits inverted.
    MuLaw,
    /// Unsigned 8 bits, 128 is silence.
    PcmU8,
    /// Signed 16 bits, little endian.
    PcmS16Le,
    /// Signed 16 bits, big endian (`A_PCM/INT/BIG`, RTP L16).
    PcmS16Be,
    /// Signed 24 bits, little endian, three bytes.
    PcmS24Le,
    /// Signed 32 bits, little endian.
    PcmS32Le,
    /// IEEE 754 binary32, little endian, full scale at ±1.
    PcmF32Le,
}

impl SampleEncoding {
    /// The encoding for wFormatTag and wBitsPerSample of a WAVEFORMATEX, `None` if it is none of
    /// these.
    pub fn of_wave_format(format_tag: u16, bits_per_sample: u16) -> Option<Self> {
        Some(match (format_tag, bits_per_sample) {
            (6, 8) => Self::ALaw,
            (7, 8) => Self::MuLaw,
            (1, 8) => Self::PcmU8,
            (1, 16) => Self::PcmS16Le,
            (1, 24) => Self::PcmS24Le,
            (1, 32) => Self::PcmS32Le,
            (3, 32) => Self::PcmF32Le,
            _ => return None,
        })
    }

    /// Bytes of one sample of one channel.
    pub fn sample_len(self) -> usize {
        match self {
            Self::ALaw | Self::MuLaw | Self::PcmU8 => 1,
            Self::PcmS16Le | Self::PcmS16Be => 2,
            Self::PcmS24Le => 3,
            Self::PcmS32Le | Self::PcmF32Le => 4,
        }
    }
}

/// Encoding, rate and channels of a track's samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SoundFormat {
    encoding: SampleEncoding,
    rate_hz: u32,
    channels: u8,
}

impl SoundFormat {
    /// A format that can be encoded: a rate of [`RATES_HZ`], one or two channels (interleaved).
    pub fn new(encoding: SampleEncoding, rate_hz: u32, channels: u32) -> Result<Self, Error> {
        if !RATES_HZ.contains(&rate_hz) {
            return Err(Error::UnsupportedRate { rate_hz });
        }
        let channels = match channels {
            1 => 1,
            2 => 2,
            _ => return Err(Error::UnsupportedChannels { channels }),
        };
        Ok(Self { encoding, rate_hz, channels })
    }

    /// How one sample is stored.
    pub fn encoding(&self) -> SampleEncoding {
        self.encoding
    }

    /// Samples per second of each channel.
    pub fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// 1 or 2.
    pub fn channels(&self) -> u8 {
        self.channels
    }

    /// Bytes of one sample of all channels (nBlockAlign).
    pub fn block_len(&self) -> usize {
        self.encoding.sample_len() * usize::from(self.channels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_what_the_encoder_can_take() {
        let check = |rate_hz, channels, expected: Result<usize, Error>| {
            let format = SoundFormat::new(SampleEncoding::PcmS24Le, rate_hz, channels);
            assert_eq!(format.map(|format| format.block_len()), expected);
        };
        for rate_hz in RATES_HZ {
            check(rate_hz, 1, Ok(3));
            check(rate_hz, 2, Ok(6));
        }
        for rate_hz in [0, 1, 7_999, 96_000, u32::MAX] {
            check(rate_hz, 1, Err(Error::UnsupportedRate { rate_hz }));
        }
        for channels in [0, 3, 257, u32::MAX] {
            check(8_000, channels, Err(Error::UnsupportedChannels { channels }));
        }
    }

    #[test]
    fn wave_formats() {
        for (tag, bits, expected) in [
            (7, 8, Some(SampleEncoding::MuLaw)),
            (6, 8, Some(SampleEncoding::ALaw)),
            (1, 16, Some(SampleEncoding::PcmS16Le)),
            (3, 32, Some(SampleEncoding::PcmF32Le)),
            (7, 16, None),
            (3, 64, None),
            (1, 0, None),
            (0x55, 0, None), // MP3
        ] {
            assert_eq!(SampleEncoding::of_wave_format(tag, bits), expected, "{tag}/{bits}");
        }
    }
}
