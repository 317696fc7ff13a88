//! FFmpeg as the other reader: it must demultiplex and decode what was written without a word.
//! Skipped, visibly, where it is not installed.

use std::path::Path;
use std::process::{Command, Output};

use streamkeep_mpegts::check::check;
use streamkeep_mpegts::{
    AudioFrame, Program, SegmentConfig, TIME_OFFSET_90K, VideoUnit, reorder_depth, transport_dts,
    write_segment,
};

fn run(program: &str, dir: &Path, arguments: &str) -> Output {
    Command::new(program)
        .current_dir(dir)
        .args(arguments.split_whitespace())
        .output()
        .expect("starts")
}

fn ffmpeg(dir: &Path, arguments: &str) -> String {
    let output = run("ffmpeg", dir, &format!("-nostdin -hide_banner -v warning -y {arguments}"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

fn installed() -> bool {
    ["ffmpeg", "ffprobe"]
        .iter()
        .all(|program| Command::new(program).arg("-version").output().is_ok())
}

/// Starts of `00 00 01`, and the NAL units between them.
fn annex_b(stream: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = (0..stream.len().saturating_sub(2))
        .filter(|at| stream[*at..].starts_with(&[0, 0, 1]))
        .collect();
    let ends = starts.iter().skip(1).copied().chain([stream.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| {
            let nal_unit = &stream[start + 3..end];
            let zeros = nal_unit.iter().rev().take_while(|byte| **byte == 0).count();
            &nal_unit[..nal_unit.len() - zeros]
        })
        .collect()
}

/// Presentation times that ffprobe tells of a track, in stream order, 90 kHz. It counts times before
/// a wrap as negative.
fn times(dir: &Path, file: &str, track: &str) -> Vec<i64> {
    let arguments = format!(
        "-v error -select_streams {track} -show_entries packet=pts_time -of csv=p=0 {file}"
    );
    let text = String::from_utf8(run("ffprobe", dir, &arguments).stdout).expect("text");
    let lines = text.lines().map(|line| line.trim_matches(',')).filter(|line| !line.is_empty());
    let seconds = lines.map(|line| line.parse::<f64>().expect("a number"));
    seconds.map(|seconds| (seconds * 90_000.0).round() as i64).collect()
}

/// Encodes, cuts at key frames, writes segments from `TIME_OFFSET_90K + start` on, joins them and
/// has FFmpeg decode them; compares what comes out with what went in.
fn check_encoding(source: &str, rate: u64, encoder: &str, start: u64) {
    if !installed() {
        return eprintln!("skipped: ffmpeg or ffprobe is not installed");
    }
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    ffmpeg(
        dir,
        &format!(
            "-f lavfi -i {source}:r={rate} -f lavfi -i sine=440:r=48000 -t 4 -pix_fmt yuv420p \
             -c:v libx264 -preset ultrafast -g {rate} {encoder} -c:a aac -b:a 64k in.mkv"
        ),
    );
    ffmpeg(
        dir,
        "-i in.mkv -map 0:v -c copy -bsf:v h264_mp4toannexb,h264_metadata=aud=insert in.h264",
    );
    ffmpeg(dir, "-i in.mkv -map 0:a -c copy -f adts in.aac");
    let (stream, sound) = (
        std::fs::read(dir.join("in.h264")).expect("written"),
        std::fs::read(dir.join("in.aac")).expect("written"),
    );

    // Access units between delimiters; the parameter sets go to the configuration.
    let mut sets: Vec<&[u8]> = Vec::new();
    let mut units: Vec<Vec<&[u8]>> = Vec::new();
    for nal_unit in annex_b(&stream) {
        match nal_unit[0] & 0x1f {
            9 => units.push(Vec::new()),
            7 | 8 if sets.contains(&nal_unit) => {}
            7 | 8 => sets.push(nal_unit),
            _ => units.last_mut().expect("a delimiter first").push(nal_unit),
        }
    }
    let base = TIME_OFFSET_90K + start;
    let pts: Vec<u64> = times(dir, "in.mkv", "v").iter().map(|pts| base + *pts as u64).collect();
    let frame_count = 4 * rate as usize;
    assert_eq!((units.len(), pts.len()), (frame_count, frame_count));
    let depth = reorder_depth(&pts);
    let is_key = |unit: &[&[u8]]| unit.iter().any(|nal_unit| nal_unit[0] & 0x1f == 5);

    let mut frames = Vec::new();
    let mut rest = &sound[..];
    for pts in times(dir, "in.mkv", "a") {
        let header: [u8; 7] = *rest.first_chunk().expect("a header");
        let len = usize::from(header[3] & 3) << 11
            | usize::from(header[4]) << 3
            | usize::from(header[5] >> 5);
        frames.push(AudioFrame { pts: base + pts as u64, header, data: &rest[7..len] });
        rest = &rest[len..];
    }
    assert!(rest.is_empty() && frames.len() > 180);

    // One segment per group of pictures; audio goes with the pictures shown beside it.
    let mut starts: Vec<usize> = (0..units.len()).filter(|index| is_key(&units[*index])).collect();
    assert_eq!(starts.len(), 4);
    starts.push(units.len());
    let config = SegmentConfig { program: Program::VideoAndAudio, parameter_sets: &sets };
    let mut segments = Vec::new();
    for (number, range) in (14..).zip(starts.windows(2)) {
        let (first, end) = (range[0], range[1]);
        let dts = transport_dts(&pts[first..end], depth, 90_000 / rate);
        let video: Vec<VideoUnit<'_>> = (first..end)
            .map(|index| VideoUnit {
                pts: pts[index],
                dts: dts[index - first],
                is_key: is_key(&units[index]),
                nal_units: &units[index],
            })
            .collect();
        let from = if first == 0 { 0 } else { pts[first] };
        let until = pts.get(end).copied().unwrap_or(u64::MAX);
        let audio: Vec<AudioFrame<'_>> =
            frames.iter().copied().filter(|frame| (from..until).contains(&frame.pts)).collect();
        segments.push(write_segment(&config, number, &video, &audio).expect("sound frames"));
    }

    let report = check(segments.iter().map(Vec::as_slice));
    assert_eq!(report.faults, []);
    assert_eq!((report.access_units.len(), report.audio_frames.len()), (frame_count, frames.len()));

    // Joined as a player joins them, each alone, and the sound without the pictures.
    let alone = SegmentConfig { program: Program::Audio, parameter_sets: &[] };
    let sound = write_segment(&alone, 0, &[], &frames).expect("sound frames");
    segments.push(segments.concat());
    segments.push(sound);
    for (name, segment) in
        ["0.ts", "1.ts", "2.ts", "3.ts", "out.ts", "sound.ts"].iter().zip(segments)
    {
        std::fs::write(dir.join(name), segment).expect("written");
        assert_eq!(ffmpeg(dir, &format!("-i {name} -f null -")), "", "{name}");
    }
    // The same pictures and samples.
    let hash = |file: &str, track: &str| {
        let arguments = format!("-nostdin -v error -i {file} -map 0:{track} -f md5 -");
        let hash = String::from_utf8(run("ffmpeg", dir, &arguments).stdout).expect("text");
        assert!(hash.starts_with("MD5="), "{hash}");
        hash
    };
    assert_eq!(hash("out.ts", "v"), hash("in.mkv", "v"));
    assert_eq!(hash("out.ts", "a"), hash("in.mkv", "a"));
    assert_eq!(hash("sound.ts", "a"), hash("in.mkv", "a"));
    // The same times, from the first on.
    let found = times(dir, "out.ts", "v");
    let first = *found.iter().min().expect("times");
    let found: Vec<u64> = found.iter().map(|pts| (pts - first) as u64).collect();
    let first = *pts.iter().min().expect("times");
    let expected: Vec<u64> = pts.iter().map(|pts| pts - first).collect();
    assert_eq!(found, expected);
}

const MOVING: &str = "testsrc2=s=160x120";

#[test]
fn without_b_frames() {
    check_encoding(MOVING, 25, "-bf 0", 0);
}

#[test]
fn with_b_frames_and_slices() {
    let encoder = "-bf 3 -slices 3 -x264-params b-pyramid=normal:b-adapt=0:scenecut=0";
    check_encoding(MOVING, 25, encoder, 0);
}

#[test]
fn over_the_wrap() {
    check_encoding(MOVING, 25, "-bf 2", (1 << 33) - 2 * 90_000 - TIME_OFFSET_90K);
}

/// Frames of a few bytes, and clock packets between them.
#[test]
fn few_tiny_frames() {
    check_encoding("color=s=64x64", 4, "-bf 0", 0);
}
