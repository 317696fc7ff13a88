//! What the head of a segment and of a clip costs. Run by hand on a quiet machine:
//! `cargo bench -p streamkeep-fmp4`.
//!
//! The shapes are those of packaging.md: two seconds of video at 30 fps with and without B-frames,
//! the same of AAC, a part of four frames; a clip of an hour with both.

#![allow(clippy::print_stdout, reason = "the numbers are what it is for")]
#![allow(clippy::disallowed_methods, reason = "real time is what it measures")]

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use streamkeep_fmp4::progressive::{MovieBuilder, MovieTrack};
use streamkeep_fmp4::{
    AudioCodec, AudioSampleEntry, Sample, SampleEntry, SegmentKind, VideoCodec, VisualSampleEntry,
    media_segment_head, write_media_segment_head,
};

const B_FRAME_OFFSETS: [i32; 4] = [3000, 9000, 0, -3000];

fn main() -> Result<(), Box<dyn Error>> {
    let plain: Vec<_> = (0..60).map(|index| video(index, 3000, 0)).collect();
    let pyramid: Vec<_> = (0..60usize)
        .map(|index| video(index, 3000 - (index % 3) as u32, B_FRAME_OFFSETS[index % 4]))
        .collect();
    let sound: Vec<_> = (0..94).map(|index| audio(170 + index % 7, 1024)).collect();
    for (name, samples) in [
        ("segment: 60 frames", &plain[..]),
        ("segment: 60 frames, jitter and B-frames", &pyramid),
        ("segment: 94 AAC frames", &sound),
        ("part: 4 frames", &plain[..4]),
    ] {
        let mut out = Vec::new();
        measure(name, 100_000, |n| {
            out.clear();
            let time = n * 180_000;
            write_media_segment_head(&mut out, SegmentKind::Segment, n as u32, time, samples)?;
            black_box(&out);
            Ok(())
        })?;
    }
    measure("segment: 60 frames, fresh buffer", 100_000, |n| {
        black_box(media_segment_head(SegmentKind::Segment, n as u32, n * 180_000, &plain)?);
        Ok(())
    })?;
    for (name, frames) in [("clip: 1 h", &plain), ("clip: 1 h, jitter and B-frames", &pyramid)] {
        measure(name, 20, |_| {
            black_box(clip(frames, &sound)?);
            Ok(())
        })?;
    }
    Ok(())
}

/// An hour of fragments of two seconds.
fn clip(frames: &[Sample], sound: &[Sample]) -> Result<usize, Box<dyn Error>> {
    let mut builder = MovieBuilder::new();
    let video = builder.add_track(MovieTrack { timescale: 90_000, sample_entries: vec![avc()] })?;
    let audio = builder.add_track(MovieTrack { timescale: 48_000, sample_entries: vec![aac()] })?;
    for _ in 0..1800 {
        builder.add_chunk(video, 0, frames)?;
        builder.add_chunk(audio, 0, sound)?;
    }
    Ok(builder.finish()?.head.len())
}

fn video(index: usize, duration: u32, composition_offset: i32) -> Sample {
    let size = if index == 0 { 60_000 } else { 3_000 + 37 * index as u32 };
    Sample { size, duration, composition_offset, is_sync: index == 0 }
}

fn audio(size: u32, duration: u32) -> Sample {
    Sample { size, duration, composition_offset: 0, is_sync: true }
}

fn avc() -> SampleEntry {
    SampleEntry::Visual(VisualSampleEntry {
        codec: VideoCodec::Avc {
            record: Bytes::from_static(&[1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 0]),
        },
        width: 1280,
        height: 720,
        display_width: 1280,
        display_height: 720,
        pixel_aspect_ratio: None,
        colour: None,
    })
}

fn aac() -> SampleEntry {
    SampleEntry::Audio(AudioSampleEntry {
        codec: AudioCodec::Aac { config: Bytes::from_static(&[0x11, 0x90]) },
        channels: 2,
        sampling_rate: 48_000,
    })
}

/// Runs `what` `count` times, three times over, and reports the best mean.
fn measure(
    name: &str,
    count: u64,
    mut what: impl FnMut(u64) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let started = Instant::now();
        for n in 0..count {
            what(n)?;
        }
        best = best.min(started.elapsed());
    }
    println!("{name:<42} {:>10.3} µs", best.as_secs_f64() * 1e6 / count as f64);
    Ok(())
}
