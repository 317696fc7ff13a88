//! The linter sees each rule broken: one change, one fault.

use super::*;
use crate::progressive::{Edit, MovieBuilder, MovieTrack};
use crate::test_tracks::*;
use crate::{SegmentKind, media_segment_head};

fn find(bytes: &[u8], kind: &[u8]) -> usize {
    bytes.windows(kind.len()).position(|window| window == kind).unwrap()
}

#[test]
fn media_segments() {
    let samples = [sample(170, 1024, 0, true), sample(180, 1024, 0, true)];
    let mut whole = media_segment_head(SegmentKind::Part, 1, 5, &samples).unwrap();
    whole.resize(whole.len() + 350, 0x5a);
    assert!(read_media_segment(&whole).is_ok());
    // Box, byte counted from its type, new bytes, box of the fault, problem.
    for (kind, at, change, faulty, problem) in [
        (b"styp", 4, &b"abcd"[..], b"styp", "the major brand is not among the compatible"),
        (b"moof", 0, b"moov", b"\0\0\0\0", "another box is expected here"),
        (b"mfhd", 4, b"\x01", b"mfhd", "version or flags are not as they should be"),
        (b"tfhd", 4, b"\0\0\0\x28", b"tfhd", "illegal flags"),
        (b"tfhd", 4, b"\0\x02\0\x38", b"tfhd", "illegal flags"),
        (b"tfhd", 4, b"\0\x02\0\x20", b"tfhd", "illegal sample flags"), // the duration, read as flags
        (b"tfhd", 11, b"\x02", b"tfhd", "track_ID is not 1"),
        (b"tfhd", 12, b"\0\0\0\0", b"trun", "a sample without duration"),
        (b"tfhd", 16, b"\0\0\0\0", b"tfhd", "illegal sample flags"),
        (b"tfhd", 16, b"\x02\x01\0\0", b"tfhd", "illegal sample flags"),
        (b"tfdt", 4, b"\0", b"tfdt", "version or flags are not as they should be"),
        (b"tfdt", 8, &[0x80], b"tfdt", "decode times do not fit in 63 bits"),
        (b"trun", 4, b"\0", b"trun", "illegal flags"),
        (b"trun", 4, b"\x01\0\0\x01", b"trun", "illegal flags"),
        (b"trun", 4, b"\x01\0\x06\x05", b"trun", "illegal flags"),
        (b"trun", 4, b"\x01\0\x03\x01", b"trun", "durations are told twice or not at all"),
        (b"trun", 8, b"\0\0\0\x03", b"trun", "the rows do not fill the box"),
        (b"trun", 8, b"\0\0\0\0", b"trun", "no samples"),
        (b"trun", 12, b"\0\0\0\x71", b"trun", "data_offset is not the payload's"),
        (b"trun", 16, b"\0\0\0\xab", b"mdat", "the samples do not fill the payload"),
        (b"mdat", -1, b"\x67", b"\0\0\0\0", "a box does not fit into its parent"),
        (b"mdat", -1, b"\x65", b"\0\0\0\0", "bytes are left over"),
    ] {
        let mut changed = whole.clone();
        let at = find(&whole, kind).checked_add_signed(at).unwrap();
        changed[at..at + change.len()].copy_from_slice(change);
        let fault = read_media_segment(&changed).expect_err(problem);
        assert_eq!((&fault.box_type, fault.problem), (faulty, problem), "{change:02x?}");
    }
    // A second traf, and a column that need not be there.
    let moof = find(&whole, b"moof") - 4;
    let traf = find(&whole, b"traf") - 4;
    let end = find(&whole, b"mdat") - 4;
    let mut twice = [&whole[..end], &whole[traf..end], &whole[end..]].concat();
    twice[moof + 3] += (end - traf) as u8;
    assert_eq!(read_media_segment(&twice).unwrap_err().problem, "bytes are left over");
    let mut wide = [&whole[..end], &[0; 8], &whole[end..]].concat();
    for kind in [b"moof", b"traf", b"trun"] {
        wide[find(&whole, kind) - 1] += 8;
    }
    let trun = find(&whole, b"trun");
    wide[trun + 4..trun + 32]
        .copy_from_slice(b"\x01\0\x0a\x01\0\0\0\x02\0\0\0\x78\0\0\0\xaa\0\0\0\0\0\0\0\xb4\0\0\0\0");
    let fault = read_media_segment(&wide).unwrap_err();
    assert_eq!(fault.problem, "a column that is the same in all rows");
}

