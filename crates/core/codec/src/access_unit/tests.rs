use proptest::prelude::*;

use super::*;
use crate::h264::test_data::{PPS_HIGH, SPS_HIGH_1280X720, SPS_INTERLACED};
use crate::h265::test_data::{PPS, SPS_MAIN_640X360, VPS};
use crate::nal_units::{NalFraming, NalUnits};

#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn u(mut self, count: u32, value: u32) -> Self {
        self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        self
    }

    fn ue(self, value: u32) -> Self {
        let bits = 32 - (value + 1).leading_zeros();
        self.u(2 * bits - 1, value + 1)
    }

    /// Header bytes, the bits, then payload that cannot look like a start code.
    fn nal(mut self, header: &[u8], payload_len: usize) -> Vec<u8> {
        self.0.push(true);
        let mut nal = header.to_vec();
        nal.extend(self.0.chunks(8).map(|chunk| {
            chunk.iter().enumerate().fold(0, |byte, (i, &bit)| byte | u8::from(bit) << (7 - i))
        }));
        nal.extend((0..payload_len).map(|i| i as u8 | 0x80));
        nal
    }
}

/// An H.264 slice for [`SPS_HIGH_1280X720`]: 4 bits of frame_num, 6 of pic_order_cnt_lsb.
fn slice(header: u8, first_mb: u32, frame_num: u32, order: u32) -> Vec<u8> {
    let bits = Bits::default().ue(first_mb).ue(7).ue(0).u(4, frame_num);
    let bits = if header & 0x1f == 5 { bits.ue(0) } else { bits };
    bits.u(6, order).nal(&[header], 90)
}

/// A field for [`SPS_INTERLACED`], whose frame_num has 4 bits and pic_order_cnt_lsb 6.
fn field(header: u8, frame_num: u32, bottom: bool, order: u32) -> Vec<u8> {
    let bits = Bits::default().ue(0).ue(7).ue(0).u(4, frame_num).u(1, 1).u(1, bottom.into());
    let bits = if header & 0x1f == 5 { bits.ue(0) } else { bits };
    bits.u(6, order).nal(&[header], 10)
}

/// An H.265 slice segment for [`SPS_MAIN_640X360`]: 8 bits of slice_pic_order_cnt_lsb.
fn segment(nal_unit_type: u8, first: bool, order: u32) -> Vec<u8> {
    let mut bits = Bits::default().u(1, first.into());
    if (16..=23).contains(&nal_unit_type) {
        bits = bits.u(1, 0);
    }
    bits = bits.ue(0);
    if first {
        bits = bits.ue(1);
        if !matches!(nal_unit_type, 19 | 20) {
            bits = bits.u(8, order);
        }
    }
    bits.nal(&[nal_unit_type << 1, 1], 90)
}

fn annex_b(nals: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (i, nal) in nals.iter().enumerate() {
        bytes.extend_from_slice(if i % 3 == 0 { &[0, 0, 0, 1] } else { &[0, 0, 1] });
        bytes.extend_from_slice(nal);
    }
    bytes
}

fn split(codec: VideoCodec, pieces: &[&[u8]]) -> Vec<AccessUnit> {
    let mut splitter = AccessUnitSplitter::new(codec);
    let mut units = Vec::new();
    for piece in pieces {
        splitter.push(piece).unwrap();
        units.extend(std::iter::from_fn(|| splitter.next_access_unit()));
    }
    splitter.finish();
    units.extend(std::iter::from_fn(|| splitter.next_access_unit()));
    units
}

fn nals(unit: &AccessUnit) -> Vec<&[u8]> {
    NalUnits::new(&unit.data, NalFraming::LengthPrefixed(4)).collect()
}

const AUD: &[u8] = &[9, 0xf0];
const SEI: &[u8] = &[6, 1, 1, 9, 0x80];

#[test]
fn h264_pictures() {
    let idr = slice(0x65, 0, 0, 0);
    let p = slice(0x41, 0, 1, 6);
    let p2 = slice(0x41, 40, 1, 6); // a second slice of it
    let b = slice(0x01, 0, 2, 2);
    let b2 = slice(0x01, 0, 2, 4);
    let filler: &[u8] = &[12, 0xff, 0x80];
    let bytes = annex_b(&[
        AUD,
        SPS_HIGH_1280X720,
        PPS_HIGH,
        SEI,
        &idr,
        AUD,
        &p,
        &p2,
        filler,
        SEI,
        filler,
        &b,
        &b2,
    ]);
    let units = split(VideoCodec::H264, &[&bytes]);
    let found: Vec<_> = units.iter().map(|u| (u.key, u.order.count, nals(u))).collect();
    assert_eq!(
        found,
        [
            (true, 0, vec![AUD, SPS_HIGH_1280X720, PPS_HIGH, SEI, &idr]),
            (false, 6, vec![AUD, &p, &p2, filler]),
            (false, 2, vec![SEI, filler, &b]),
            (false, 4, vec![&b2]),
        ]
    );
    assert!(units[0].order.restarts && !units[1].order.restarts);
    let parameters = &units[0].parameters;
    assert_eq!((parameters.width, parameters.height), (1280, 720));
    assert_eq!((parameters.frame_rate_hint, parameters.reorder_depth), (Some(30.0), Some(2)));
    assert_eq!(
        parameters.codec_private,
        h264::AvcDecoderConfigurationRecord::build(&[SPS_HIGH_1280X720], &[PPS_HIGH]).unwrap()
    );
    assert!(units.iter().all(|unit| unit.parameters == *parameters));
}

