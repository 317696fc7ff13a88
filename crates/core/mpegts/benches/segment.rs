//! Throughput of writing segments. `cargo bench -p streamkeep-mpegts`; prints the best of ten
//! rounds, the figure least disturbed by other work on the machine.

use std::hint::black_box;
use std::io::Write as _;
use std::time::Instant;

use streamkeep_mpegts::{
    AudioFrame, Program, SegmentConfig, TIME_OFFSET_90K, VideoUnit, write_segment,
};

const ROUNDS: u32 = 10;
const ITERATIONS: u32 = 1_000;

/// A 2 s fragment of a camera at 1 Mbit/s: one key frame of 62 KB, 59 of 3 KB, 94 audio frames.
fn main() {
    let key = vec![0x65; 62_000];
    let other = vec![0x41; 3_000];
    let (key, other): ([&[u8]; 1], [&[u8]; 1]) = ([&key], [&other]);
    let video: Vec<VideoUnit<'_>> = (0..60)
        .map(|index| {
            let pts = TIME_OFFSET_90K + index * 3_000;
            let is_key = index == 0;
            VideoUnit { pts, dts: pts, is_key, nal_units: if is_key { &key } else { &other } }
        })
        .collect();
    let header = [0xff, 0xf1, 0x4c, 0x40, 178 >> 3, (178 << 5 & 0xff) as u8 | 0x1f, 0xfc];
    let data = [0x55; 171];
    let audio: Vec<AudioFrame<'_>> = (0..94)
        .map(|index| AudioFrame { pts: TIME_OFFSET_90K + index * 1_920, header, data: &data })
        .collect();
    measure("video", Program::Video, &video, &[]);
    measure("video and audio", Program::VideoAndAudio, &video, &audio);
}

fn measure(name: &str, program: Program, video: &[VideoUnit<'_>], audio: &[AudioFrame<'_>]) {
    let sets: [&[u8]; 2] = [b"\x67sequence parameter set", b"\x68pps"];
    let config = SegmentConfig { program, parameter_sets: &sets };
    let write = |number| {
        write_segment(&config, number, black_box(video), black_box(audio)).expect("in order")
    };
    let len = write(0).len();
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for number in 0..ITERATIONS {
            black_box(write(u64::from(number)));
        }
        best = best.min(start.elapsed().as_secs_f64() / f64::from(ITERATIONS));
    }
    let rate = len as f64 / best / 1e9;
    let micros = best * 1e6;
    writeln!(std::io::stdout(), "{name}: {len} bytes, {micros:.1} us, {rate:.2} GB/s")
        .expect("standard output takes text");
}
