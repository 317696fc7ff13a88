//! The codecs parameter of H.265: ISO/IEC 14496-15 §E.3.

use std::fmt::Write;

/// `hvc1.P.C.TL.X` from the twelve bytes of general profile, tier, constraints and level: see
/// [`SequenceParameterSet::profile_tier_level`](super::SequenceParameterSet::profile_tier_level).
///
/// Browsers reject strings with made-up parts (packaging.md §1.6), so each comes from the stream.
pub fn codec_string(profile_tier_level: &[u8; 12]) -> String {
    let &[profile, c0, c1, c2, c3, ref constraints @ .., level] = profile_tier_level;
    let space = ["", "A", "B", "C"][usize::from(profile >> 6)];
    let tier = if profile & 0x20 == 0 { 'L' } else { 'H' };
    // general_profile_compatibility_flag[0] is the first bit sent and the lowest of the number.
    let compatibility = u32::from_be_bytes([c0, c1, c2, c3]).reverse_bits();
    let mut codecs = String::with_capacity(40);
    let mut write = |part: std::fmt::Arguments<'_>| {
        codecs.write_fmt(part).expect("a String takes everything");
    };
    write(format_args!("hvc1.{space}{}.{compatibility:x}.{tier}{level}", profile & 0x1f));
    let len = constraints.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    for byte in &constraints[..len] {
        write(format_args!(".{byte:x}"));
    }
    codecs
}

#[cfg(test)]
mod tests {
    use super::super::SequenceParameterSet;
    use super::super::test_data::*;
    use super::*;

    #[test]
    fn strings() {
        for (bytes, expected) in [
            // packaging.md §1.6
            ([0x01, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 0x78], "hvc1.1.6.L120.90"),
            ([0x02, 0x20, 0, 0, 0, 0xb0, 0, 0, 0, 0, 0, 153], "hvc1.2.4.L153.b0"),
            // The two examples of ISO/IEC 14496-15 §E.3, with hvc1 and lower-case digits.
            ([0x01, 0x40, 0, 0, 0, 0xb0, 0, 0, 0, 0, 0, 93], "hvc1.1.2.L93.b0"),
            ([0x64, 0x82, 0, 0, 0, 0xb0, 0x23, 0, 0, 0, 0, 120], "hvc1.A4.41.H120.b0.23"),
            // High tier, no constraint at all, a zero between two constraint bytes.
            ([0xe4, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0, 186], "hvc1.C4.10.H186"),
            ([0x01, 0x60, 0, 0, 1, 0x90, 0, 0x0a, 0, 0, 0, 30], "hvc1.1.80000006.L30.90.0.a"),
        ] {
            assert_eq!(codec_string(&bytes), expected);
        }
        let sps = SequenceParameterSet::parse(SPS_MAIN10_1080P).unwrap();
        assert_eq!(codec_string(&sps.profile_tier_level), "hvc1.2.4.L120.90");
    }
}
