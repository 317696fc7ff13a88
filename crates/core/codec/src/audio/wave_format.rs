//! WAVEFORMATEX: the CodecPrivate of `A_MS/ACM`, little endian (packaging.md §1.5).

use crate::Error;
use crate::audio::aac::RATE_MAX;

/// The fields of a WAVEFORMATEX that precede its extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaveFormat {
    /// wFormatTag: 1 PCM, 3 float, 6 A-law, 7 µ-law.
    pub format_tag: u16,
    /// nChannels, 1 or more.
    pub channels: u16,
    /// nSamplesPerSec in Hz, 1 or more.
    pub samples_per_second: u32,
    /// nBlockAlign: bytes of one sample of all channels, as sent; 0 from careless devices.
    pub block_align: u16,
    /// wBitsPerSample.
    pub bits_per_sample: u16,
}

impl WaveFormat {
    /// wFormatTag of linear PCM.
    pub const PCM: u16 = 1;
    /// wFormatTag of G.711 A-law.
    pub const ALAW: u16 = 6;
    /// wFormatTag of G.711 µ-law.
    pub const MULAW: u16 = 7;

    /// Parses 16 bytes; a cbSize and extension behind them are not read.
    pub fn parse(record: &[u8]) -> Result<Self, Error> {
        let record: &[u8; 16] =
            record.first_chunk().ok_or(Error::Truncated { structure: "WAVEFORMATEX" })?;
        let u16_at = |at: usize| u16::from_le_bytes([record[at], record[at + 1]]);
        let format = Self {
            format_tag: u16_at(0),
            channels: u16_at(2),
            samples_per_second: u32::from(u16_at(4)) | u32::from(u16_at(6)) << 16,
            block_align: u16_at(12),
            bits_per_sample: u16_at(14),
        };
        if format.channels == 0 {
            return Err(Error::NotA { structure: "WAVEFORMATEX" });
        }
        if !(1..=RATE_MAX).contains(&format.samples_per_second) {
            return Err(Error::OutOfRange {
                field: "nSamplesPerSec",
                value: format.samples_per_second.into(),
                max: RATE_MAX.into(),
            });
        }
        Ok(format)
    }

    /// Bytes of one sample of all channels for the tags whose frames are plain samples; `None`
    /// for compressed formats.
    pub fn bytes_per_sample(&self) -> Option<u32> {
        match self.format_tag {
            Self::ALAW | Self::MULAW => Some(self.channels.into()),
            // Computed rather than taken from nBlockAlign, which devices fill in wrongly.
            Self::PCM | 3 if self.bits_per_sample > 0 => {
                Some(u32::from(self.channels) * u32::from(self.bits_per_sample).div_ceil(8))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// packaging.md §1.5: µ-law, 8 kHz, mono.
    const MULAW: [u8; 18] = [7, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x40, 0x1f, 0, 0, 1, 0, 8, 0, 0, 0];

    #[test]
    fn records() {
        let format = WaveFormat::parse(&MULAW).unwrap();
        assert_eq!((format.format_tag, format.channels), (WaveFormat::MULAW, 1));
        assert_eq!(format.samples_per_second, 8000);
        assert_eq!(format.bytes_per_sample(), Some(1));
        assert_eq!(WaveFormat::parse(&MULAW[..16]), Ok(format));

        let mut pcm = MULAW;
        pcm[..4].copy_from_slice(&[1, 0, 2, 0]);
        pcm[14] = 16;
        assert_eq!(WaveFormat::parse(&pcm).unwrap().bytes_per_sample(), Some(4));
        pcm[0] = 0x11; // IMA ADPCM
        assert_eq!(WaveFormat::parse(&pcm).unwrap().bytes_per_sample(), None);
    }

    #[test]
    fn refusals() {
        for len in 0..16 {
            assert_eq!(
                WaveFormat::parse(&MULAW[..len]),
                Err(Error::Truncated { structure: "WAVEFORMATEX" })
            );
        }
        let mut no_channels = MULAW;
        no_channels[2] = 0;
        assert_eq!(WaveFormat::parse(&no_channels), Err(Error::NotA { structure: "WAVEFORMATEX" }));
        let mut no_rate = MULAW;
        no_rate[4..8].fill(0);
        assert!(matches!(WaveFormat::parse(&no_rate), Err(Error::OutOfRange { value: 0, .. })));
    }
}
