use bytes::Bytes;
use streamkeep_media::FrameFlags;

use super::*;

const VIDEO: usize = 0;
const AUDIO: usize = 1;

fn tracks(kinds: &[TrackKind]) -> Vec<Track> {
    let track = |(index, kind): (usize, &TrackKind)| Track {
        number: index as u64 + 1,
        uid: 0,
        kind: *kind,
        codec_id: String::new(),
        codec_private: Bytes::new(),
        name: String::new(),
        default_duration_ns: None,
        video: None,
        audio: None,
    };
    kinds.iter().enumerate().map(track).collect()
}

fn frame(track_index: usize, ms: i64, key: bool) -> SourceFrame {
    let flags = FrameFlags { key, ..FrameFlags::default() };
    SourceFrame { track_index, pts_ns: ms * 1_000_000, flags, data: Bytes::from_static(&[7; 10]) }
}

/// Starts as (timecode, new session), blocks as (track, relative ms), drops.
#[derive(Debug, PartialEq)]
enum Seen {
    Start(u64, bool),
    Block(usize, i16),
    Dropped,
}

fn cut(
    limits: FragmentLimits,
    origin_ms: i64,
    kinds: &[TrackKind],
    frames: &[SourceFrame],
) -> Vec<Seen> {
    let mut cutter = Cutter::new(limits, origin_ms);
    cutter.set_tracks(&tracks(kinds));
    let mut cuts = Vec::new();
    frames.iter().for_each(|frame| cutter.frame(frame.clone(), &mut cuts));
    let seen = |cut: Cut| match cut {
        Cut::Start { timecode, new_session } => Seen::Start(timecode, new_session),
        Cut::Block { frame, relative_ms } => Seen::Block(frame.track_index, relative_ms),
        Cut::Dropped => Seen::Dropped,
    };
    cuts.into_iter().map(seen).collect()
}

fn starts(seen: &[Seen]) -> Vec<u64> {
    seen.iter().filter_map(|s| if let Seen::Start(at, _) = s { Some(*at) } else { None }).collect()
}

#[test]
fn fragments_begin_at_key_frames() {
    // A key frame each 500 ms, and a minimum of 1 s: every second one.
    let frames: Vec<_> = (0..40).map(|i| frame(VIDEO, i * 100, i % 5 == 0)).collect();
    let seen = cut(FragmentLimits::default(), 1000, &[TrackKind::Video], &frames);
    assert_eq!(starts(&seen), [1000, 2000, 3000, 4000]);
    assert_eq!(
        seen[..3],
        [Seen::Start(1000, false), Seen::Block(VIDEO, 0), Seen::Block(VIDEO, 100)]
    );
}

#[test]
fn reordered_frames_keep_their_times() {
    // Decode order I P B, with an open GOP: pictures before the key frame.
    let frames = [
        frame(VIDEO, 0, true),
        frame(VIDEO, 80, false),
        frame(VIDEO, 40, false),
        frame(VIDEO, 1120, true),
        frame(VIDEO, 1080, false),
    ];
    let seen = cut(FragmentLimits::default(), 0, &[TrackKind::Video], &frames);
    assert_eq!(
        seen,
        [
            Seen::Start(0, false),
            Seen::Block(VIDEO, 0),
            Seen::Block(VIDEO, 80),
            Seen::Block(VIDEO, 40),
            Seen::Start(1120, false),
            Seen::Block(VIDEO, 0),
            Seen::Block(VIDEO, -40),
        ]
    );
}

#[test]
fn frames_before_the_first_key_frame() {
    let frames = [
        frame(VIDEO, 0, false),
        frame(AUDIO, 10, true),
        frame(VIDEO, 40, true),
        frame(AUDIO, 50, true),
    ];
    let seen = cut(FragmentLimits::default(), 0, &[TrackKind::Video, TrackKind::Audio], &frames);
    assert_eq!(
        seen,
        [
            Seen::Dropped,
            Seen::Start(40, false),
            Seen::Block(VIDEO, 0),
            Seen::Block(AUDIO, -30),
            Seen::Block(AUDIO, 10),
        ]
    );
}

#[test]
fn a_fragment_waits_for_every_track() {
    let both = [TrackKind::Video, TrackKind::Audio];
    let mut frames: Vec<_> = (0..5).map(|i| frame(VIDEO, i * 2000, true)).collect();
    frames.insert(3, frame(AUDIO, 4100, true)); // the first sound comes late
    let seen = cut(FragmentLimits::default(), 0, &both, &frames);
    assert_eq!(starts(&seen), [0, 6000]);
    // But not beyond the maximum.
    let frames: Vec<_> = (0..20).map(|i| frame(VIDEO, i * 2000, true)).collect();
    let seen = cut(FragmentLimits::default(), 0, &both, &frames);
    assert_eq!(starts(&seen), [0, 16_000, 32_000]);
}

#[test]
fn limits_cut_anywhere() {
    let frames: Vec<_> = (0..300).map(|i| frame(VIDEO, i * 100, i == 0)).collect();
    let seen = cut(FragmentLimits::default(), 0, &[TrackKind::Video], &frames);
    assert_eq!(starts(&seen), [0, 15_000]);
    let limits = FragmentLimits { max_bytes: 100, ..FragmentLimits::default() };
    let seen = cut(limits, 0, &[TrackKind::Video], &frames[..30]);
    assert_eq!(starts(&seen), [0, 1000, 2000]);
    let sound: Vec<_> = (0..50).map(|i| frame(0, i * 100, true)).collect();
    let seen = cut(FragmentLimits::default(), 0, &[TrackKind::Audio], &sound);
    assert_eq!(starts(&seen), [0, 2000, 4000]);
}

#[test]
fn time_that_steps_back_needs_a_new_session() {
    let frames = [
        frame(VIDEO, 60_000, true),
        frame(VIDEO, 61_000, true),
        frame(VIDEO, 0, false),
        frame(VIDEO, 100, true),
    ];
    let seen = cut(FragmentLimits::default(), 0, &[TrackKind::Video], &frames);
    assert_eq!(
        seen,
        [
            Seen::Start(60_000, false),
            Seen::Block(VIDEO, 0),
            Seen::Start(61_000, false),
            Seen::Block(VIDEO, 0),
            Seen::Start(0, true),
            Seen::Block(VIDEO, 0),
            Seen::Block(VIDEO, 100),
        ]
    );
}

#[test]
fn times_that_do_not_fit() {
    let frames = [frame(VIDEO, 0, true), frame(AUDIO, 40_000, true), frame(VIDEO, -5, false)];
    let seen = cut(FragmentLimits::default(), 2, &[TrackKind::Video, TrackKind::Audio], &frames);
    assert_eq!(seen, [Seen::Start(2, false), Seen::Block(VIDEO, 0), Seen::Dropped, Seen::Dropped]);
}

#[test]
fn rounding_does_not_drift() {
    // 30 frames/s: 33.333… ms.
    let mut cutter = Cutter::new(FragmentLimits::default(), 0);
    cutter.set_tracks(&tracks(&[TrackKind::Video]));
    let mut cuts = Vec::new();
    for i in 0..90_000i64 {
        let mut frame = frame(VIDEO, 0, i % 30 == 0);
        frame.pts_ns = i * 1_000_000_000 / 30;
        cutter.frame(frame, &mut cuts);
    }
    let last = cuts.iter().rev().find_map(|cut| match cut {
        Cut::Start { timecode, .. } => Some(*timecode),
        _ => None,
    });
    assert_eq!(last, Some(2_999_000));
}