#[test]
fn movies() {
    let mut builder = MovieBuilder::new();
    let track = MovieTrack { timescale: 45_000, sample_entries: vec![avc()] };
    let track = builder.add_track(track).unwrap();
    let frames =
        [sample(9, 1500, 0, true), sample(8, 1500, 3000, false), sample(7, 1600, -1500, false)];
    for _ in 0..2 {
        builder.add_chunk(track, 0, &frames).unwrap();
    }
    builder.set_edits(track, vec![Edit { duration: 9000, media_time: Some(1500) }]).unwrap();
    let layout = builder.finish().unwrap();
    assert!(read_movie(&layout.head, layout.total_len).is_ok());
    let short = read_movie(&layout.head, layout.total_len - 1).unwrap_err();
    assert_eq!(short.problem, "mdat does not end with the file");
    for (kind, at, change, faulty, problem) in [
        (b"mvhd", 4, &b"\0"[..], b"mvhd", "version or flags are not as they should be"),
        (b"mvhd", 35, b"\0", b"mvhd", "the duration is not that of the longest track"),
        (b"mvhd", 115, b"\x03", b"mvhd", "next_track_ID is not the next"),
        (b"tkhd", 7, b"\x01", b"tkhd", "version or flags are not as they should be"),
        (b"tkhd", 39, b"\0", b"stbl", "tkhd is not what is presented"),
        (b"elst", 26, b"\x34", b"stbl", "an edit begins behind the end of the media"),
        (b"mdhd", 35, b"\0", b"stbl", "mdhd is not the sum of the durations"),
        (b"hdlr", 12, b"soun", b"tkhd", "only sound has a volume"),
        (b"stsd", 11, b"\x02", b"stsd", "a sample entry is missing"),
        (b"stsd", 16, b"avc3", b"avc3", "neither avc1 nor hvc1"),
        (b"avcC", 4, b"\0", b"avcC", "configurationVersion is not 1"),
        (b"stts", 11, b"\x05", b"stts", "the rows do not fill the box"),
        (b"stts", 15, b"\x01", b"stts", "fewer rows than samples"),
        (b"stts", 15, b"\x09", b"stts", "more rows than samples"),
        (b"stts", 18, b"\0\0", b"stts", "a sample without duration"),
        (b"ctts", 19, b"\x01", b"cslg", "not what the samples say"),
        (b"ctts", 4, b"\0", b"ctts", "version or flags are not as they should be"),
        (b"cslg", 15, b"\0", b"cslg", "not what the samples say"),
        (b"cslg", 47, b"\0", b"cslg", "not what the samples say"),
        (b"stss", 15, b"\0", b"stss", "sample numbers do not rise"),
        (b"stss", 19, b"\x01", b"stss", "sample numbers do not rise"),
        (b"stss", 19, b"\x09", b"stss", "no such sample"),
        (b"stsc", 15, b"\x02", b"stsc", "the first run is not of the first chunk"),
        (b"stsc", 19, b"\x04", b"stsc", "more samples in chunks than there are"),
        (b"stsc", 19, b"\x02", b"stsc", "samples that are in no chunk"),
        (b"stsc", 23, b"\x02", b"stsc", "no such sample entry"),
        (b"stsz", 19, b"\x0a", b"moov", "chunks leave a gap or overlap"),
        (b"stsz", 39, b"\x0a", b"moov", "chunks do not fill the payload"),
        (b"co64", 4, b"\x01", b"co64", "version or flags are not as they should be"),
    ] {
        let mut changed = layout.head.clone();
        let at = find(&changed, kind) + at;
        changed[at..at + change.len()].copy_from_slice(change);
        let fault = read_movie(&changed, layout.total_len).expect_err(problem);
        assert_eq!((&fault.box_type, fault.problem), (faulty, problem), "{change:02x?}");
    }
    // The first chunk one byte too far.
    let mut changed = layout.head.clone();
    let last_byte = find(&changed, b"co64") + 19;
    changed[last_byte] += 1;
    let fault = read_movie(&changed, layout.total_len).unwrap_err();
    assert_eq!(fault.problem, "chunks leave a gap or overlap");
}
