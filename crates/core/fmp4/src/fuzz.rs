//! Entry points for fuzzing: any input may come in, none may panic, what holds for every input is
//! asserted. Not part of the public interface.

use bytes::Bytes;

use crate::progressive::{MovieBuilder, MovieTrack};
use crate::reader::{read_init, read_media_segment, read_movie};
use crate::{
    AudioCodec, AudioSampleEntry, Error, Sample, SampleEntry, SegmentKind, VideoCodec,
    VisualSampleEntry, media_segment_head,
};

/// The reader on any bytes.
pub fn reader(input: &[u8]) {
    let _ = read_init(input);
    if let Ok(segment) = read_media_segment(input) {
        assert!(segment.payload.end <= input.len());
        assert!(!segment.samples.is_empty() && segment.samples.len() <= input.len());
    }
    if let Ok(movie) = read_movie(input, input.len() as u64) {
        let samples: usize = movie.tracks.iter().map(|track| track.samples.len()).sum();
        assert!(samples <= input.len());
    }
}

/// Any samples, written as a segment and read back.
pub fn segment(base_media_decode_time: u64, samples: &[Sample]) {
    let sequence_number = base_media_decode_time as u32;
    let written =
        media_segment_head(SegmentKind::Segment, sequence_number, base_media_decode_time, samples);
    let duration: u64 = samples.iter().map(|sample| u64::from(sample.duration)).sum();
    let refused = samples.is_empty()
        || samples.iter().any(|sample| sample.duration == 0)
        || base_media_decode_time.checked_add(duration).is_none_or(|end| end >= 1 << 63);
    assert_eq!(written.is_err(), refused, "{written:?}");
    let Ok(mut bytes) = written else { return };
    let head_len = bytes.len();
    assert!(head_len <= 32 + 4 + 16 * samples.len() + 200 + 8);
    let payload_len: usize = samples.iter().map(|sample| sample.size as usize).sum();
    bytes.resize(head_len + payload_len, 0x5a);
    let read = read_media_segment(&bytes).expect("the linter takes what we write");
    assert_eq!(read.samples, samples);
    assert_eq!(read.base_media_decode_time, base_media_decode_time);
    assert_eq!(read.sequence_number, sequence_number);
    assert_eq!(read.payload, head_len..bytes.len());
}

/// Any samples in chunks of these lengths, in two tracks by turns, written as a progressive file
/// and read back.
pub fn movie(samples: &[Sample], chunk_lens: &[u8]) {
    let mut builder = MovieBuilder::new();
    let tracks = [
        MovieTrack { timescale: 90_000, sample_entries: vec![avc(1), avc(2)] },
        MovieTrack { timescale: 48_000, sample_entries: vec![mulaw()] },
    ];
    let tracks = tracks.map(|track| builder.add_track(track).expect("a good track"));
    let mut added = [Vec::new(), Vec::new()];
    let mut rest = samples;
    for (index, &len) in chunk_lens.iter().enumerate() {
        let (chunk, after) = rest.split_at(usize::from(len).min(rest.len()));
        rest = after;
        let entry = if index % 6 == 4 { 1 } else { 0 };
        let result = builder.add_chunk(tracks[index % 2], entry, chunk);
        let refused = chunk.iter().any(|sample| sample.duration == 0);
        assert_eq!(result.is_err(), refused, "{result:?}");
        if !refused {
            added[index % 2].extend(chunk.iter().map(|&sample| (entry, sample)));
        }
    }
    let Ok(layout) = builder.finish() else {
        assert!(added.iter().any(Vec::is_empty));
        return;
    };
    let movie = read_movie(&layout.head, layout.total_len).expect("the linter takes what we write");
    assert_eq!(movie.payload.start, layout.head.len() as u64);
    assert_eq!(movie.payload.end - movie.payload.start, layout.media_len);
    for (track, expected) in movie.tracks.iter().zip(added) {
        let got: Vec<_> =
            track.samples.iter().map(|placed| (placed.sample_entry_index, placed.sample)).collect();
        assert_eq!(got, expected);
    }
}

/// Samples out of bytes: eight each.
pub fn samples_of(bytes: &[u8]) -> Vec<Sample> {
    let (rows, _) = bytes.as_chunks::<8>();
    let sample = |&[s0, s1, d0, d1, o0, o1, wide, sync]: &[u8; 8]| {
        let shift = if wide & 1 == 0 { 0 } else { 16 };
        Sample {
            size: u16::from_be_bytes([s0, s1]).into(),
            duration: u32::from(u16::from_be_bytes([d0, d1])) << shift,
            composition_offset: i32::from(i16::from_be_bytes([o0, o1])) << shift,
            is_sync: sync & 1 != 0,
        }
    };
    rows.iter().map(sample).collect()
}

/// All of the above with what these bytes say.
pub fn all(input: &[u8]) {
    reader(input);
    let Some((control, rest)) = input.split_first_chunk::<16>() else { return };
    let (time, chunk_lens) = control.split_at(8);
    let time = u64::from_be_bytes(time.try_into().expect("eight bytes were split off"));
    let samples = samples_of(rest);
    segment(time, &samples);
    movie(&samples, chunk_lens);
    if let Err(error) = crate::init_segment(&crate::TrackInit {
        timescale: 48_000,
        sample_entry: SampleEntry::Audio(AudioSampleEntry {
            codec: AudioCodec::Opus { head: Bytes::copy_from_slice(rest) },
            channels: 2,
            sampling_rate: 48_000,
        }),
        priming: 312,
    }) {
        assert!(matches!(error, Error::InvalidRecord { .. }));
    }
}

fn avc(pps: u8) -> SampleEntry {
    SampleEntry::Visual(VisualSampleEntry {
        codec: VideoCodec::Avc {
            record: Bytes::copy_from_slice(&[1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 1, 0x67, pps]),
        },
        width: 1280,
        height: 720,
        display_width: 1280,
        display_height: 720,
        pixel_aspect_ratio: None,
        colour: None,
    })
}

fn mulaw() -> SampleEntry {
    let codec = AudioCodec::Mulaw;
    SampleEntry::Audio(AudioSampleEntry { codec, channels: 1, sampling_rate: 8_000 })
}
