//! The codecs parameter of H.264: RFC 6381 §3.3.

use std::fmt::Write;

use super::SequenceParameterSet;

/// `avc1.PPCCLL`: profile_idc, constraint flags and level_idc in hexadecimal.
pub fn codec_string(sps: &SequenceParameterSet) -> String {
    let mut codecs = String::with_capacity("avc1.PPCCLL".len());
    let [p, c, l] = [sps.profile_idc, sps.constraint_flags, sps.level_idc];
    write!(codecs, "avc1.{p:02x}{c:02x}{l:02x}").expect("a String takes everything");
    codecs
}

#[cfg(test)]
mod tests {
    use super::super::test_data::*;
    use super::*;

    #[test]
    fn strings() {
        for (nal, expected) in [
            (SPS_HIGH_1280X720, "avc1.64001f"),
            (SPS_CROPPED, "avc1.64002a"),
            (SPS_BASELINE, "avc1.42c02a"),
        ] {
            let sps = SequenceParameterSet::parse(nal).unwrap();
            assert_eq!(codec_string(&sps), expected);
        }
    }
}
