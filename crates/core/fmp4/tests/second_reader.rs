//! What is written, read by another implementation of the standard.

#![allow(clippy::unwrap_used, reason = "a test's helpers are tests")]

use bytes::Bytes;
use mp4_atom::{Atom, Codec, Decode, Encode, Ftyp, Header, Mdat, Moof, Moov, StszSamples, Styp};
use streamkeep_fmp4::progressive::{Edit, MovieBuilder, MovieTrack};
use streamkeep_fmp4::{
    AudioCodec, AudioSampleEntry, ColourInformation, Sample, SampleEntry, SegmentKind, TrackInit,
    VideoCodec, VisualSampleEntry, init_segment, media_segment_head,
};

/// libx264's 1280×720, high profile.
const AVCC: &[u8] =
    b"\x01\x64\x00\x1f\xff\xe1\x00\x1a\x67\x64\x00\x1f\xac\xd9\x40\x50\x05\xbb\x01\x10\x00\x00\x03\
      \x00\x10\x00\x00\x03\x03\xc0\xf1\x83\x19\x60\x01\x00\x06\x68\xeb\xe3\xcb\x22\xc0\xfd\xf8\xf8\
      \x00";
/// One array with one VPS of three bytes.
const HVCC: &[u8] =
    b"\x01\x01\x60\x00\x00\x00\x90\x00\x00\x00\x00\x00\x3f\xf0\x00\xfc\xfd\xf8\xf8\x00\x00\x0f\x01\
      \xa0\x00\x01\x00\x03\x40\x01\x0c";
const OPUS_HEAD: &[u8] = b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\xfe\xff\0";

fn visual(codec: VideoCodec) -> SampleEntry {
    SampleEntry::Visual(VisualSampleEntry {
        codec,
        width: 1280,
        height: 720,
        display_width: 1706,
        display_height: 720,
        pixel_aspect_ratio: Some((4, 3)),
        colour: Some(ColourInformation { primaries: 1, transfer: 16, matrix: 9, full_range: true }),
    })
}

fn avc() -> SampleEntry {
    visual(VideoCodec::Avc { record: Bytes::from_static(AVCC) })
}

fn audio(codec: AudioCodec, channels: u16, sampling_rate: u32) -> SampleEntry {
    SampleEntry::Audio(AudioSampleEntry { codec, channels, sampling_rate })
}

fn aac() -> SampleEntry {
    audio(AudioCodec::Aac { config: Bytes::from_static(&[0x11, 0x90]) }, 2, 48_000)
}

/// The box's body as the other implementation writes it.
fn body(atom: &impl Encode) -> Vec<u8> {
    let mut bytes = Vec::new();
    atom.encode(&mut bytes).unwrap();
    bytes.split_off(8)
}

/// The one sample entry of an initialisation segment.
fn init(timescale: u32, sample_entry: SampleEntry, priming: u32) -> Codec {
    let bytes = init_segment(&TrackInit { timescale, sample_entry, priming }).unwrap();
    let mut rest = &bytes[..];
    let ftyp = Ftyp::decode(&mut rest).unwrap();
    assert_eq!(ftyp.major_brand, b"iso6".into());
    let mut moov = Moov::decode(&mut rest).unwrap();
    assert!(rest.is_empty());
    assert_eq!((moov.mvhd.timescale, moov.mvhd.next_track_id), (timescale, 2));
    assert_eq!(moov.mvex.unwrap().trex[0].track_id, 1);
    let mut trak = moov.trak.pop().unwrap();
    assert!(moov.trak.is_empty());
    assert_eq!((trak.tkhd.track_id, trak.tkhd.enabled, trak.tkhd.in_movie), (1, true, true));
    assert_eq!((trak.mdia.mdhd.timescale, trak.mdia.mdhd.language.as_str()), (timescale, "und"));
    let edits = trak.edts.and_then(|edts| edts.elst).map(|elst| elst.entries);
    let media_time = edits.and_then(|edits| edits[0].media_time);
    assert_eq!(media_time, (priming > 0).then_some(priming.into()));
    assert_eq!(trak.mdia.minf.stbl.stsd.codecs.len(), 1);
    trak.mdia.minf.stbl.stsd.codecs.remove(0)
}

