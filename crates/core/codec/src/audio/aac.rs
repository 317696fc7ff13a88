//! AudioSpecificConfig, ISO/IEC 14496-3 §1.6.2.1: the CodecPrivate of `A_AAC`.

use crate::Error;
use crate::rbsp::RbspReader;

/// What an AudioSpecificConfig says that matters outside a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioSpecificConfig {
    /// audioObjectType of the core codec: 2 is AAC-LC. With explicitly signalled SBR or PS this is
    /// the object type beneath it.
    pub object_type: u8,
    /// 5 (SBR, HE-AAC) or 29 (PS, HE-AAC v2) when explicitly signalled.
    pub extension_object_type: Option<u8>,
    /// Sampling rate of the core codec in Hz: the rate that the timing of frames goes by, also for
    /// HE-AAC.
    pub sampling_frequency: u32,
    /// channelConfiguration: 1 to 6 as they are, 7 means eight channels, 0 is told elsewhere.
    pub channel_configuration: u8,
    /// Samples per frame at [`Self::sampling_frequency`]: 1024, or 960 with frameLengthFlag.
    pub samples_per_frame: u32,
}

impl AudioSpecificConfig {
    /// Parses the start of the record; extensions behind the core's configuration are not read.
    pub fn parse(record: &[u8]) -> Result<Self, Error> {
        let mut bits = RbspReader::over_plain_bits(record, "AudioSpecificConfig");
        let mut object_type = object_type_of(&mut bits)?;
        let sampling_frequency = frequency(&mut bits)?;
        let channel_configuration = bits.bits(4)? as u8;
        let mut extension_object_type = None;
        if matches!(object_type, SBR | PS) {
            extension_object_type = Some(object_type);
            frequency(&mut bits)?; // of the output
            object_type = object_type_of(&mut bits)?;
        }
        if object_type == 0 {
            return Err(Error::NotA { structure: "AudioSpecificConfig" });
        }
        // GASpecificConfig begins with frameLengthFlag for these object types (Table 1.15).
        let short_frames =
            matches!(object_type, 1..=4 | 6 | 7 | 17 | 19..=23) && bits.flag().unwrap_or(false); // some devices send no more than needed
        Ok(Self {
            object_type,
            extension_object_type,
            sampling_frequency,
            channel_configuration,
            samples_per_frame: if short_frames { 960 } else { 1024 },
        })
    }

    /// Channels by [`Self::channel_configuration`]; 0 when a program_config_element tells.
    pub fn channels(&self) -> u8 {
        match self.channel_configuration {
            7 => 8,
            n => n.min(6),
        }
    }
}

fn object_type_of(bits: &mut RbspReader<'_>) -> Result<u8, Error> {
    Ok(match bits.bits(5)? {
        31 => 32 + bits.bits(6)? as u8,
        value => value as u8,
    })
}

fn frequency(bits: &mut RbspReader<'_>) -> Result<u32, Error> {
    let frequency = match bits.bits(4)? as usize {
        15 => bits.bits(24)?,
        index => *FREQUENCIES.get(index).ok_or(Error::OutOfRange {
            field: "samplingFrequencyIndex",
            value: index as u64,
            max: FREQUENCIES.len() as u64 - 1,
        })?,
    };
    if !(1..=RATE_MAX).contains(&frequency) {
        return Err(Error::OutOfRange {
            field: "samplingFrequency",
            value: frequency.into(),
            max: RATE_MAX.into(),
        });
    }
    Ok(frequency)
}

const SBR: u8 = 5;
const PS: u8 = 29;
/// Table 1.18.
pub(super) const FREQUENCIES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];
/// No audio device samples faster.
pub(crate) const RATE_MAX: u32 = 768_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(record: &[u8], expected: Result<(u8, Option<u8>, u32, u8, u32), Error>) {
        let got = AudioSpecificConfig::parse(record).map(|c| {
            (
                c.object_type,
                c.extension_object_type,
                c.sampling_frequency,
                c.channels(),
                c.samples_per_frame,
            )
        });
        assert_eq!(got, expected, "{record:02x?}");
    }

    #[test]
    fn records() {
        check(&[0x11, 0x90], Ok((2, None, 48_000, 2, 1024)));
        check(&[0x12, 0x10], Ok((2, None, 44_100, 2, 1024)));
        check(&[0x14, 0x08], Ok((2, None, 16_000, 1, 1024)));
        check(&[0x15, 0x88], Ok((2, None, 8_000, 1, 1024)));
        check(&[0x11, 0x88, 0x56, 0xe5, 0x00], Ok((2, None, 48_000, 1, 1024)));
        // frameLengthFlag
        check(&[0x11, 0x94], Ok((2, None, 48_000, 2, 960)));
        // Explicit SBR: 00101 0110 0001 0011 00010 0..: core 24 kHz mono, output 48 kHz, AAC-LC.
        check(&[0x2b, 0x09, 0x88, 0x00], Ok((2, Some(5), 24_000, 1, 1024)));
        // Explicit rate: 00010 1111 (44056 = 00ac18) 0010.
        check(&[0x17, 0x80, 0x56, 0x0c, 0x10], Ok((2, None, 44_056, 2, 1024)));
    }

    #[test]
    fn refusals() {
        let truncated = Err(Error::Truncated { structure: "AudioSpecificConfig" });
        check(&[], truncated);
        check(&[0x11], truncated);
        check(
            &[0x16, 0x90],
            Err(Error::OutOfRange { field: "samplingFrequencyIndex", value: 13, max: 12 }),
        );
        check(&[0x01, 0x90], Err(Error::NotA { structure: "AudioSpecificConfig" }));
        check(
            &[0x17, 0x80, 0, 0, 0x10],
            Err(Error::OutOfRange { field: "samplingFrequency", value: 0, max: 768_000 }),
        );
    }
}
