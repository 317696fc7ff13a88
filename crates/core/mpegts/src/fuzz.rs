//! Entry points for fuzzing and tests: any input may come in, none may panic, what holds for every
//! input is asserted. Not part of the public interface.

use crate::check::{FAULTS_MAX, FaultKind, Report, check};
use crate::clock::distance;
use crate::packet::PACKET_LEN;
use crate::{
    AudioFrame, Program, SegmentConfig, TIME_OFFSET_90K, TIMESTAMP_MODULUS, VideoUnit,
    transport_dts, write_segment,
};

/// Any bytes, as one segment and as two.
pub fn read(data: &[u8]) {
    let report = check([data]);
    assert_eq!(report.packet_count, data.len() / PACKET_LEN);
    assert!(report.faults.len() <= FAULTS_MAX);
    let video: usize =
        report.access_units.iter().flat_map(|unit| &unit.nal_units).map(Vec::len).sum();
    let audio: usize = report.audio_frames.iter().map(|frame| frame.data.len()).sum();
    assert!(video + audio <= data.len());
    let (first, second) = data.split_at(data.len() / 2 / PACKET_LEN * PACKET_LEN);
    assert_eq!(check([first, second]).packet_count, report.packet_count);
}

/// Frames drawn from `data`, written as two segments and read back.
pub fn write(data: &[u8]) {
    let mut draw = Draw(data);
    let program = [Program::Video, Program::Audio, Program::VideoAndAudio][draw.below(3)];
    let rate_index = draw.below(13) as u8;
    let offset = [TIME_OFFSET_90K, TIMESTAMP_MODULUS - 5_000][draw.below(2)];
    let mut segments = Vec::new();
    let (mut video_pts, mut audio_pts) = (offset, offset);
    for _ in 0..2 {
        let mut input = Input { program, rate_index, ..Input::default() };
        if program != Program::Audio {
            let pts: Vec<u64> = (0..draw.below(6)).map(|_| video_pts + draw.long()).collect();
            input.set_video(&pts, 16, |index| (index % 3 == 0, vec![draw.below(700) + 1]));
            video_pts = pts.iter().fold(video_pts, |last, pts| last.max(*pts));
        }
        if program != Program::Video {
            for _ in 0..draw.below(20) {
                input.audio.push((audio_pts, vec![0xaa; draw.below(400)]));
                audio_pts += draw.long();
            }
        }
        segments.push(input);
    }
    // A frame far from its place moves the decoding times of its segment back, so the segments are
    // compared one by one; joined they need not continue each other but in their counters.
    let number = draw.below(16) as u64;
    let written: Vec<Vec<u8>> = (number..)
        .zip(&segments)
        .flat_map(|(number, input)| round_trip(std::slice::from_ref(input), number).0)
        .collect();
    for fault in check(written.iter().map(Vec::as_slice)).faults {
        assert!(matches!(fault.kind, FaultKind::DtsBackwards { .. }), "{fault}");
    }
}

struct Draw<'a>(&'a [u8]);

impl Draw<'_> {
    fn below(&mut self, bound: usize) -> usize {
        let mut next = || {
            let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
            self.0 = rest;
            usize::from(*first)
        };
        match bound > 256 {
            true => (next() << 8 | next()) % bound,
            false => next() % bound,
        }
    }

    fn long(&mut self) -> u64 {
        [0, 1, 1_920, 3_003, 9_000, 9_001, 90_000][self.below(7)] + self.below(16) as u64
    }
}

/// A segment's worth of frames.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its tracks.
    pub program: Program,
    /// sampling_frequency_index of the audio.
    pub rate_index: u8,
    /// PTS, DTS, key, NAL units.
    pub video: Vec<(u64, u64, bool, Vec<Vec<u8>>)>,
    /// PTS, raw_data_block.
    pub audio: Vec<(u64, Vec<u8>)>,
}

impl Default for Input {
    fn default() -> Self {
        let (video, audio) = (Vec::new(), Vec::new());
        Self { program: Program::VideoAndAudio, rate_index: 3, video, audio }
    }
}

/// What [`round_trip`] writes before key frames.
pub const PARAMETER_SETS: &[&[u8]] = &[b"\x67sequence", b"\x68picture"];