#[test]
fn video_entries() {
    let Codec::Avc1(entry) = init(90_000, avc(), 0) else { panic!("not avc1") };
    assert_eq!((entry.visual.width, entry.visual.height), (1280, 720));
    assert_eq!(body(&entry.avcc), AVCC);
    assert_eq!(body(&entry.pasp), b"\0\0\0\x04\0\0\0\x03");
    assert_eq!(body(&entry.colr), b"nclx\0\x01\0\x10\0\x09\x80");
    let hevc = visual(VideoCodec::Hevc { record: Bytes::from_static(HVCC) });
    let Codec::Hvc1(entry) = init(90_000, hevc, 0) else { panic!("not hvc1") };
    assert_eq!(body(&entry.hvcc), HVCC);
    assert!(entry.pasp.is_some() && entry.colr.is_some());
}

#[test]
fn audio_entries() {
    let Codec::Mp4a(entry) = init(48_000, aac(), 2112) else { panic!("not mp4a") };
    assert_eq!((entry.audio.channel_count, entry.audio.sample_rate.integer()), (2, 48_000));
    let config = &entry.esds.es_desc.dec_config;
    assert_eq!((config.object_type_indication, config.stream_type), (0x40, 5));
    let specific = config.dec_specific.as_ref().unwrap();
    assert_eq!((specific.profile, specific.freq_index, specific.chan_conf), (2, 3, 2));

    let opus = audio(AudioCodec::Opus { head: Bytes::from_static(OPUS_HEAD) }, 2, 48_000);
    let Codec::Opus(entry) = init(48_000, opus, 312) else { panic!("not Opus") };
    let dops = &entry.dops;
    assert_eq!((dops.output_channel_count, dops.pre_skip, dops.output_gain), (2, 312, -2));
    assert_eq!(dops.input_sample_rate, 48_000);

    let pcm = audio(AudioCodec::Pcm { bits: 24 }, 2, 44_100);
    let Codec::Ipcm(entry) = init(44_100, pcm, 0) else { panic!("not ipcm") };
    let pcmc = entry.pcmc.unwrap();
    assert_eq!((pcmc.big_endian, pcmc.sample_size), (false, 24));

    let mulaw = audio(AudioCodec::Mulaw, 1, 8_000);
    assert!(matches!(init(8_000, mulaw, 0), Codec::Unknown(kind, _) if kind == b"ulaw".into()));
}

fn sample(size: u32, duration: u32, composition_offset: i32, is_sync: bool) -> Sample {
    Sample { size, duration, composition_offset, is_sync }
}

#[test]
fn media_segments() {
    let check = |samples: &[Sample], time: u64| {
        let mut bytes = media_segment_head(SegmentKind::Segment, 9, time, samples).unwrap();
        let payload_len: u32 = samples.iter().map(|sample| sample.size).sum();
        bytes.resize(bytes.len() + payload_len as usize, 7);
        let mut rest = &bytes[..];
        assert_eq!(Styp::decode(&mut rest).unwrap().major_brand, b"msdh".into());
        let before = rest.len();
        let moof = Moof::decode(&mut rest).unwrap();
        let moof_len = before - rest.len();
        let header = Header::decode(&mut rest).unwrap();
        assert_eq!((header.kind, header.size), (Mdat::KIND, Some(payload_len as usize)));
        assert_eq!(rest.len(), payload_len as usize);
        assert_eq!(moof.mfhd.sequence_number, 9);
        let [traf] = &moof.traf[..] else { panic!("one traf") };
        let (tfhd, [trun]) = (&traf.tfhd, &traf.trun[..]) else { panic!("one trun") };
        assert!(tfhd.default_base_is_moof && tfhd.track_id == 1);
        assert_eq!(traf.tfdt.as_ref().unwrap().base_media_decode_time, time);
        assert_eq!(trun.data_offset, Some(moof_len as i32 + 8));
        let read: Vec<_> = trun
            .samples
            .iter()
            .map(|entry| {
                let flags = entry.flags.or(tfhd.default_sample_flags).unwrap();
                Sample {
                    size: entry.size.unwrap(),
                    duration: entry.duration.or(tfhd.default_sample_duration).unwrap(),
                    composition_offset: entry.cts.unwrap_or(0) as i32,
                    is_sync: flags & 0x0001_0000 == 0,
                }
            })
            .collect();
        assert_eq!(read, samples);
    };
    let video =
        [sample(900, 3003, 0, true), sample(80, 3003, 6006, false), sample(7, 3003, -3003, false)];
    check(&video, 0);
    check(&video[..1], 1 << 40);
    check(&[sample(900, 3003, 0, true), sample(80, 3000, 0, false)], 5);
    check(&[sample(170, 1024, 0, true); 94], 48_000);
    check(&[sample(9, 1, 0, false), sample(9, 1, 0, true), sample(9, 2, 0, false)], 1);
}

