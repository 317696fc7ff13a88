//! The 90 kHz clock: 33-bit timestamps and the program clock reference.

/// Timestamps are sent modulo this: ISO/IEC 13818-1 §2.4.3.7, 33 bits, a wrap every 26.5 hours.
pub const TIMESTAMP_MODULUS: u64 = 1 << 33;

/// What callers add to their times, audio and video alike, so that decoding times and clock
/// references ahead of the first frame are not negative: 10 s. The writer does not add it.
pub const TIME_OFFSET_90K: u64 = 10 * 90_000;

/// How far the clock is behind the decoding times: 0.35 s, for data to arrive before it is due.
pub(crate) const PCR_LEAD: u64 = 31_500;

/// ISO/IEC 13818-1 §2.7.2: at most 100 ms between two clock references.
pub(crate) const PCR_DISTANCE_MAX: u64 = 9_000;

/// The 33 bits that go on the wire.
pub(crate) fn wrapped(time: u64) -> u64 {
    time % TIMESTAMP_MODULUS
}

/// From `earlier` to `later`, both of 33 bits, by the shorter way round.
pub(crate) fn distance(earlier: u64, later: u64) -> i64 {
    let forward = later.wrapping_sub(earlier) % TIMESTAMP_MODULUS;
    match forward < TIMESTAMP_MODULUS / 2 {
        true => forward as i64,
        false => forward as i64 - TIMESTAMP_MODULUS as i64,
    }
}

/// A PTS or DTS field after its four-bit prefix: ISO/IEC 13818-1 §2.4.3.6, marker bits set.
pub(crate) fn encode_timestamp(prefix: u8, time: u64) -> [u8; 5] {
    let time = wrapped(time);
    [
        prefix << 4 | (time >> 29) as u8 & 0x0e | 1,
        (time >> 22) as u8,
        (time >> 14) as u8 & 0xfe | 1,
        (time >> 7) as u8,
        (time << 1) as u8 | 1,
    ]
}

/// Reads the field back. `None` if the prefix or a marker bit is wrong.
pub(crate) fn parse_timestamp(prefix: u8, field: [u8; 5]) -> Option<u64> {
    let [a, b, c, d, e] = field.map(u64::from);
    let sound = a >> 4 == u64::from(prefix) && a & c & e & 1 == 1;
    sound.then_some((a & 0x0e) << 29 | b << 22 | (c & 0xfe) << 14 | d << 7 | e >> 1)
}

/// program_clock_reference of the adaptation field: base at 90 kHz, six reserved bits, extension 0.
pub(crate) fn encode_pcr(time: u64) -> [u8; 6] {
    let [_, _, a, b, c, d, e, f] = (wrapped(time) << 15 | 0x3f << 9).to_be_bytes();
    [a, b, c, d, e, f]
}

/// The base of the field, 90 kHz.
pub(crate) fn parse_pcr(field: [u8; 6]) -> u64 {
    let [a, b, c, d, e, f] = field;
    u64::from_be_bytes([0, 0, a, b, c, d, e, f]) >> 15
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_of_33_bits() {
        let all_ones = TIMESTAMP_MODULUS - 1;
        for (time, field) in [
            (0, [0x21, 0x00, 0x01, 0x00, 0x01]),
            (1, [0x21, 0x00, 0x01, 0x00, 0x03]),
            (900_000, [0x21, 0x00, 0x37, 0x77, 0x41]),
            (all_ones, [0x2f, 0xff, 0xff, 0xff, 0xff]),
        ] {
            assert_eq!(encode_timestamp(2, time), field, "{time}");
            assert_eq!(encode_timestamp(2, time + TIMESTAMP_MODULUS), field, "{time}");
            assert_eq!(parse_timestamp(2, field), Some(time));
            assert_eq!(parse_timestamp(3, field), None);
            for marker in [0, 2, 4] {
                let mut broken = field;
                broken[marker] ^= 1;
                assert_eq!(parse_timestamp(2, broken), None);
            }
            assert_eq!(parse_pcr(encode_pcr(time)), time);
        }
        assert_eq!(encode_pcr(1), [0, 0, 0, 0, 0xfe, 0]);
        assert_eq!(encode_pcr(0), [0, 0, 0, 0, 0x7e, 0]);
    }

    #[test]
    fn distance_over_the_wrap() {
        assert_eq!(distance(TIMESTAMP_MODULUS - 5, 10), 15);
        assert_eq!(distance(10, TIMESTAMP_MODULUS - 5), -15);
        assert_eq!(distance(7, 7), 0);
    }
}
