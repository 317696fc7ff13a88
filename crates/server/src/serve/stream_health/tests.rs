use std::sync::Arc;

use bytes::Bytes;
use streamkeep_media::{
    FragmentNumber, FrameEntry, FrameFlags, Track, TrackTiming, VideoParameters,
};

use super::*;

const T0: u64 = 1_800_000_000_000;

fn at(ms: u64) -> UnixMillis {
    UnixMillis(T0 + ms)
}

fn header() -> Arc<SessionHeader> {
    let track = |number, kind, codec: &str, video| Track {
        number,
        uid: 0,
        kind,
        codec_id: codec.into(),
        codec_private: Bytes::new(),
        name: String::new(),
        default_duration_ns: None,
        video,
        audio: None,
    };
    let pixels = VideoParameters { width: 1920, height: 1080 };
    Arc::new(SessionHeader {
        bytes: Bytes::new(),
        timestamp_scale_ns: 1_000_000,
        tracks: vec![
            track(1, TrackKind::Audio, "A_AAC", None),
            track(2, TrackKind::Video, "V_MPEG4/ISO/AVC", Some(pixels)),
        ],
    })
}

/// A fragment of 2 s with 50 frames of video, that starts at `ms`; the producer is 300 ms late.
fn fragment(ms: u64, continues_previous: bool) -> Fragment {
    let frame = |n: i32| FrameEntry {
        track_index: 1,
        flags: FrameFlags { key: n == 0, ..FrameFlags::default() },
        pts_ticks: n * 40,
        duration_ticks: None,
        offset: 0,
        len: 0,
    };
    Fragment {
        number: FragmentNumber::new(at(ms), 1, 1),
        producer_timestamp: at(ms - 300),
        server_timestamp: at(ms),
        duration_ms: 2000,
        timecode: T0 + ms - 300,
        header: header(),
        media: vec![Bytes::from(vec![0; 250_000])],
        frames: (0..50).map(frame).collect(),
        tags: Vec::new(),
        timing: vec![TrackTiming::default(), TrackTiming { frame_count: 50, ..Default::default() }],
        starts_with_key: true,
        continues_previous,
    }
}

fn start(ms: u64) -> LiveStart {
    LiveStart {
        number: FragmentNumber::new(at(ms), 1, 1),
        server_timestamp: at(ms),
        producer_timestamp: at(ms - 300),
        timecode: T0 + ms - 300,
        header: header(),
    }
}

/// Fragments of 2 s from `from` to `to`, persisted 14 ms after their end.
fn send(watch: &StreamWatch, id: SessionId, from: u64, to: u64) {
    for ms in (from..to).step_by(2000) {
        watch.started(id, &start(ms), &[]);
        watch.complete(id, &fragment(ms, ms > from), at(ms + 2000), true);
        watch.received(Some(T0 + ms - 300), 0.003);
        let late = if ms == from { 0.04 } else { 0.014 };
        watch.persisted(Some(T0 + ms - 300), late);
    }
}

fn word(watch: &StreamWatch, ms: u64) -> (StreamState, Option<u64>) {
    let health = watch.health(at(ms), 0);
    (health.state, health.state_since.map(|since| since.0 - T0))
}

#[test]
fn words() {
    let watch = StreamWatch::new(at(0));
    assert_eq!(word(&watch, 500), (StreamState::Off, None));
    let id = watch.open(at(1000), None);
    assert_eq!(word(&watch, 1500), (StreamState::Silent, Some(1000)));
    send(&watch, id, 2000, 6000);
    assert_eq!(word(&watch, 6100), (StreamState::Live, Some(2000)));
    watch.silent(id, at(6000));
    assert_eq!(word(&watch, 16_000), (StreamState::Silent, Some(6000)));
    send(&watch, id, 17_000, 19_000);
    assert_eq!(word(&watch, 19_000), (StreamState::Live, Some(17_000)));
    watch.refused(id, None, ErrorId::InvalidMkvData, at(19_500));
    assert_eq!(word(&watch, 19_600), (StreamState::Refused, Some(19_500)));
    watch.close(id, &[], at(20_000));
    // The producer tries again, and nothing else is accepted.
    assert_eq!(word(&watch, 21_000), (StreamState::Refused, Some(19_500)));
    let again = watch.open(at(22_000), None);
    watch.started(again, &start(22_100), &[]);
    watch.refused(again, None, ErrorId::InvalidMkvData, at(22_200));
    watch.close(again, &[], at(22_300));
    assert_eq!(word(&watch, 22_400), (StreamState::Refused, Some(19_500)));
    // It gave up.
    assert_eq!(word(&watch, 90_000), (StreamState::Off, Some(22_300)));
    let third = watch.open(at(91_000), None);
    send(&watch, third, 91_000, 93_000);
    assert_eq!(word(&watch, 93_000), (StreamState::Live, Some(91_000)));
    // A session that was long enough refuses nothing.
    watch.refused(third, None, ErrorId::MaxConnectionDurationReached, at(93_100));
    assert_eq!(word(&watch, 93_200).0, StreamState::Live);
    assert_eq!(watch.health(at(93_200), 0).last_error.unwrap().id, 4003);
}

