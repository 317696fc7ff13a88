use super::super::test_data::*;
use super::*;

#[test]
fn encoder_output() {
    let sps = SequenceParameterSet::parse(SPS_MAIN_640X360).unwrap();
    assert_eq!((sps.width, sps.height), (640, 360));
    assert_eq!((sps.bit_depth_luma, sps.chroma_format_idc, sps.max_sub_layers), (8, 1, 1));
    assert_eq!(sps.profile_tier_level, [1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 63]);
    assert_eq!((sps.frame_rate_hint(), sps.reorder_depth), (Some(25.0), 2));

    let sps = SequenceParameterSet::parse(SPS_MAIN10_1080P).unwrap();
    assert_eq!((sps.width, sps.height), (1920, 1080));
    assert_eq!((sps.bit_depth_luma, sps.bit_depth_chroma), (10, 10));
    assert_eq!(sps.frame_rate_hint(), Some(15.0));
}

#[test]
fn cut_short() {
    // The reorder depth ends in byte 25; scaling lists, reference picture sets and VUI follow.
    for len in 0..SPS_MAIN_640X360.len() {
        let parsed = SequenceParameterSet::parse(&SPS_MAIN_640X360[..len]);
        match len {
            0 | 1 => assert_eq!(parsed, Err(Error::NotA { structure: "H.265 SPS" })),
            2..=25 => assert_eq!(parsed, Err(Error::Truncated { structure: "H.265 SPS" }), "{len}"),
            _ => assert_eq!(parsed.map(|sps| (sps.width, sps.height)), Ok((640, 360)), "{len}"),
        }
    }
}

#[test]
fn every_byte_changed_is_survived() {
    for nal in [SPS_MAIN_640X360, SPS_MAIN10_1080P] {
        for at in 0..nal.len() {
            for value in 0..=255 {
                let mut changed = nal.to_vec();
                changed[at] = value;
                if let Ok(sps) = SequenceParameterSet::parse(&changed) {
                    assert!(sps.width <= SIDE_MAX && sps.height <= SIDE_MAX);
                }
            }
        }
    }
}
