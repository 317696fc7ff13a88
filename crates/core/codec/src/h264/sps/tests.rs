use super::super::test_data::*;
use super::*;

/// What the test looks at: size, SAR, frame rate, reorder depth.
type Facts = ((u32, u32), Option<(u16, u16)>, Option<f64>, Option<u8>);

fn check(nal: &[u8], expected: Facts) {
    let sps = SequenceParameterSet::parse(nal).unwrap();
    let sar = sps.sample_aspect_ratio.map(|sar| (sar.width, sar.height));
    let facts = ((sps.width, sps.height), sar, sps.frame_rate_hint(), sps.reorder_depth());
    assert_eq!(facts, expected);
}

#[test]
fn encoder_output() {
    check(SPS_HIGH_1280X720, ((1280, 720), Some((1, 1)), Some(30.0), Some(2)));
    check(SPS_CROPPED, ((1918, 1078), Some((4, 3)), Some(60_000.0 / 1001.0), Some(2)));
    check(SPS_INTERLACED, ((720, 576), Some((1, 1)), Some(25.0), Some(2)));
    check(SPS_BASELINE, ((1920, 1080), Some((411, 308)), Some(38_002.0 / 634.0), Some(0)));
}

#[test]
fn fields() {
    let sps = SequenceParameterSet::parse(SPS_HIGH_1280X720).unwrap();
    assert_eq!((sps.profile_idc, sps.constraint_flags, sps.level_idc), (100, 0, 31));
    assert_eq!((sps.chroma_format_idc, sps.bit_depth_luma, sps.bit_depth_chroma), (1, 8, 8));
    assert_eq!((sps.syntax.frame_num_bits, sps.syntax.pic_order_cnt_lsb_bits), (4, 6));
}

#[test]
fn colour() {
    let sps = SequenceParameterSet::parse(SPS_PQ).unwrap();
    let expected = ColourDescription { primaries: 1, transfer: 16, matrix: 9, full_range: true };
    assert_eq!(sps.colour, Some(expected));
    assert_eq!(SequenceParameterSet::parse(SPS_BASELINE).unwrap().colour, None);
}

#[test]
fn a_vui_cut_short_is_taken_as_far_as_it_goes() {
    // The picture size ends in byte 9; the VUI with its timing follows.
    for len in 13..SPS_HIGH_1280X720.len() {
        let sps = SequenceParameterSet::parse(&SPS_HIGH_1280X720[..len]).unwrap();
        assert_eq!((sps.width, sps.height), (1280, 720), "{len}");
    }
    let sps = SequenceParameterSet::parse(&SPS_HIGH_1280X720[..22]).unwrap();
    assert_eq!((sps.frame_rate_hint(), sps.max_num_reorder_frames), (Some(30.0), None));
}

#[test]
fn refusals() {
    for len in 1..9 {
        assert_eq!(
            SequenceParameterSet::parse(&SPS_HIGH_1280X720[..len]),
            Err(Error::Truncated { structure: "H.264 SPS" }),
            "{len}"
        );
    }
    for nal in [&[][..], PPS_HIGH] {
        assert_eq!(SequenceParameterSet::parse(nal), Err(Error::NotA { structure: "H.264 SPS" }));
    }
    // Width of more macroblocks than any level has: 66 profile, id 0, frame_num 4 bits, POC type
    // 2, 1 reference, no gaps, then 22 zeros.
    let nal = [0x67, 66, 0, 30, 0b1101_1010, 0, 0, 3, 0, 3, 0xff, 0xff, 0xff, 0xff];
    assert!(matches!(
        SequenceParameterSet::parse(&nal),
        Err(Error::OutOfRange { field: "pic_width_in_mbs_minus1", .. })
    ));
    assert_eq!(
        cropped(16, 2, 4, 4, "crop"),
        Err(Error::OutOfRange { field: "crop", value: 16, max: 15 })
    );
    assert_eq!(cropped(16, 2, 4, 3, "crop"), Ok(2));
    assert!(cropped(16, 4, u32::MAX, u32::MAX, "crop").is_err());
}

#[test]
fn decoded_picture_buffer() {
    let check = |nal: &[u8], level_idc: u8, expected: u8| {
        let mut sps = SequenceParameterSet::parse(nal).unwrap();
        sps.level_idc = level_idc;
        assert_eq!(sps.max_dpb_frames(), expected, "{level_idc}");
    };
    check(SPS_HIGH_1280X720, 31, 5); // 18,000 / (80 · 45)
    check(SPS_HIGH_1280X720, 40, 9);
    check(SPS_HIGH_1280X720, 62, 16); // never more
    check(SPS_HIGH_1280X720, 10, 1); // never less
    check(SPS_HIGH_1280X720, 99, 16);
    check(SPS_CROPPED, 42, 4); // 34,816 / (120 · 68)
    check(SPS_INTERLACED, 30, 5); // 8,100 / (45 · 36): frames, not fields
    let mut sps = SequenceParameterSet::parse(SPS_BASELINE).unwrap();
    sps.syntax.frame_size_in_mbs = 99; // 176×144
    sps.level_idc = 11;
    assert_eq!(sps.max_dpb_frames(), 9);
    sps.constraint_flags |= 0x10; // level 1b
    assert_eq!(sps.max_dpb_frames(), 4);
}