#[test]
fn figures() {
    let watch = StreamWatch::new(at(0));
    let long = "x".repeat(300);
    let id = watch.open(at(1000), Some(&long));
    send(&watch, id, 1000, 101_000);
    let health = watch.health(at(101_000), 3);
    assert_eq!(health.producer.map(|name| name.len()), Some(PRODUCER_LEN_MAX));
    assert_eq!(health.session_since, Some(at(1000)));
    assert_eq!(health.fragments_per_second, Some(0.5));
    assert_eq!(health.bits_per_second, Some(1_000_000));
    assert_eq!(health.minute_fragments_per_second, Some(0.5));
    assert_eq!(health.minute_bits_per_second, Some(1_000_000));
    assert_eq!(health.codec_ids, ["A_AAC", "V_MPEG4/ISO/AVC"]);
    assert_eq!((health.width_pixels, health.height_pixels), (Some(1920), Some(1080)));
    assert_eq!(health.frames_per_second, Some(25.0));
    assert_eq!(health.key_frame_interval_ms, Some(2000));
    assert_eq!(health.clock_skew_ms, Some(-300));
    assert_eq!(health.last_fragment.unwrap().server_timestamp, at(99_000));
    assert_eq!(health.received_ack, Some(AckTimes { p50_ms: 3.0, p99_ms: 3.0 }));
    assert_eq!(health.persisted_ack, Some(AckTimes { p50_ms: 14.0, p99_ms: 14.0 }));
    assert_eq!(health.viewers, 3);
    // After the first fragment the slow one still counts, and the rate is over the time there was.
    let watch = StreamWatch::new(at(0));
    let id = watch.open(at(1000), None);
    send(&watch, id, 1000, 5000);
    let health = watch.health(at(5000), 0);
    assert_eq!(health.persisted_ack, Some(AckTimes { p50_ms: 14.0, p99_ms: 40.0 }));
    assert_eq!(health.fragments_per_second, Some(0.5));
    watch.close(id, &[], at(6000));
    let health = watch.health(at(6000), 0);
    assert_eq!((health.bits_per_second, health.persisted_ack), (None, None));
    assert!(health.last_fragment.is_some(), "what was last stays known");
}

#[test]
fn a_fragment_that_many_frames_make_is_remembered_once() {
    let watch = StreamWatch::new(at(0));
    let id = watch.open(at(1000), None);
    for n in 0..1000 {
        watch.complete(id, &fragment(1000 + n * 100, true), at(3000 + n * 100), true);
    }
    let health = watch.health(at(103_000), 0);
    assert_eq!(watch.state().media.as_ref().unwrap().recent.len(), RECENT_MAX);
    // Ten a second; twelve seconds of them are remembered.
    let rate = health.minute_fragments_per_second.unwrap();
    assert!((9.9..10.2).contains(&rate), "{rate}");
}

fn events(watch: &StreamWatch, ms: u64) -> Vec<(u64, u64, Happening)> {
    let happened = watch.happened(at(ms));
    assert_eq!(happened.known_since, at(0));
    happened.events.iter().map(|e| (e.start.0 - T0, e.end.0 - T0, e.what)).collect()
}

