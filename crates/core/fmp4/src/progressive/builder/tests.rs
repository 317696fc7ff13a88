use super::*;
use crate::reader::{Movie, read_movie};
use crate::test_tracks::*;

fn track(builder: &mut MovieBuilder, timescale: u32, entry: SampleEntry) -> TrackIndex {
    builder.add_track(MovieTrack { timescale, sample_entries: vec![entry] }).unwrap()
}

fn finish(builder: MovieBuilder) -> (MovieLayout, Movie) {
    let layout = builder.finish().unwrap();
    let movie = read_movie(&layout.head, layout.total_len).unwrap();
    assert_eq!(movie.payload, layout.head.len() as u64..layout.total_len);
    assert_eq!(layout.total_len, layout.head.len() as u64 + layout.media_len);
    (layout, movie)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// Two fragments of 2 s of video with B-frames, and their sound.
#[test]
fn tables_of_a_clip() {
    let frames: Vec<_> = (0..60)
        .map(|index| {
            let offset = [3000, 9000, 0, -3000][index % 4];
            sample(1000 + index as u32, 3000, offset, index == 0)
        })
        .collect();
    let sound = [sample(170, 1024, 0, true); 94];
    let mut builder = MovieBuilder::new();
    builder.set_creation_time(0);
    let video = track(&mut builder, 90_000, avc());
    let audio = track(&mut builder, 48_000, aac());
    for _ in 0..2 {
        builder.add_chunk(video, 0, &frames).unwrap();
        builder.add_chunk(audio, 0, &sound).unwrap();
    }
    assert_eq!(builder.media_duration(video), 360_000);
    let (layout, movie) = finish(builder);
    assert_eq!(movie.brands, [*b"isom", *b"iso2", *b"mp41", *b"avc1"]);
    assert_eq!((movie.timescale, movie.creation_time), (90_000, 2_082_844_800));
    assert_eq!(movie.duration, 188 * 1920); // the sound is longer
    let [video, audio] = &movie.tracks[..] else { panic!("two tracks") };
    assert_eq!((video.track.media_duration, audio.track.media_duration), (360_000, 188 * 1024));
    let fragment_len: u64 = frames.iter().map(|frame| u64::from(frame.size)).sum();
    assert_eq!(layout.media_len, 2 * (fragment_len + 94 * 170));
    for (index, placed) in video.samples.iter().enumerate() {
        assert_eq!(placed.sample, frames[index % 60]);
    }
    let start = layout.head.len() as u64;
    assert_eq!(video.samples[0].offset, start);
    assert_eq!(audio.samples[0].offset, start + fragment_len);
    assert_eq!(video.samples[60].offset, start + fragment_len + 94 * 170);
    // Sizes that are all the same are written once, sound has no sync table.
    assert!(find(&layout.head, b"stsz\0\0\0\0\0\0\0\xaa\0\0\0\xbc").is_some());
    let stss = find(&layout.head, b"stss").unwrap();
    assert_eq!(
        layout.head[stss - 4..stss + 20],
        *b"\0\0\0\x18stss\0\0\0\0\0\0\0\x02\0\0\0\x01\0\0\0\x3d"
    );
    assert_eq!(find(&layout.head[stss + 4..], b"stss"), None);
    let cslg = find(&layout.head, b"cslg").unwrap() + 8;
    let fields: Vec<i64> = layout.head[cslg..cslg + 40]
        .as_chunks::<8>()
        .0
        .iter()
        .map(|field| i64::from_be_bytes(*field))
        .collect();
    // The last frame (offset −3000) ends at 357,000; the one two before (9000) at 363,000 + 3000.
    assert_eq!(fields, [3000, -3000, 9000, 3000, 363_000]);
}

#[test]
fn plain_tracks_have_no_more_than_they_need() {
    let mut builder = MovieBuilder::new();
    let only = track(&mut builder, 8_000, mulaw());
    builder.add_chunk(only, 0, &[sample(160, 160, 0, true)]).unwrap();
    let (layout, movie) = finish(builder);
    assert_eq!(movie.brands, [*b"isom", *b"iso2", *b"mp41"]);
    assert_eq!(movie.creation_time, 0);
    for kind in [b"edts", b"ctts", b"cslg", b"stss", b"stco"] {
        assert_eq!(find(&layout.head, kind), None, "{}", kind.escape_ascii());
    }
}

#[test]
fn exact_start_and_late_start() {
    // packaging.md §2.6: a clip of 2 s from 1 s into its first fragment; sound comes 20 ms late.
    let mut builder = MovieBuilder::new();
    let video = track(&mut builder, 90_000, avc());
    let audio = track(&mut builder, 48_000, opus());
    let frames = [sample(10, 3000, 0, true); 90];
    builder.add_chunk(video, 0, &frames).unwrap();
    builder.add_chunk(audio, 0, &[sample(10, 960, 0, true); 150]).unwrap();
    let edits = [
        vec![Edit { duration: 180_000, media_time: Some(90_000) }],
        vec![
            Edit { duration: 1800, media_time: None },
            Edit { duration: 178_200, media_time: Some(48_000) },
        ],
    ];
    builder.set_edits(video, edits[0].clone()).unwrap();
    builder.set_edits(audio, edits[1].clone()).unwrap();
    let (layout, movie) = finish(builder);
    assert_eq!(movie.duration, 180_000);
    for (track, edits) in movie.tracks.iter().zip(&edits) {
        assert_eq!((&track.track.edits, track.track.presentation_duration), (edits, 180_000));
    }
    let elst = find(&layout.head, b"elst").unwrap();
    assert_eq!(
        layout.head[elst - 12..elst + 32],
        *b"\0\0\0\x2cedts\0\0\0\x24elst\x01\0\0\0\0\0\0\x01\
           \0\0\0\0\0\x02\xbf\x20\0\0\0\0\0\x01\x5f\x90\0\x01\0\0"
    );
}

#[test]
fn descriptions_that_change() {
    let mut builder = MovieBuilder::new();
    let video = track(&mut builder, 90_000, avc());
    assert_eq!(builder.add_sample_entry(video, hevc()), Ok(1));
    let frames = [sample(10, 3000, 0, true), sample(5, 3000, 0, false)];
    for entry in [0, 0, 1, 0] {
        builder.add_chunk(video, entry, &frames).unwrap();
    }
    builder.add_chunk(video, 0, &[]).unwrap(); // nothing
    builder.add_chunk(video, 0, &frames[..1]).unwrap();
    let (layout, movie) = finish(builder);
    let entries: Vec<_> =
        movie.tracks[0].samples.iter().map(|placed| placed.sample_entry_index).collect();
    assert_eq!(entries, [0, 0, 0, 0, 1, 1, 0, 0, 0]);
    let stsc = find(&layout.head, b"stsc").unwrap() + 8;
    let rows: Vec<u32> = layout.head[stsc..stsc + 52]
        .as_chunks::<4>()
        .0
        .iter()
        .map(|field| u32::from_be_bytes(*field))
        .collect();
    assert_eq!(rows, [4, 1, 2, 1, 3, 2, 2, 4, 2, 1, 5, 1, 1]);
}

#[test]
fn beyond_4_gib() {
    let mut builder = MovieBuilder::new();
    let video = track(&mut builder, 90_000, avc());
    for _ in 0..3 {
        builder.add_chunk(video, 0, &[sample(u32::MAX, u32::MAX, 0, true)]).unwrap();
    }
    let (layout, movie) = finish(builder);
    assert_eq!(movie.tracks[0].track.media_duration, 3 * u64::from(u32::MAX));
    let header = &layout.head[layout.head.len() - 16..];
    assert_eq!(header, b"\0\0\0\x01mdat\0\0\0\x03\0\0\0\x0d");
}

#[test]
fn refusals() {
    let mut builder = MovieBuilder::new();
    assert_eq!(builder.clone().finish(), Err(Error::NoTrack));
    let add = |builder: &mut MovieBuilder, timescale, sample_entries| {
        builder.add_track(MovieTrack { timescale, sample_entries })
    };
    assert_eq!(add(&mut builder, 0, vec![avc()]), Err(Error::ZeroTimescale));
    assert_eq!(add(&mut builder, 1, vec![]), Err(Error::NoSampleEntry));
    assert_eq!(add(&mut builder, 1, vec![avc(), aac()]), Err(Error::MixedHandlers));
    let video = track(&mut builder, 90_000, avc());
    assert_eq!(builder.add_sample_entry(video, aac()), Err(Error::MixedHandlers));
    assert_eq!(builder.clone().finish(), Err(Error::NoSamples));
    let one = [sample(1, 1, 0, true)];
    assert_eq!(builder.add_chunk(TrackIndex(1), 0, &one), Err(Error::NoTrack));
    assert_eq!(builder.add_chunk(video, 1, &one), Err(Error::NoSampleEntry));
    let zero = [one[0], sample(1, 0, 0, true)];
    assert_eq!(builder.add_chunk(video, 0, &zero), Err(Error::ZeroDuration { sample_index: 1 }));
    builder.sample_count = SAMPLES_MAX - 1;
    builder.add_chunk(video, 0, &one).unwrap();
    let limit = SAMPLES_MAX;
    let refused = builder.add_chunk(video, 0, &one);
    assert_eq!(refused, Err(Error::LimitExceeded { what: "samples", limit }));
    assert_eq!(builder.media_len(), 1);
    for _ in 1..TRACKS_MAX {
        track(&mut builder, 90_000, avc());
    }
    assert!(matches!(add(&mut builder, 1, vec![avc()]), Err(Error::LimitExceeded { .. })));
}
