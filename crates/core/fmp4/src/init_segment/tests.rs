use super::*;
use crate::reader::read_init;
use crate::test_tracks::*;
use crate::{AudioCodec, VideoCodec};

fn init(timescale: u32, sample_entry: SampleEntry, priming: u32) -> Vec<u8> {
    init_segment(&TrackInit { timescale, sample_entry, priming }).unwrap()
}

/// ISO/IEC 14496-12, box by box, for the plainest track of video and of audio.
#[test]
fn every_byte() {
    let matrix: &[u8] =
        b"\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x40\0\0\0";
    let mvhd = |timescale: &[u8; 4]| {
        [
            b"\0\0\0\x6cmvhd\0\0\0\0\0\0\0\0\0\0\0\0",
            &timescale[..],
            b"\0\0\0\0\0\x01\0\0\x01\0\0\0\0\0\0\0\0\0\0\0",
            matrix,
            &[0; 24],
            b"\0\0\0\x02",
        ]
        .concat()
    };
    let tkhd = |volume: u8, size: &[u8; 8]| {
        [
            b"\0\0\0\x5ctkhd\0\0\0\x03\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0",
            &[0; 12][..],
            &[volume, 0, 0, 0],
            matrix,
            size,
        ]
        .concat()
    };
    let mdhd = |timescale: &[u8; 4]| {
        let head = b"\0\0\0\x20mdhd\0\0\0\0\0\0\0\0\0\0\0\0";
        [head, &timescale[..], b"\0\0\0\0\x55\xc4\0\0"].concat()
    };
    let dinf: &[u8] = b"\0\0\0\x24dinf\0\0\0\x1cdref\0\0\0\0\0\0\0\x01\0\0\0\x0curl \0\0\0\x01";
    let tables: &[u8] = b"\0\0\0\x10stts\0\0\0\0\0\0\0\0\0\0\0\x10stsc\0\0\0\0\0\0\0\0\
        \0\0\0\x14stsz\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10stco\0\0\0\0\0\0\0\0";
    let mvex: &[u8] = b"\0\0\0\x28mvex\0\0\0\x20trex\0\0\0\0\0\0\0\x01\0\0\0\x01\
        \0\0\0\0\0\0\0\0\0\0\0\0";
    let put = |kind: &[u8; 4], parts: &[&[u8]]| {
        let body = parts.concat();
        [&(body.len() as u32 + 8).to_be_bytes()[..], kind, &body].concat()
    };

    let rate = &90_000u32.to_be_bytes();
    let avc1 = put(
        b"avc1",
        &[
            b"\0\0\0\0\0\0\0\x01",
            &[0; 16],
            b"\x05\0\x02\xd0\0\x48\0\0\0\x48\0\0\0\0\0\0\0\x01",
            &[0; 32],
            b"\0\x18\xff\xff",
            &put(b"avcC", &[AVCC]),
        ],
    );
    let stbl = put(b"stbl", &[&put(b"stsd", &[b"\0\0\0\0\0\0\0\x01", &avc1]), tables]);
    let vmhd: &[u8] = b"\0\0\0\x14vmhd\0\0\0\x01\0\0\0\0\0\0\0\0";
    let hdlr = b"\0\0\0\x26hdlr\0\0\0\0\0\0\0\0vide\0\0\0\0\0\0\0\0\0\0\0\0video\0";
    let minf = put(b"minf", &[vmhd, dinf, &stbl]);
    let mdia = put(b"mdia", &[&mdhd(rate), hdlr, &minf]);
    let trak = put(b"trak", &[&tkhd(0, b"\x05\0\0\0\x02\xd0\0\0"), &mdia]);
    let expected = [
        &b"\0\0\0\x1cftypiso6\0\0\0\0iso6cmfccmf2"[..],
        &put(b"moov", &[&mvhd(rate), &trak, mvex]),
    ]
    .concat();
    assert_eq!(init(90_000, avc(), 0), expected);

    // Opus, with the edit list that takes its pre-skip away.
    let rate = &48_000u32.to_be_bytes();
    let opus_entry = put(
        b"Opus",
        &[
            b"\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\x02\0\x10\0\0\0\0\xbb\x80\0\0",
            b"\0\0\0\x13dOps\0\x02\x01\x38\0\0\xbb\x80\0\0\0",
        ],
    );
    let stbl = put(b"stbl", &[&put(b"stsd", &[b"\0\0\0\0\0\0\0\x01", &opus_entry]), tables]);
    let smhd: &[u8] = b"\0\0\0\x10smhd\0\0\0\0\0\0\0\0";
    let hdlr = b"\0\0\0\x26hdlr\0\0\0\0\0\0\0\0soun\0\0\0\0\0\0\0\0\0\0\0\0sound\0";
    let minf = put(b"minf", &[smhd, dinf, &stbl]);
    let mdia = put(b"mdia", &[&mdhd(rate), hdlr, &minf]);
    let edts: &[u8] =
        b"\0\0\0\x24edts\0\0\0\x1celst\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\x01\x38\0\x01\0\0";
    let trak = put(b"trak", &[&tkhd(1, &[0; 8]), edts, &mdia]);
    let expected = [
        &b"\0\0\0\x1cftypiso6\0\0\0\0iso6cmfccmf2"[..],
        &put(b"moov", &[&mvhd(rate), &trak, mvex]),
    ]
    .concat();
    assert_eq!(init(48_000, opus(), 312), expected);
}

