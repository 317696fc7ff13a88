use super::*;

const AVCC: &[u8] = &[1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 4, 0x67, 0x64, 0, 0x1f, 1, 0, 2, 0x68, 0xeb];
const AVC: &str = "V_MPEG4/ISO/AVC";
const HEVC: &str = "V_MPEGH/ISO/HEVC";

// slice_header: first_mb_in_slice ue, slice_type ue.
const P_SLICE: &[u8] = &[0x41, 0b1001_1010, 0x12]; // 1 (0), 00110 (5)
const I_SLICE: &[u8] = &[0x41, 0b1000_1000, 0x80]; // 1 (0), 0001000 (7)
const IDR_SLICE: &[u8] = &[0x65, 0b1000_1000, 0x84];
const RECOVERY_POINT: &[u8] = &[0x06, 6, 1, 0xc4, 0x80];
const SPS: &[u8] = &[0x67, 0x64, 0, 0x1f, 0xac];
const PPS: &[u8] = &[0x68, 0xeb, 0xe3];

fn prefixed(length_size: usize, nals: &[&[u8]]) -> Vec<u8> {
    let mut frame = Vec::new();
    for nal in nals {
        frame.extend_from_slice(&(nal.len() as u32).to_be_bytes()[4 - length_size..]);
        frame.extend_from_slice(nal);
    }
    frame
}

fn annex_b(nals: &[&[u8]]) -> Vec<u8> {
    nals.iter().flat_map(|nal| [&[0, 0, 0, 1], *nal].concat()).collect()
}

fn check(codec_id: &str, nals: &[&[u8]], expected: Option<bool>) {
    for size in [1, 2, 4] {
        let mut private = AVCC.to_vec();
        if codec_id == HEVC {
            private = vec![1; 23];
            private[21] = 0x0c | (size as u8 - 1);
        } else {
            private[4] = 0xfc | (size as u8 - 1);
        }
        let frame = prefixed(size, nals);
        assert_eq!(is_key_frame(codec_id, &private, &frame), expected, "{size} {nals:02x?}");
    }
    let frame = annex_b(nals);
    for private in [AVCC, &frame[..], &[]] {
        assert_eq!(is_key_frame(codec_id, private, &frame), expected, "Annex B {nals:02x?}");
    }
}

#[test]
fn h264_frames() {
    check(AVC, &[IDR_SLICE], Some(true));
    check(AVC, &[&[9, 0xf0], SPS, PPS, IDR_SLICE], Some(true));
    check(AVC, &[P_SLICE], Some(false));
    // Parameter sets do not make a key frame.
    check(AVC, &[SPS, PPS, P_SLICE], Some(false));
    check(AVC, &[SPS, PPS], Some(false));
    // Open GOP: I with a recovery point; neither alone is enough.
    check(AVC, &[RECOVERY_POINT, I_SLICE], Some(true));
    check(AVC, &[I_SLICE], Some(false));
    check(AVC, &[RECOVERY_POINT, P_SLICE], Some(false));
    // A parameter set whose bytes read like one.
    check(AVC, &[&[0x68, 6, 1, 0xc4, 0x80], I_SLICE], Some(false));
    // The recovery point counts only before the slice.
    check(AVC, &[I_SLICE, RECOVERY_POINT], Some(false));
    check(AVC, &[&[0x06, 6, 1, 0x44, 0x80], I_SLICE], Some(false));
}

#[test]
fn h265_frames() {
    for nal_unit_type in 0..32u8 {
        let slice = [nal_unit_type << 1, 1, 0xaf, 0x08];
        let expected = Some((16..=23).contains(&nal_unit_type));
        check(HEVC, &[&slice], expected);
        check(HEVC, &[&[0x40, 1, 0x0c, 9], &[0x42, 1, 1, 9], &[0x44, 1, 9], &slice], expected);
    }
    check(HEVC, &[&[0x40, 1, 0x0c, 9]], Some(false));
}

#[test]
fn other_codecs_and_broken_frames_keep_the_claim() {
    assert_eq!(is_key_frame("V_VP9", &[], &[0x82, 0x49]), None);
    assert_eq!(is_key_frame("A_AAC", &[0x11, 0x90], &[1, 2]), None);
    assert_eq!(is_key_frame(AVC, AVCC, &[]), None);
    assert_eq!(is_key_frame(AVC, AVCC, &[0, 0, 0, 9, 0x67, 1]), None);
    assert_eq!(is_key_frame(AVC, AVCC, &[0xff; 64]), None);
    // A slice whose header is cut off says nothing.
    assert_eq!(is_key_frame(AVC, AVCC, &[0, 0, 0, 1, 0x41]), None);
}

#[test]
fn prefix_is_enough_once_the_slice_is_there() {
    let probe = KeyFrameProbe::new(AVC, AVCC);
    let mut idr = IDR_SLICE.to_vec();
    idr.resize(5000, 7);
    let frame = prefixed(4, &[SPS, PPS, &idr]);
    let slice_at = 4 + SPS.len() + 4 + PPS.len() + 4;
    for len in 0..=frame.len() {
        let expected = (len > slice_at).then_some(true);
        assert_eq!(probe.is_key_by_prefix(&frame[..len], frame.len()), expected, "{len}");
    }
}

#[test]
fn every_cut_and_every_byte_is_survived() {
    let frames = [
        prefixed(4, &[&[9, 0xf0], SPS, PPS, RECOVERY_POINT, I_SLICE]),
        annex_b(&[&[9, 0xf0], SPS, PPS, RECOVERY_POINT, I_SLICE]),
    ];
    for codec_id in [AVC, HEVC] {
        for frame in &frames {
            for cut in 0..=frame.len() {
                let _ = is_key_frame(codec_id, AVCC, &frame[..cut]);
            }
            for at in 0..frame.len() {
                for value in [0, 1, 3, 0x7f, 0xff] {
                    let mut changed = frame.clone();
                    changed[at] = value;
                    let _ = is_key_frame(codec_id, AVCC, &changed);
                }
            }
        }
    }
}
