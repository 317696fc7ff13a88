//! Lengths of media in ticks, printed in seconds by integer arithmetic.

use std::num::NonZeroU32;

use crate::decimal::{push_padded, push_u64};

/// A length on a track's timeline: `ticks / timescale` seconds.
///
/// Durations are made by subtracting absolute, already rounded times, so that sums over any run of
/// segments stay within one tick (packaging.md §2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MediaDuration {
    ticks: u64,
    timescale: NonZeroU32,
}

/// Decimals of EXTINF and PART DURATION: finer than a tick of 90 kHz is long.
const DECIMALS: usize = 5;
const UNIT: u64 = 100_000;

impl MediaDuration {
    /// `ticks` of 1/`timescale` second.
    pub const fn new(ticks: u64, timescale: NonZeroU32) -> Self {
        Self { ticks, timescale }
    }

    /// Ticks of the video clock, 90 kHz.
    pub const fn from_ticks_90k(ticks: u64) -> Self {
        Self::new(ticks, NonZeroU32::new(90_000).expect("not zero"))
    }

    /// Whole milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self::new(millis, NonZeroU32::new(1000).expect("not zero"))
    }

    /// Whole seconds, rounded half up: what EXT-X-TARGETDURATION is compared with (RFC 8216
    /// §4.3.3.1).
    pub fn rounded_secs(self) -> u64 {
        let (whole, rest) = self.whole_and_rest();
        whole + u64::from(2 * rest >= u64::from(self.timescale.get()))
    }

    /// Milliseconds, rounded half up; the largest `u64` when there are more.
    pub fn rounded_millis(self) -> u64 {
        let (whole, rest) = self.whole_and_rest();
        let timescale = u64::from(self.timescale.get());
        whole.saturating_mul(1000).saturating_add((rest * 1000 + timescale / 2) / timescale)
    }

    /// Seconds with five decimals, rounded half up.
    pub(crate) fn push_secs(self, out: &mut Vec<u8>) {
        let timescale = u64::from(self.timescale.get());
        let (mut whole, rest) = self.whole_and_rest();
        // rest < 2^32, so the product is far from 2^64.
        let mut fraction = (rest * UNIT + timescale / 2) / timescale;
        if fraction == UNIT {
            whole += 1;
            fraction = 0;
        }
        push_u64(out, whole);
        out.push(b'.');
        push_padded(out, fraction, DECIMALS);
    }

    fn whole_and_rest(self) -> (u64, u64) {
        let timescale = u64::from(self.timescale.get());
        (self.ticks / timescale, self.ticks % timescale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds() {
        for (ticks, timescale, text, rounded, millis) in [
            (180_000, 90_000, "2.00000", 2, 2000),
            (239_670, 90_000, "2.66300", 3, 2663),
            (1, 90_000, "0.00001", 0, 0),
            (89_999, 90_000, "0.99999", 1, 1000),
            (269_999_999, 90_000_000, "3.00000", 3, 3000),
            (1024, 44_100, "0.02322", 0, 23),
            (1024, 48_000, "0.02133", 0, 21),
            (3_500, 1000, "3.50000", 4, 3500),
            (3_499, 1000, "3.49900", 3, 3499),
            (0, 1, "0.00000", 0, 0),
        ] {
            let duration = MediaDuration::new(ticks, NonZeroU32::new(timescale).unwrap());
            let mut out = Vec::new();
            duration.push_secs(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
            assert_eq!(duration.rounded_secs(), rounded, "{text}");
            assert_eq!(duration.rounded_millis(), millis, "{text}");
        }
        let huge = MediaDuration::new(u64::MAX, NonZeroU32::MIN);
        huge.push_secs(&mut Vec::new());
        assert_eq!(huge.rounded_millis(), u64::MAX);
    }
}
