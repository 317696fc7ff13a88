use proptest::prelude::*;
use streamkeep_media::FrameFlags;

use super::*;

const MS: u64 = 1_000_000;

/// Frames of 10 bytes, one behind the other, at these times.
fn frames(times: &[i32]) -> Vec<FrameEntry> {
    times
        .iter()
        .zip(0..)
        .map(|(&pts_ticks, index)| FrameEntry {
            track_index: 0,
            flags: FrameFlags { key: index == 0, ..FrameFlags::default() },
            pts_ticks,
            duration_ticks: None,
            offset: 100 + index * 16,
            len: 10,
        })
        .collect()
}

#[track_caller]
fn check(times: &[i32], end: i32, expected: &[(u32, i32)]) {
    let track = video_samples(&frames(times), 0, MS, end, |_| true);
    let got: Vec<(u32, i32)> = track
        .samples
        .iter()
        .map(|sample| (sample.duration / 90, sample.composition_offset / 90))
        .collect();
    assert_eq!(got, expected);
    assert_eq!(track.duration(), (end - times.iter().min().unwrap()) as u64 * 90);
}

#[test]
fn in_order() {
    check(&[0, 40, 80], 120, &[(40, 0), (40, 0), (40, 0)]);
    check(&[0], 40, &[(40, 0)]);
    // Variable frame rate.
    check(&[0, 33, 100], 133, &[(33, 0), (67, 0), (33, 0)]);
}

/// packaging.md §2.2: x264 with a pyramid.
#[test]
fn b_pyramid() {
    check(
        &[21, 154, 88, 54, 121, 288],
        321,
        &[(33, 0), (34, 100), (33, 0), (33, -67), (134, -33), (33, 0)],
    );
}

/// packaging.md §2.1: the frames behind the key frame are shown before it.
#[test]
fn open_gop() {
    check(&[80, 0, 40, 120], 160, &[(40, 80), (40, -40), (40, -40), (40, 0)]);
    let track =
        video_samples(&frames(&[80, 0, 40, 120]), 0, MS, 160, |frame| frame.pts_ticks >= 80);
    assert_eq!(track.samples.len(), 2);
    assert_eq!(track.shift, 80 * 90);
    assert_eq!(track.duration(), 80 * 90);
}

#[test]
fn equal_times_are_a_tick_apart() {
    let track = video_samples(&frames(&[0, 0, 0, 40]), 0, MS, 80, |_| true);
    let durations: Vec<u32> = track.samples.iter().map(|sample| sample.duration).collect();
    assert_eq!(durations, [1, 1, 3598, 3600]);
}

#[test]
fn an_end_before_the_last_frame_is_moved_behind_it() {
    let track = video_samples(&frames(&[0, 40]), 0, MS, 10, |_| true);
    assert_eq!(track.samples[1].duration, 1);
}

#[test]
fn neighbours_join_in_ranges() {
    let mut all = frames(&[0, 40, 80]);
    all[1].offset = all[0].offset + all[0].len;
    let track = video_samples(&all, 0, MS, 120, |_| true);
    assert_eq!(track.ranges, [100..120, 132..142]);
    assert_eq!(track.len(), 30);
}

#[test]
fn sound_lasts_as_long_as_its_samples() {
    // 1024 samples at 48 kHz in whole milliseconds.
    let track = audio_samples(&frames(&[0, 21, 43, 64]), 0, MS, 48_000, |_| 1024);
    assert!(track.samples.iter().all(|sample| sample.duration == 1024 && sample.is_sync));
    // 100 ms of sound are missing behind the second.
    let track = audio_samples(&frames(&[0, 21, 143, 164]), 0, MS, 48_000, |_| 1024);
    let durations: Vec<u32> = track.samples.iter().map(|sample| sample.duration).collect();
    assert_eq!(durations, [1024, 143 * 48 - 1024, 1024, 1024]);
}

proptest! {
    /// packaging.md §9 check 8: any order, jitter and repetition.
    #[test]
    fn any_order(times in prop::collection::vec(-500_i32..20_000, 1..80), tail in 1_i32..200) {
        let end = times.iter().max().unwrap() + tail;
        let track = video_samples(&frames(&times), 0, MS, end, |_| true);
        prop_assert!(track.samples.iter().all(|sample| sample.duration > 0));
        let mut dts = 0_i64;
        let mut earliest = i64::MAX;
        for sample in &track.samples {
            earliest = earliest.min(dts + i64::from(sample.composition_offset));
            dts += i64::from(sample.duration);
        }
        // The first picture is shown where the segment starts.
        prop_assert_eq!(earliest, 0);
    }
}
