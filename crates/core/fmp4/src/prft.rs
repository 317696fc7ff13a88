//! Producer reference time box: ISO/IEC 14496-12 §8.16.5.

use crate::box_writer::BoxWriter;

/// A `prft` box of track 1, to stand between `styp` and `moof` or before `styp`: what the
/// producer's clock said when the sample with this decode time was captured. It lets players
/// measure latency.
///
/// `unix_ns` is nanoseconds since 1970; `media_time` is in ticks of the track's timescale.
pub fn producer_reference_time(unix_ns: u64, media_time: u64) -> Vec<u8> {
    let seconds = unix_ns / NS_PER_S + NTP_UNIX_S;
    let fraction = ((unix_ns % NS_PER_S) << 32) / NS_PER_S;
    let mut out = Vec::with_capacity(32);
    // flags 24: the time at which the sample was captured.
    out.put_full_box(b"prft", 1, 24, |out| {
        out.put_u32(1); // reference_track_ID
        // RFC 5905 §6: 32 bits of seconds, which begin anew in 2036, and 32 bits of fraction.
        out.put_u64(seconds << 32 | fraction);
        out.put_u64(media_time);
    });
    out
}

const NS_PER_S: u64 = 1_000_000_000;
/// Seconds from 1900 to 1970.
const NTP_UNIX_S: u64 = 2_208_988_800;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_second_past_1970() {
        let expected = b"\0\0\0\x20prft\x01\0\0\x18\0\0\0\x01\
            \x83\xaa\x7e\x80\x80\0\0\0\
            \0\0\0\0\0\x01\x5f\x90";
        assert_eq!(producer_reference_time(500_000_000, 90_000), expected);
        // No overflow at the end of what fits.
        assert_eq!(producer_reference_time(u64::MAX, u64::MAX).len(), 32);
    }
}
