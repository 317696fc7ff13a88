use proptest::prelude::*;
use streamkeep_decoder_protocol::{Codec, FailureKind, Format, Sample, Wanted};

use super::*;
use crate::work::KEY_FRAME;

fn job<'a>(configuration: &'a [u8], frames: &[&'a [u8]]) -> Job<'a> {
    let samples = (0..).zip(frames).map(|(pts, data)| Sample { pts, data }).collect();
    Job {
        codec: Codec::H264,
        configuration,
        samples,
        wanted: Wanted::Last,
        format: Format::Png,
        size: None,
        image_len_max: u32::MAX,
    }
}

/// Width, height and the first sample of each plane.
fn decoded(job: &Job<'_>) -> Result<(usize, usize, [u8; 3]), Failure> {
    decode(job, |picture| {
        let first = [&picture.luma, &picture.cb, &picture.cr].map(|plane| plane.row(0)[0]);
        Ok((picture.luma.width, picture.luma.height, first))
    })
}

const EXPECTED: (usize, usize, [u8; 3]) = (64, 64, [116, 166, 95]);

/// The key frame as a track holds it: its avcC, its slice behind a length.
fn as_in_a_track() -> (Vec<u8>, Vec<u8>) {
    let nal = |kind| {
        NalUnits::new(KEY_FRAME, NalFraming::AnnexB)
            .find(|nal| NalUnitType::of(nal) == Some(kind))
            .unwrap()
    };
    let (sps, pps) = (nal(NalUnitType::SPS), nal(NalUnitType::PPS));
    let record = AvcDecoderConfigurationRecord::build(&[sps], &[pps]).unwrap();
    let slice = nal(NalUnitType::SLICE_IDR);
    let frame = [&(slice.len() as u32).to_be_bytes(), slice].concat();
    (record, frame)
}

#[test]
fn parameter_sets_in_the_frame_or_beside_it() {
    let (record, frame) = as_in_a_track();
    assert_eq!(decoded(&job(&[], &[KEY_FRAME])), Ok(EXPECTED));
    assert_eq!(decoded(&job(&record, &[&frame])), Ok(EXPECTED));
    assert_eq!(decoded(&job(&KEY_FRAME[..35], &[&frame])), Ok(EXPECTED));
}

#[test]
fn what_is_damaged_is_media() {
    let (record, frame) = as_in_a_track();
    let mut wrong_length = frame.clone();
    wrong_length[3] += 1;
    for (what, configuration, frame) in [
        ("no parameter sets", &[][..], &frame[..]),
        ("a cut record", &record[..9], &frame),
        ("a length past the end", &record, &wrong_length),
        ("nothing", &record, &[]),
        ("half a slice header", &record, &[0, 0, 0, 2, 0x65, 0x88]),
        ("only SEI", &record, &[0, 0, 0, 2, 6, 0]),
    ] {
        let failure = decoded(&job(configuration, &[frame])).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Media, "{what}: {failure:?}");
    }
}

#[test]
fn formats_openh264_lacks_are_unsupported() {
    // High 4:2:2 Intra, 10 bits: profile_idc 122, chroma_format_idc 2; the rest is never read.
    let sps = sps_of(122, 2, 2);
    let mut frame = vec![0, 0, 0, 1];
    frame.extend(sps);
    let failure = decoded(&job(&[], &[&frame])).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unsupported, "{failure:?}");
}

/// An SPS of 16×16 with these values.
fn sps_of(profile_idc: u8, chroma_format_idc: u32, depth_above_8: u32) -> Vec<u8> {
    let mut bits = String::new();
    let mut ue = |value: u32| {
        let code = format!("{:b}", value + 1);
        bits += &"0".repeat(code.len() - 1);
        bits += &code;
    };
    ue(0); // seq_parameter_set_id
    ue(chroma_format_idc);
    ue(depth_above_8); // bit_depth_luma_minus8
    ue(depth_above_8); // bit_depth_chroma_minus8
    bits += "00"; // no bypass, no scaling matrix
    bits += "111"; // log2_max_frame_num_minus4, pic_order_cnt_type, log2_max_pic_order_cnt_lsb: 0
    bits += "1"; // max_num_ref_frames 0
    bits += "0"; // no gaps
    bits += "11"; // one macroblock wide, one high
    bits += "1100"; // frames only, direct 8×8, no cropping, no VUI
    bits += "1"; // rbsp_stop_one_bit
    let mut nal = vec![0x67, profile_idc, 0, 30];
    for byte in bits.as_bytes().chunks(8) {
        nal.push((0..8).fold(0, |sum, i| sum << 1 | u8::from(byte.get(i) == Some(&b'1'))));
    }
    nal
}

#[test]
fn a_frame_fed_twice_is_two_pictures() {
    // Two key frames, the second wanted.
    assert_eq!(decoded(&job(&[], &[KEY_FRAME, KEY_FRAME])), Ok(EXPECTED));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Bits flip in parameter sets and slices: an error or some picture, never a crash.
    #[test]
    fn flipped_bits(flips in prop::collection::vec((0usize..70, 0u8..8), 1..4)) {
        let mut frame = KEY_FRAME.to_vec();
        for (at, bit) in flips {
            frame[at] ^= 1 << bit;
        }
        let _ = decoded(&job(&[], &[&frame]));
    }
}
