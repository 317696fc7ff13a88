//! The ADTS header: ISO/IEC 14496-3 §1.A.2.2, without CRC.

/// Length of the header.
pub(crate) const ADTS_HEADER_LEN: usize = 7;

/// Samples in a frame; ADTS cannot tell of 960.
const SAMPLES: u64 = 1024;

/// By sampling_frequency_index: ISO/IEC 14496-3 table 1.18.
const SAMPLING_RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// What the muxer needs to know of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AdtsHeader {
    /// Hz.
    sampling_rate: u32,
    /// With the header.
    pub(crate) frame_len: usize,
}

impl AdtsHeader {
    /// `None` if it is none, has a CRC, a reserved rate, or is longer than its frame.
    pub(crate) fn parse(bytes: [u8; ADTS_HEADER_LEN]) -> Option<Self> {
        let [a, b, c, d, e, f, _] = bytes;
        // syncword, any ID, layer 0, protection_absent.
        if a != 0xff || b & 0xf7 != 0xf1 {
            return None;
        }
        let sampling_rate = *SAMPLING_RATES.get(usize::from(c >> 2 & 15))?;
        let frame_len = usize::from(d & 3) << 11 | usize::from(e) << 3 | usize::from(f >> 5);
        (frame_len >= ADTS_HEADER_LEN).then_some(Self { sampling_rate, frame_len })
    }

    /// How long `frames` last, 90 kHz, rounded.
    pub(crate) fn duration(self, frames: usize) -> u64 {
        let rate = u64::from(self.sampling_rate);
        (frames as u64 * SAMPLES * 90_000 + rate / 2) / rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &[u8; 7], expected: Option<(u32, usize)>) {
        let expected =
            expected.map(|(sampling_rate, frame_len)| AdtsHeader { sampling_rate, frame_len });
        assert_eq!(AdtsHeader::parse(*header), expected);
    }

    #[test]
    fn headers() {
        check(b"\xff\xf1\x4c\x40\x01\x5f\xfc", Some((48_000, 10))); // FFmpeg, 48 kHz mono
        check(b"\xff\xf9\x4c\x40\x01\x5f\xfc", Some((48_000, 10))); // MPEG-2
        check(b"\xff\xf0\x4c\x40\x01\x5f\xfc", None); // with CRC
        check(b"\xff\xf3\x4c\x40\x01\x5f\xfc", None); // layer
        check(b"\xff\xf1\x74\x40\x01\x5f\xfc", None); // rate 13
        check(b"\xff\xf1\x4c\x40\x00\xdf\xfc", None); // 6 bytes
        check(b"\xff\xf1\x6c\x43\xff\xff\xfc", Some((8_000, 8191)));
    }

    #[test]
    fn durations_do_not_drift() {
        let header = AdtsHeader::parse(*b"\xff\xf1\x50\x40\x01\x5f\xfc").expect("44.1 kHz");
        assert_eq!((header.duration(1), header.duration(441)), (2090, 921_600));
    }
}