impl Input {
    /// Frames at these times, decoding order. `shape` tells by index whether a frame is key, and
    /// the lengths of its NAL units.
    pub fn set_video(
        &mut self,
        pts: &[u64],
        depth: usize,
        mut shape: impl FnMut(usize) -> (bool, Vec<usize>),
    ) {
        let dts = transport_dts(pts, depth, 3_000);
        for (index, (pts, dts)) in pts.iter().zip(dts).enumerate() {
            let (is_key, lens) = shape(index);
            let nal_units = lens.iter().map(|len| nal_unit(is_key, *len)).collect();
            self.video.push((*pts, dts, is_key, nal_units));
        }
    }

    /// Writes the segment.
    pub fn write(&self, number: u64) -> Vec<u8> {
        let nal_units: Vec<Vec<&[u8]>> = self
            .video
            .iter()
            .map(|(.., nal_units)| nal_units.iter().map(Vec::as_slice).collect())
            .collect();
        let video: Vec<VideoUnit<'_>> = self
            .video
            .iter()
            .zip(&nal_units)
            .map(|((pts, dts, is_key, _), nal_units)| VideoUnit {
                pts: *pts,
                dts: *dts,
                is_key: *is_key,
                nal_units,
            })
            .collect();
        let audio: Vec<AudioFrame<'_>> = self
            .audio
            .iter()
            .map(|(pts, data)| AudioFrame {
                pts: *pts,
                header: adts_header(self.rate_index, data.len()),
                data,
            })
            .collect();
        let config = SegmentConfig { program: self.program, parameter_sets: PARAMETER_SETS };
        write_segment(&config, number, &video, &audio).expect("frames in order")
    }
}

/// A NAL unit of this length, at least 1, without zero bytes.
fn nal_unit(is_key: bool, len: usize) -> Vec<u8> {
    let first = if is_key { 0x65 } else { 0x41 };
    std::iter::once(first).chain((1..len).map(|index| index as u8 | 1)).collect()
}

/// Writes segments that continue each other, reads them back joined: no fault, the same frames.
pub fn round_trip(inputs: &[Input], number: u64) -> (Vec<Vec<u8>>, Report) {
    let segments: Vec<Vec<u8>> =
        (number..).zip(inputs).map(|(number, input)| input.write(number)).collect();
    let report = check(segments.iter().map(Vec::as_slice));
    assert_eq!(report.faults, []);
    let video = inputs.iter().flat_map(|input| &input.video);
    let mut units = report.access_units.iter();
    for (pts, dts, is_key, nal_units) in video {
        let unit = units.next().expect("as many units as frames");
        let found = (unit.pts, unit.dts, unit.random_access);
        assert_eq!(found, (pts % TIMESTAMP_MODULUS, dts % TIMESTAMP_MODULUS, *is_key));
        let sets: &[&[u8]] = if *is_key { PARAMETER_SETS } else { &[] };
        let expected: Vec<&[u8]> =
            sets.iter().copied().chain(nal_units.iter().map(Vec::as_slice)).collect();
        assert_eq!(unit.nal_units, expected);
    }
    assert_eq!(units.next(), None);

    let audio = inputs.iter().flat_map(|input| &input.audio);
    let mut frames = report.audio_frames.iter();
    for (pts, data) in audio.filter(|(_, data)| !data.is_empty()) {
        let frame = frames.next().expect("as many frames");
        assert_eq!(frame.data, *data);
        // Within a PES packet times are counted on: half a frame of 1024 samples at most.
        let off = distance(pts % TIMESTAMP_MODULUS, frame.pts).unsigned_abs();
        assert!(off <= 6_270, "{off} ticks off");
    }
    assert_eq!(frames.next(), None);
    (segments, report)
}

/// The ADTS header of a mono frame of `data_len` bytes, at most 8184.
pub fn adts_header(rate_index: u8, data_len: usize) -> [u8; 7] {
    let len = data_len + 7;
    [
        0xff,
        0xf1,
        1 << 6 | rate_index << 2,
        1 << 6 | (len >> 11) as u8,
        (len >> 3) as u8,
        (len << 5) as u8 | 0x1f,
        0xfc,
    ]
}