#[test]
fn the_reader_agrees() {
    for (timescale, entry, priming) in [
        (90_000, avc(), 0),
        (90_000, hevc(), 0),
        (48_000, aac(), 0),
        (48_000, aac(), 2112),
        (48_000, opus(), 312),
        (8_000, mulaw(), 0),
        (8_000, audio(AudioCodec::Alaw, 1, 8_000), 0),
        (44_100, audio(AudioCodec::Pcm { bits: 24 }, 2, 44_100), 0),
        (48_000, audio(AudioCodec::Aac { config: vec![0x11; 300].into() }, 8, 48_000), u32::MAX),
    ] {
        let bytes = init(timescale, entry.clone(), priming);
        let read = read_init(&bytes).unwrap();
        assert_eq!(read.track.timescale, timescale);
        assert_eq!(read.track.sample_entries, [entry]);
        let media_times: Vec<_> = read.track.edits.iter().map(|edit| edit.media_time).collect();
        let expected = (priming > 0).then_some(Some(u64::from(priming)));
        assert_eq!(media_times, expected.into_iter().collect::<Vec<_>>());
        // Each byte counts: the linter sees a change of any size or a cut.
        for len in 0..bytes.len() {
            assert!(read_init(&bytes[..len]).is_err(), "{len}");
        }
    }
    let read = read_init(&init(48_000, aac(), 0)).unwrap();
    assert_eq!(read.brands, [*b"iso6", *b"cmfc", *b"cmf2", *b"caac"]);
}

#[test]
fn refusals() {
    let refusal = |timescale, sample_entry| {
        init_segment(&TrackInit { timescale, sample_entry, priming: 0 }).unwrap_err()
    };
    let invalid = |structure| Error::InvalidRecord { structure };
    assert_eq!(refusal(0, avc()), Error::ZeroTimescale);
    let with_record = |record: &'static [u8], is_avc: bool| {
        let SampleEntry::Visual(mut entry) = avc() else { unreachable!() };
        let record = bytes::Bytes::from_static(record);
        entry.codec = if is_avc { VideoCodec::Avc { record } } else { VideoCodec::Hevc { record } };
        SampleEntry::Visual(entry)
    };
    assert_eq!(refusal(1, with_record(&[], true)), invalid("avcC"));
    assert_eq!(refusal(1, with_record(b"\0\0\0\x01\x67\x64\0\x1f", true)), invalid("avcC"));
    assert_eq!(refusal(1, with_record(&AVCC[..22], false)), invalid("hvcC"));
    let refused = refusal(1, audio(AudioCodec::Aac { config: bytes::Bytes::new() }, 1, 8_000));
    assert_eq!(refused, invalid("AudioSpecificConfig"));
    let refused = refusal(1, audio(AudioCodec::Pcm { bits: 8 }, 1, 8_000));
    assert_eq!(refused, invalid("PCM sample size"));
}