#[test]
fn h264_order_wraps() {
    // pic_order_cnt_lsb has 6 bits: 62 is followed by 0 and 2.
    let mut stream = vec![SPS_HIGH_1280X720.to_vec(), PPS_HIGH.to_vec(), slice(0x65, 0, 0, 0)];
    stream.extend((1..80).map(|i| slice(0x41, 0, i % 16, i * 2 % 64)));
    let refs: Vec<&[u8]> = stream.iter().map(Vec::as_slice).collect();
    let counts: Vec<i32> =
        split(VideoCodec::H264, &[&annex_b(&refs)]).iter().map(|unit| unit.order.count).collect();
    assert_eq!(counts, (0..80).map(|i| 2 * i).collect::<Vec<i32>>());
}

/// The count of a picture goes by the last *reference* picture before it (H.264 §8.2.1.1, H.265
/// §8.3.1), so a far non-reference picture in between does not carry it over.
#[test]
fn order_goes_by_reference_pictures() {
    let h264 = [
        SPS_HIGH_1280X720.to_vec(),
        PPS_HIGH.to_vec(),
        slice(0x65, 0, 0, 0),
        slice(0x41, 0, 1, 30),
        slice(0x01, 0, 2, 60),
        slice(0x41, 0, 2, 0),
    ];
    let h265 = [
        VPS.to_vec(),
        SPS_MAIN_640X360.to_vec(),
        PPS.to_vec(),
        segment(20, true, 0),
        segment(21, true, 100),
        segment(9, true, 210),
        segment(1, true, 10),
    ];
    for (codec, nals, expected) in [
        (VideoCodec::H264, &h264[..], [0, 30, 60, 0]),
        (VideoCodec::H265, &h265[..], [0, 100, 210, 10]),
    ] {
        let refs: Vec<&[u8]> = nals.iter().map(Vec::as_slice).collect();
        let units = split(codec, &[&annex_b(&refs)]);
        assert_eq!(units.iter().map(|unit| unit.order.count).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn h264_fields_of_a_frame_are_one_unit() {
    let nals_in = [
        SPS_INTERLACED.to_vec(),
        PPS_HIGH.to_vec(),
        field(0x65, 0, false, 0),
        field(0x41, 0, true, 1),
        AUD.to_vec(),
        field(0x41, 1, false, 2),
        AUD.to_vec(),
        field(0x41, 1, true, 3),
        field(0x41, 2, true, 5), // its other field is missing
        field(0x41, 3, true, 7),
    ];
    let refs: Vec<&[u8]> = nals_in.iter().map(Vec::as_slice).collect();
    let units = split(VideoCodec::H264, &[&annex_b(&refs)]);
    let counts: Vec<usize> = units.iter().map(|unit| nals(unit).len()).collect();
    assert_eq!(counts, [4, 4, 1, 1]);
}

#[test]
fn h265_pictures() {
    let idr = segment(20, true, 0);
    let p = segment(1, true, 4);
    let p2 = segment(1, false, 0);
    let b = segment(0, true, 2);
    let cra = segment(21, true, 8);
    let rasl = segment(8, true, 6);
    let suffix_sei = [40 << 1, 1, 1, 1, 0x80];
    let bytes = annex_b(&[
        VPS,
        SPS_MAIN_640X360,
        PPS,
        &idr,
        &p,
        &p2,
        &suffix_sei,
        &b,
        VPS,
        SPS_MAIN_640X360,
        PPS,
        &cra,
        &rasl,
    ]);
    let units = split(VideoCodec::H265, &[&bytes]);
    let found: Vec<_> =
        units.iter().map(|u| (u.key, u.order.count, u.order.leading, nals(u).len())).collect();
    assert_eq!(
        found,
        [
            (true, 0, false, 4),
            (false, 4, false, 3),
            (false, 2, false, 1),
            (true, 8, false, 4),
            (false, 6, true, 1),
        ]
    );
    let restarts: Vec<bool> = units.iter().map(|unit| unit.order.restarts).collect();
    assert_eq!(restarts, [true, false, false, false, false]);
    assert!(units[3].order.may_have_leading && !units[0].order.may_have_leading);
    assert_eq!((units[0].parameters.width, units[0].parameters.height), (640, 360));

    // A CRA picture at the start restarts the count, and so after an end of sequence.
    let end = [36 << 1, 1];
    let bytes = annex_b(&[VPS, SPS_MAIN_640X360, PPS, &cra, &end, &cra, &cra]);
    let restarts: Vec<bool> =
        split(VideoCodec::H265, &[&bytes]).iter().map(|unit| unit.order.restarts).collect();
    assert_eq!(restarts, [true, true, false]);
}

#[test]
fn slices_before_their_parameter_sets_are_dropped() {
    let p = slice(0x41, 0, 1, 2);
    let idr = slice(0x65, 0, 0, 0);
    let bytes = annex_b(&[AUD, &p, &p, SPS_HIGH_1280X720, PPS_HIGH, &idr]);
    let units = split(VideoCodec::H264, &[&bytes]);
    assert_eq!(units.len(), 1);
    assert_eq!(nals(&units[0]), [SPS_HIGH_1280X720, PPS_HIGH, &idr]);
    assert!(split(VideoCodec::H264, &[b"no video at all"]).is_empty());
    assert!(split(VideoCodec::H264, &[]).is_empty());
}

#[test]
fn parameters_change_with_their_sets() {
    let idr = slice(0x65, 0, 0, 0);
    // The interlaced SPS has one more bit before idr_pic_id, so its slices are fields.
    let other = field(0x65, 0, false, 0);
    let bytes = annex_b(&[
        SPS_HIGH_1280X720,
        PPS_HIGH,
        &idr,
        SPS_HIGH_1280X720,
        PPS_HIGH,
        &idr,
        SPS_INTERLACED,
        &other,
    ]);
    let units = split(VideoCodec::H264, &[&bytes]);
    assert_eq!(units.len(), 3);
    assert_eq!(units[0].parameters, units[1].parameters);
    assert_eq!((units[2].parameters.width, units[2].parameters.height), (720, 576));
    assert_ne!(units[1].parameters.codec_private, units[2].parameters.codec_private);
}

#[test]
fn a_unit_comes_out_when_the_next_slice_begins() {
    let idr = slice(0x65, 0, 0, 0);
    let p = slice(0x41, 0, 1, 2);
    let mut splitter = AccessUnitSplitter::new(VideoCodec::H264);
    splitter.push(&annex_b(&[SPS_HIGH_1280X720, PPS_HIGH, &idr])).unwrap();
    assert_eq!(splitter.next_access_unit(), None);
    splitter.push(&[0, 0, 1]).unwrap();
    splitter.push(&p[..SLICE_PEEK_LEN - 1]).unwrap();
    assert_eq!(splitter.next_access_unit(), None);
    splitter.push(&p[SLICE_PEEK_LEN - 1..SLICE_PEEK_LEN]).unwrap();
    assert!(splitter.next_access_unit().is_some_and(|unit| unit.key));
    splitter.push(&p[SLICE_PEEK_LEN..]).unwrap();
    splitter.finish();
    let last = splitter.next_access_unit().unwrap();
    assert_eq!(nals(&last), [&p[..]]);
}

#[test]
fn memory_is_bounded() {
    let mut splitter = AccessUnitSplitter::new(VideoCodec::H264);
    let junk = vec![7; 1 << 20];
    let error = (0..40).find_map(|_| splitter.push(&junk).err());
    assert_eq!(
        error,
        Some(Error::LimitExceeded { what: "access unit", limit: ACCESS_UNIT_LEN_MAX })
    );
}

fn stream(codec: VideoCodec) -> Vec<u8> {
    let nals = match codec {
        VideoCodec::H264 => vec![
            AUD.to_vec(),
            SPS_HIGH_1280X720.to_vec(),
            PPS_HIGH.to_vec(),
            slice(0x65, 0, 0, 0),
            slice(0x65, 9, 0, 0),
            SEI.to_vec(),
            slice(0x41, 0, 1, 4),
            vec![12, 0xff, 0x80],
            slice(0x01, 0, 2, 2),
        ],
        VideoCodec::H265 => vec![
            VPS.to_vec(),
            SPS_MAIN_640X360.to_vec(),
            PPS.to_vec(),
            segment(19, true, 0),
            segment(19, false, 0),
            segment(6, true, 255),
            vec![40 << 1, 1, 1, 1, 0x80],
            segment(1, true, 1),
        ],
    };
    let refs: Vec<&[u8]> = nals.iter().map(Vec::as_slice).collect();
    annex_b(&refs)
}

proptest! {
    #[test]
    fn any_split_gives_the_same_units(cuts in prop::collection::vec(0usize..900, 0..40)) {
        for codec in [VideoCodec::H264, VideoCodec::H265] {
            let bytes = stream(codec);
            let whole = split(codec, &[&bytes]);
            prop_assert_eq!(whole.len(), 3);
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|w| &bytes[w[0]..w[1]]).collect();
            prop_assert_eq!(&split(codec, &pieces), &whole);
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(&split(codec, &single), &whole);
        }
    }

    #[test]
    fn damage_is_survived(changes in prop::collection::vec((0usize..900, any::<u8>()), 1..30)) {
        for codec in [VideoCodec::H264, VideoCodec::H265] {
            let mut bytes = stream(codec);
            for &(at, value) in &changes {
                let at = at % bytes.len();
                bytes[at] = value;
            }
            crate::fuzz::access_units(codec, &bytes);
        }
    }
}
