use super::*;
use crate::fuzz;
use crate::reader::read_media_segment;
use crate::test_tracks::sample;

/// Parses with a payload of zeros appended.
fn read(mut head: Vec<u8>) -> crate::reader::MediaSegment {
    let size = u32::from_be_bytes(head[head.len() - 8..head.len() - 4].try_into().unwrap());
    head.resize(head.len() - 8 + size as usize, 0);
    read_media_segment(&head).unwrap()
}

#[test]
fn every_byte_of_a_segment() {
    // The example of packaging.md §2.2 in ms: decode times 21 54 88 121 154.
    let samples = [
        sample(1000, 33, 0, true),
        sample(100, 34, 100, false),
        sample(90, 33, 0, false),
        sample(80, 33, -67, false),
        sample(70, 34, -33, false),
    ];
    let head = media_segment_head(SegmentKind::Segment, 7, 21, &samples).unwrap();
    let expected = [
        // styp
        &b"\0\0\0\x20stypmsdh\0\0\0\0msdhmsixcmfccmfs"[..],
        // moof, mfhd
        b"\0\0\0\x9cmoof\0\0\0\x10mfhd\0\0\0\0\0\0\0\x07",
        // traf, tfhd: default-base-is-moof, default flags
        b"\0\0\0\x84traf\0\0\0\x14tfhd\0\x02\0\x20\0\0\0\x01\x01\x01\0\0",
        // tfdt
        b"\0\0\0\x14tfdt\x01\0\0\0\0\0\0\0\0\0\0\x15",
        // trun: data offset 0xa4, first sample flags
        b"\0\0\0\x54trun\x01\0\x0b\x05\0\0\0\x05\0\0\0\xa4\x02\0\0\0",
        b"\0\0\0\x21\0\0\x03\xe8\0\0\0\0",
        b"\0\0\0\x22\0\0\0\x64\0\0\0\x64",
        b"\0\0\0\x21\0\0\0\x5a\0\0\0\0",
        b"\0\0\0\x21\0\0\0\x50\xff\xff\xff\xbd",
        b"\0\0\0\x22\0\0\0\x46\xff\xff\xff\xdf",
        b"\0\0\x05\x44mdat", // 1340 + 8
    ]
    .concat();
    assert_eq!(head, expected);
    let segment = read(head);
    assert_eq!(segment.samples, samples);
    assert!(segment.only_first_is_sync());
    assert_eq!((segment.earliest_presentation_time(), segment.end_decode_time()), (21, Some(188)));
}

#[test]
fn columns_that_are_the_same_are_left_out() {
    // A part of AAC: durations and flags once, no offsets.
    let samples = [sample(170, 1024, 0, true), sample(180, 1024, 0, true)];
    let head = media_segment_head(SegmentKind::Part, 1, 1 << 32, &samples).unwrap();
    let expected = [
        &b"\0\0\0\x20stypmsdh\0\0\0\0msdhmsixcmfccmfl"[..],
        b"\0\0\0\x68moof\0\0\0\x10mfhd\0\0\0\0\0\0\0\x01",
        b"\0\0\0\x50traf\0\0\0\x18tfhd\0\x02\0\x28\0\0\0\x01\0\0\x04\0\x02\0\0\0",
        b"\0\0\0\x14tfdt\x01\0\0\0\0\0\0\x01\0\0\0\0",
        b"\0\0\0\x1ctrun\x01\0\x02\x01\0\0\0\x02\0\0\0\x70\0\0\0\xaa\0\0\0\xb4",
        b"\0\0\x01\x66mdat",
    ]
    .concat();
    assert_eq!(head, expected);
    assert_eq!(read(head).samples, samples);
}

#[test]
fn a_chunk_of_a_feed_is_a_part_without_its_type() {
    let samples = [sample(1000, 33, 0, true), sample(100, 34, 0, false)];
    let part = media_segment_head(SegmentKind::Part, 3, 21, &samples).unwrap();
    let chunk = media_segment_head(SegmentKind::Chunk, 3, 21, &samples).unwrap();
    assert_eq!(chunk, part[32..]);
    let read = read(chunk);
    assert_eq!((read.brands.len(), read.samples.as_slice()), (0, &samples[..]));
}

#[test]
fn every_combination_of_columns_is_read_back() {
    for bits in 0..64 {
        let bit = |n: i32| bits >> n & 1;
        let samples = [
            sample(9, 5, 0, bit(0) == 1),
            sample(0, 5 + bit(1) as u32, bit(2), bit(3) == 1),
            sample(7, 5, -bit(4), bit(5) == 1),
        ];
        fuzz::segment(90_000, &samples);
    }
}

#[test]
fn refusals() {
    let one = [sample(1, 1, 0, true)];
    let refusal = |time, samples: &[Sample]| {
        let mut out = vec![7];
        let kind = SegmentKind::Segment;
        let error = write_media_segment_head(&mut out, kind, 0, time, samples).unwrap_err();
        assert_eq!(out, [7]);
        error
    };
    assert_eq!(refusal(0, &[]), Error::NoSamples);
    assert_eq!(refusal(u64::MAX, &one), Error::DecodeTimeTooLarge);
    assert_eq!(refusal((1 << 63) - 1, &one), Error::DecodeTimeTooLarge);
    fuzz::segment((1 << 63) - 2, &one);
    let large = [sample(u32::MAX - 7, 1, 0, true)];
    assert_eq!(refusal(0, &large), Error::PayloadTooLarge { len: (1 << 32) - 8 });
}
