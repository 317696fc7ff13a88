//! Stored samples to 16-bit linear samples, the width that the encoder works in.

use crate::g711::{A_LAW, MU_LAW};
use crate::{Error, SampleEncoding, SoundFormat};

/// Most sound taken in one call, in seconds, fragment and tail each: three times the longest
/// fragment that ingest takes.
pub const DURATION_MAX_SECONDS: u32 = 60;

/// Samples of each channel in the payloads, by their lengths alone.
pub(crate) fn sample_count(format: &SoundFormat, payloads: &[&[u8]]) -> Result<u64, Error> {
    let block_len = format.block_len();
    let samples_max = u64::from(format.rate_hz()) * u64::from(DURATION_MAX_SECONDS);
    let mut count = 0;
    for (payload_index, payload) in payloads.iter().enumerate() {
        let payload_len = payload.len();
        if payload_len % block_len != 0 {
            return Err(Error::PartialSample { payload_index, payload_len, block_len });
        }
        count += (payload_len / block_len) as u64;
        if count > samples_max {
            return Err(Error::TooLong { samples_max });
        }
    }
    Ok(count)
}

/// Appends a payload's samples, interleaved as they are stored. The payload holds whole samples.
pub(crate) fn decode(encoding: SampleEncoding, payload: &[u8], out: &mut Vec<i16>) {
    match encoding {
        SampleEncoding::ALaw => out.extend(payload.iter().map(|&o| A_LAW[usize::from(o)])),
        SampleEncoding::MuLaw => out.extend(payload.iter().map(|&o| MU_LAW[usize::from(o)])),
        SampleEncoding::PcmU8 => {
            out.extend(payload.iter().map(|&octet| (i16::from(octet) - 128) * 256));
        }
        SampleEncoding::PcmS16Le => out.extend(arrays(payload).map(i16::from_le_bytes)),
        SampleEncoding::PcmS16Be => out.extend(arrays(payload).map(i16::from_be_bytes)),
        SampleEncoding::PcmS24Le => {
            out.extend(
                arrays(payload).map(|[a, b, c]| upper_half(i32::from_le_bytes([0, a, b, c]))),
            );
        }
        SampleEncoding::PcmS32Le => {
            out.extend(arrays(payload).map(|bytes| upper_half(i32::from_le_bytes(bytes))));
        }
        SampleEncoding::PcmF32Le => {
            // A float to integer cast saturates and makes 0 of NaN: no value from the wire is out
            // of range.
            out.extend(
                arrays(payload).map(|bytes| (f32::from_le_bytes(bytes) * 32_768.0).round() as i16),
            );
        }
    }
}

fn arrays<const N: usize>(payload: &[u8]) -> impl Iterator<Item = [u8; N]> {
    payload.as_chunks::<N>().0.iter().copied()
}

/// The upper 16 bits, rounded, not past full scale.
fn upper_half(sample: i32) -> i16 {
    (sample.saturating_add(1 << 15) >> 16) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(encoding: SampleEncoding, payload: &[u8], expected: &[i16]) {
        let mut out = Vec::new();
        decode(encoding, payload, &mut out);
        assert_eq!(out, expected, "{encoding:?}");
    }

    #[test]
    fn each_encoding() {
        check(SampleEncoding::ALaw, &[0xd5, 0x55, 0xaa, 0x2a], &[8, -8, 32_256, -32_256]);
        check(SampleEncoding::MuLaw, &[0xff, 0x7f, 0x80, 0x00], &[0, 0, 32_124, -32_124]);
        check(SampleEncoding::PcmU8, &[128, 0, 255, 129], &[0, -32_768, 32_512, 256]);
        check(SampleEncoding::PcmS16Le, &[0x34, 0x12, 0x00, 0x80], &[0x1234, i16::MIN]);
        check(SampleEncoding::PcmS16Be, &[0x12, 0x34, 0x80, 0x00], &[0x1234, i16::MIN]);
        check(
            SampleEncoding::PcmS24Le,
            &[0x7f, 0x34, 0x12, 0x80, 0x34, 0x12, 0xff, 0xff, 0x7f, 0x00, 0x00, 0x80],
            &[0x1234, 0x1235, i16::MAX, i16::MIN],
        );
        check(
            SampleEncoding::PcmS32Le,
            &[0xff, 0x7f, 0x34, 0x12, 0xff, 0xff, 0xff, 0x7f, 0x00, 0x00, 0x00, 0x80],
            &[0x1234, i16::MAX, i16::MIN],
        );
        let floats: Vec<u8> = [0.0f32, 0.5, -1.0, 1.0, 7e30, f32::NAN, f32::NEG_INFINITY]
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        check(
            SampleEncoding::PcmF32Le,
            &floats,
            &[0, 16_384, i16::MIN, i16::MAX, i16::MAX, 0, i16::MIN],
        );
    }

    #[test]
    fn counts_whole_samples_only() {
        let format = SoundFormat::new(SampleEncoding::PcmS16Le, 8_000, 2).unwrap();
        assert_eq!(sample_count(&format, &[&[0; 8], &[], &[0; 4]]), Ok(3));
        assert_eq!(
            sample_count(&format, &[&[0; 8], &[0; 6]]),
            Err(Error::PartialSample { payload_index: 1, payload_len: 6, block_len: 4 })
        );
        let minute = vec![0; 8_000 * 4 * 60];
        assert_eq!(sample_count(&format, &[&minute]), Ok(480_000));
        let over = sample_count(&format, &[&minute, &[0; 4]]);
        assert_eq!(over, Err(Error::TooLong { samples_max: 480_000 }));
    }
}