#[test]
fn progressive_files() {
    let mut builder = MovieBuilder::new();
    let add = |builder: &mut MovieBuilder, timescale, entry| {
        builder.add_track(MovieTrack { timescale, sample_entries: vec![entry] }).unwrap()
    };
    let (video, audio) = (add(&mut builder, 90_000, avc()), add(&mut builder, 48_000, aac()));
    let frames =
        [sample(900, 3000, 0, true), sample(80, 3000, 6000, false), sample(7, 3100, -3000, false)];
    for _ in 0..3 {
        builder.add_chunk(video, 0, &frames).unwrap();
        builder.add_chunk(audio, 0, &[sample(170, 1024, 0, true); 9]).unwrap();
    }
    let edits = vec![
        Edit { duration: 900, media_time: None },
        Edit { duration: 18_000, media_time: Some(3000) },
    ];
    builder.set_edits(video, edits).unwrap();
    let layout = builder.finish().unwrap();
    let mut rest = &layout.head[..];
    assert_eq!(Ftyp::decode(&mut rest).unwrap().major_brand, b"isom".into());
    let moov = Moov::decode(&mut rest).unwrap();
    let header = Header::decode(&mut rest).unwrap();
    assert_eq!((header.kind, header.size), (Mdat::KIND, Some(layout.media_len as usize)));
    assert!(rest.is_empty() && moov.mvex.is_none());
    assert_eq!((moov.mvhd.timescale, moov.mvhd.duration), (90_000, 27 * 1920));

    let [video, audio] = &moov.trak[..] else { panic!("two tracks") };
    assert_eq!((video.tkhd.duration, video.tkhd.width.integer()), (18_900, 1706));
    let elst = video.edts.as_ref().unwrap().elst.as_ref().unwrap();
    let edits: Vec<_> =
        elst.entries.iter().map(|edit| (edit.segment_duration, edit.media_time)).collect();
    assert_eq!(edits, [(900, None), (18_000, Some(3000))]);
    assert_eq!(video.mdia.mdhd.duration, 27_300);
    let stbl = &video.mdia.minf.stbl;
    let stts: Vec<_> =
        stbl.stts.entries.iter().map(|row| (row.sample_count, row.sample_delta)).collect();
    assert_eq!(stts, [(2, 3000), (1, 3100), (2, 3000), (1, 3100), (2, 3000), (1, 3100)]);
    let ctts = stbl.ctts.as_ref().unwrap();
    assert_eq!(ctts.entries.len(), 9);
    assert_eq!(ctts.entries[2].sample_offset, -3000);
    assert_eq!(stbl.cslg.as_ref().unwrap().composition_to_dts_shift, 3000);
    assert_eq!(stbl.stss.as_ref().unwrap().entries, [1, 4, 7]);
    assert_eq!(stbl.stsc.entries.len(), 1);
    let sizes = [900, 80, 7].repeat(3);
    assert_eq!(stbl.stsz.samples, StszSamples::Different { sizes });
    let start = layout.head.len() as u64;
    let offsets = |first: u64| (0..3).map(|n| first + n * (987 + 9 * 170)).collect::<Vec<_>>();
    assert_eq!(stbl.co64.as_ref().unwrap().entries, offsets(start));
    let stbl = &audio.mdia.minf.stbl;
    assert_eq!(stbl.stsz.samples, StszSamples::Identical { count: 27, size: 170 });
    assert_eq!(stbl.co64.as_ref().unwrap().entries, offsets(start + 987));
    assert!(stbl.stss.is_none() && stbl.ctts.is_none() && stbl.cslg.is_none());
}
