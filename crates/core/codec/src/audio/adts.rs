//! The ADTS header before each AAC frame in MPEG-TS: ISO/IEC 13818-7 §6.2, ISO/IEC 14496-3 §1.A.2.

use super::AudioSpecificConfig;
use super::aac::FREQUENCIES;
use crate::Error;

impl AudioSpecificConfig {
    /// The header, without a CRC, of a frame of `frame_len` bytes.
    ///
    /// HE-AAC goes as its core: SBR is then found by the decoder in the frame. Errors: what ADTS
    /// cannot express: a core object type above 4, a rate outside the table, channels told by a
    /// program_config_element, 960 samples per frame, more than 8184 bytes.
    pub fn adts_header(&self, frame_len: usize) -> Result<[u8; 7], Error> {
        let unsupported = |field, value: u32| Error::Unsupported { field, value: value.into() };
        if !(1..=4).contains(&self.object_type) {
            return Err(unsupported("audioObjectType in ADTS", self.object_type.into()));
        }
        if self.samples_per_frame != 1024 {
            return Err(unsupported("samples per frame in ADTS", self.samples_per_frame));
        }
        let rate_index = FREQUENCIES
            .iter()
            .position(|&frequency| frequency == self.sampling_frequency)
            .ok_or(unsupported("samplingFrequency in ADTS", self.sampling_frequency))?
            as u8;
        let channels = self.channel_configuration;
        if !(1..=7).contains(&channels) {
            return Err(unsupported("channelConfiguration in ADTS", channels.into()));
        }
        let len = match u16::try_from(frame_len) {
            Ok(payload) if payload <= FRAME_LEN_MAX - HEADER_LEN => payload + HEADER_LEN,
            _ => {
                let limit = usize::from(FRAME_LEN_MAX - HEADER_LEN);
                return Err(Error::LimitExceeded { what: "AAC frame in ADTS", limit });
            }
        };
        Ok([
            0xff,
            0xf1, // end of the sync word, MPEG-4, layer 0, no CRC
            (self.object_type - 1) << 6 | rate_index << 2 | channels >> 2,
            (channels & 3) << 6 | (len >> 11) as u8,
            (len >> 3) as u8,
            (len << 5) as u8 | 0x1f, // buffer fullness 0x7ff: variable bit rate
            0xfc,                    // the rest of it, one frame
        ])
    }
}

const HEADER_LEN: u16 = 7;
/// frame_length has 13 bits.
const FRAME_LEN_MAX: u16 = 0x1fff;

#[cfg(test)]
mod tests {
    use super::*;

    fn header(record: &[u8], frame_len: usize) -> Result<[u8; 7], Error> {
        AudioSpecificConfig::parse(record).unwrap().adts_header(frame_len)
    }

    #[test]
    fn headers() {
        // packaging.md §4: 48 kHz mono, 3 bytes.
        let expected = [0xff, 0xf1, 0x4c, 0x40, 0x01, 0x5f, 0xfc];
        assert_eq!(header(&[0x11, 0x88], 3), Ok(expected));
        // 44.1 kHz, 5.1: channels 6 = 110; length 0x1fff.
        let expected = [0xff, 0xf1, 0x51, 0x83, 0xff, 0xff, 0xfc];
        assert_eq!(header(&[0x12, 0x30], 8184), Ok(expected));
        // HE-AAC: the core's object type and rate (24 kHz, index 6).
        let expected = [0xff, 0xf1, 0x58, 0x40, 0x01, 0x5f, 0xfc];
        assert_eq!(header(&[0x2b, 0x09, 0x88, 0x00], 3), Ok(expected));
    }

    #[test]
    fn what_cannot_be_expressed() {
        assert!(matches!(header(&[0x11, 0x88], 8185), Err(Error::LimitExceeded { .. })));
        for record in [
            &[0x11, 0x80][..],               // channels 0
            &[0x11, 0x94],                   // 960 samples
            &[0x17, 0x80, 0x56, 0x0c, 0x10], // 44,056 Hz
            &[0xb9, 0x88, 0x00],             // object type 23, low delay
        ] {
            assert!(matches!(header(record, 3), Err(Error::Unsupported { .. })), "{record:02x?}");
        }
    }
}
