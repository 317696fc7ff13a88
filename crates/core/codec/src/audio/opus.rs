//! Opus: the identification header (RFC 7845 §5.1), the CodecPrivate of `A_OPUS`, and the duration
//! in a packet's first bytes (RFC 6716 §3).

use crate::Error;

/// The identification header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpusHead {
    /// Output channels, 1 or more.
    pub channels: u8,
    /// Samples at 48 kHz to drop from the decoder's start.
    pub pre_skip: u16,
    /// Rate of the sound before encoding in Hz, 0 when not told. Timing always goes by 48 kHz.
    pub input_sample_rate: u32,
    /// Q7.8 dB.
    pub output_gain: i16,
    /// 0: mono or stereo without a mapping table.
    pub mapping_family: u8,
}

impl OpusHead {
    /// Parses the header; a channel mapping table behind it is not read.
    pub fn parse(record: &[u8]) -> Result<Self, Error> {
        let truncated = Error::Truncated { structure: "OpusHead" };
        let fields: &[u8; 11] = match record.split_at_checked(8) {
            Some((b"OpusHead", rest)) => rest.first_chunk().ok_or(truncated)?,
            Some(_) => return Err(Error::NotA { structure: "OpusHead" }),
            None => return Err(truncated),
        };
        let [version, channels, skip0, skip1, r0, r1, r2, r3, gain0, gain1, mapping_family] =
            *fields;
        // The upper four bits are the major version: readers take 0 only.
        if version >> 4 != 0 {
            return Err(Error::Unsupported { field: "Opus version", value: version.into() });
        }
        if channels == 0 {
            return Err(Error::NotA { structure: "OpusHead" });
        }
        Ok(Self {
            channels,
            pre_skip: u16::from_le_bytes([skip0, skip1]),
            input_sample_rate: u32::from_le_bytes([r0, r1, r2, r3]),
            output_gain: i16::from_le_bytes([gain0, gain1]),
            mapping_family,
        })
    }
}

/// Duration of a packet in samples at 48 kHz; `packet` may be cut after two bytes. `None` when the
/// packet is invalid: longer than 120 ms or without the bytes that tell.
pub(crate) fn packet_samples(packet: &[u8]) -> Option<u32> {
    let (&toc, rest) = packet.split_first()?;
    // RFC 6716 Table 2.
    let frame = match (toc >> 3, u32::from(toc >> 3 & 3)) {
        (0..=11, 3) => 2880,                  // SILK 60 ms
        (0..=11, size) => 480 << size,        // SILK 10, 20, 40 ms
        (12..=15, size) => 480 << (size & 1), // hybrid 10, 20 ms
        (_, size) => 120 << size,             // CELT 2.5, 5, 10, 20 ms
    };
    let count = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(rest.first()? & 0x3f),
    };
    let samples = frame * count;
    (1..=5760).contains(&samples).then_some(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header() {
        let record = b"OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00";
        let head = OpusHead::parse(record).unwrap();
        assert_eq!((head.channels, head.pre_skip, head.input_sample_rate), (2, 312, 48_000));
        for len in 0..record.len() {
            assert_eq!(
                OpusHead::parse(&record[..len]),
                Err(Error::Truncated { structure: "OpusHead" })
            );
        }
        let refused = |at: usize, value: u8| {
            let mut changed = record.to_vec();
            changed[at] = value;
            OpusHead::parse(&changed).unwrap_err()
        };
        assert_eq!(refused(0, b'o'), Error::NotA { structure: "OpusHead" });
        assert_eq!(refused(8, 0x10), Error::Unsupported { field: "Opus version", value: 16 });
        assert_eq!(refused(9, 0), Error::NotA { structure: "OpusHead" });
    }

    #[test]
    fn durations() {
        // configuration << 3 | code
        for (packet, ms_x2) in [
            (&[0 << 3][..], Some(20)),      // SILK 10 ms
            (&[1 << 3], Some(40)),          // SILK 20 ms
            (&[2 << 3], Some(80)),          // SILK 40 ms
            (&[11 << 3], Some(120)),        // SILK 60 ms
            (&[12 << 3], Some(20)),         // hybrid 10 ms
            (&[13 << 3], Some(40)),         // hybrid 20 ms
            (&[14 << 3], Some(20)),         // hybrid, super-wideband → fullband
            (&[16 << 3], Some(5)),          // CELT 2.5 ms
            (&[31 << 3], Some(40)),         // CELT 20 ms
            (&[31 << 3 | 1], Some(80)),     // two frames
            (&[31 << 3 | 3, 6], Some(240)), // six frames: 120 ms
            (&[31 << 3 | 3, 7], None),      // 140 ms
            (&[31 << 3 | 3, 0], None),
            (&[31 << 3 | 3], None),
            (&[], None),
        ] {
            assert_eq!(packet_samples(packet), ms_x2.map(|n| n * 24), "{packet:02x?}");
        }
    }
}