#[test]
fn what_coverage_is_told() {
    use Happening::{Refused, Session, Silence};
    let watch = StreamWatch::new(at(0));
    let id = watch.open(at(1000), None);
    assert_eq!(events(&watch, 1500), [(1000, 1500, Session)]);
    send(&watch, id, 2000, 4000);
    // No gap in the media: a camera that sends whole fragments is silent between them.
    watch.started(id, &start(4000), &[(at(2000), at(4000))]);
    assert_eq!(events(&watch, 5000), [(1000, 5000, Session)]);
    watch.complete(id, &fragment(4000, true), at(6000), true);
    watch.persisted(Some(T0 + 3700), 0.01);
    watch.started(id, &start(9000), &[(at(6000), at(9000))]);
    // The session ends with the fragment unfinished, after more silence.
    watch.close(id, &[(at(9500), at(12_000))], at(12_000));
    let so_far = [(6000, 9000, Silence), (9500, 12_000, Silence), (1000, 9000, Session)];
    assert_eq!(events(&watch, 20_000), so_far);
    let id = watch.open(at(20_000), None);
    watch.started(id, &start(20_500), &[]);
    watch.refused(id, None, ErrorId::FragmentMetadataLimitReached, at(21_000));
    watch.aborted(id);
    watch.close(id, &[], at(21_100));
    assert_eq!(
        events(&watch, 30_000)[3..],
        [(20_500, 21_100, Refused(4009)), (20_000, 20_500, Session),]
    );
}

#[test]
fn what_arrives_is_not_missing() {
    let watch = StreamWatch::new(at(0));
    let id = watch.open(at(1000), None);
    assert_eq!(watch.happened(at(1500)).arriving_since, None);
    watch.started(id, &start(2000), &[]);
    assert_eq!(watch.happened(at(2500)).arriving_since, Some(at(2000)));
    watch.complete(id, &fragment(2000, false), at(4000), true);
    watch.started(id, &start(4000), &[]);
    assert_eq!(watch.happened(at(4100)).arriving_since, Some(at(2000)), "not durable yet");
    watch.persisted(Some(T0 + 1700), 0.01);
    assert_eq!(watch.happened(at(4100)).arriving_since, Some(at(4000)));
    watch.silent(id, at(4500));
    assert_eq!(watch.happened(at(15_000)).arriving_since, None);
    watch.heard(id, at(16_000));
    assert_eq!(watch.happened(at(16_000)).arriving_since, Some(at(4000)));
    // What could not be stored is missing.
    watch.complete(id, &fragment(4000, true), at(17_000), true);
    watch.refused(id, Some(T0 + 3700), ErrorId::ArchivalError, at(17_500));
    let happened = watch.happened(at(18_000));
    assert_eq!(happened.arriving_since, None);
    let refused = Event { start: at(4000), end: at(18_000), what: Happening::Refused(5001) };
    assert!(happened.events.contains(&refused), "{happened:?}");
}

#[test]
fn an_idle_stream_is_small() {
    assert!(size_of::<StreamWatch>() <= 320, "{}", size_of::<StreamWatch>());
    let watch = StreamWatch::new(at(0));
    let id = watch.open(at(1000), None);
    send(&watch, id, 1000, 9000);
    watch.close(id, &[], at(10_000));
    let state = watch.state();
    assert!(state.media.is_none() && state.open.capacity() == 0);
}

#[test]
fn bit_rates_of_steps_that_are_over() {
    let watch = StreamWatch::new(at(5000));
    let id = watch.open(at(6000), None);
    send(&watch, id, 11_000, 41_000);
    let rates = |now, steps| watch.bit_rates(steps, at(now)).bits_per_second;
    // 250 kB in 2 s; one of them lies across each border of steps.
    let full = Some(1_000_000);
    assert_eq!(rates(41_000, 4), [None, Some(900_000), full, full]);
    // The one that began before the border is still arriving: its bytes are not counted yet.
    watch.started(id, &start(49_000), &[]);
    assert_eq!(watch.bit_rates(1, at(50_500)).end, at(40_000));
    watch.complete(id, &fragment(49_000, true), at(51_000), true);
    assert_eq!(rates(51_000, 2), [full, Some(200_000)]);
    watch.close(id, &[], at(52_000));
    assert_eq!(rates(71_000, 3), [Some(200_000), Some(100_000), Some(0)]);
}
