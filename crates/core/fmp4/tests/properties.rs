//! Any samples are written and read back; any bytes, and damaged files, are read without a panic.

#![allow(clippy::unwrap_used, reason = "a test's helpers are tests")]

use bytes::Bytes;
use proptest::prelude::*;
use streamkeep_fmp4::progressive::{MovieBuilder, MovieTrack};
use streamkeep_fmp4::{
    AudioCodec, AudioSampleEntry, Sample, SampleEntry, SegmentKind, TrackInit, fuzz, init_segment,
    media_segment_head,
};

fn sample() -> impl Strategy<Value = Sample> {
    let duration = prop_oneof![8 => Just(3000u32), 4 => 1u32..10_000, 1 => any::<u32>()];
    let offset = prop_oneof![8 => Just(0i32), 4 => -9000..9000, 1 => any::<i32>()];
    (0u32..2000, duration, offset, any::<bool>()).prop_map(
        |(size, duration, composition_offset, is_sync)| Sample {
            size,
            duration,
            composition_offset,
            is_sync,
        },
    )
}

fn aac() -> SampleEntry {
    SampleEntry::Audio(AudioSampleEntry {
        codec: AudioCodec::Aac { config: Bytes::from_static(&[0x11, 0x90]) },
        channels: 2,
        sampling_rate: 48_000,
    })
}

/// One file of each kind.
fn files() -> [Vec<u8>; 3] {
    let sample =
        |size, offset, is_sync| Sample { size, duration: 9, composition_offset: offset, is_sync };
    let samples = [sample(20, 0, true), sample(3, 5, false), sample(4, -5, false)];
    let init = init_segment(&TrackInit { timescale: 9, sample_entry: aac(), priming: 3 });
    let mut segment = media_segment_head(SegmentKind::Part, 1, 2, &samples).unwrap();
    segment.resize(segment.len() + 27, 0);
    let mut builder = MovieBuilder::new();
    let track = MovieTrack { timescale: 9, sample_entries: vec![aac()] };
    let track = builder.add_track(track).unwrap();
    builder.add_chunk(track, 0, &samples).unwrap();
    let mut movie = builder.finish().unwrap().head;
    movie.resize(movie.len() + 27, 0);
    [init.unwrap(), segment, movie]
}

proptest! {
    #[test]
    fn segments(time in any::<u64>(), samples in prop::collection::vec(sample(), 0..60)) {
        fuzz::segment(time, &samples);
        fuzz::segment(time >> 20, &samples);
    }

    #[test]
    fn movies(
        samples in prop::collection::vec(sample(), 0..120),
        chunk_lens in prop::collection::vec(0u8..20, 0..12),
    ) {
        fuzz::movie(&samples, &chunk_lens);
    }

    #[test]
    fn any_bytes(input in prop::collection::vec(any::<u8>(), 0..300)) {
        fuzz::all(&input);
    }

    #[test]
    fn damaged_files(
        file in 0usize..3,
        changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..5),
        len in any::<usize>(),
    ) {
        let mut input = files()[file].clone();
        for (at, value) in changes {
            let at = at % input.len();
            input[at] = value;
        }
        fuzz::reader(&input);
        input.truncate(len % (input.len() + 1));
        fuzz::reader(&input);
    }
}
