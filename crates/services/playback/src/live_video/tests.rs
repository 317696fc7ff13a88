use streamkeep_fmp4::reader::read_media_segment;
use streamkeep_media::TrackKind;
use streamkeep_test_camera::{Pictures, TestCamera, session_header};

use super::*;

const START: UnixMillis = UnixMillis(1_795_166_438_482);

/// A camera, and the fragment that is arriving from it.
fn arriving(pictures: Pictures) -> (TestCamera, Arc<LiveFragment>) {
    let camera = TestCamera::new(pictures);
    let fragment = camera.begin(START);
    (camera, fragment)
}

fn run(fragment: &Arc<LiveFragment>) -> FrameRun {
    FrameRun::of(video(fragment), fragment.clone(), Cadence::default())
}

fn video(fragment: &LiveFragment) -> LiveVideo {
    LiveVideo::parse(&fragment.start.header.bytes).unwrap()
}

/// Of each sample: decode time, presentation time in ms and the time that its bytes name.
fn read(group: &FrameGroup) -> Vec<(u64, i64, i64)> {
    let mut bytes = Vec::new();
    group.write(&mut bytes, 5, group.offset).unwrap();
    let segment = read_media_segment(&bytes).unwrap();
    assert_eq!((segment.sequence_number, segment.base_media_decode_time), (5, group.offset));
    let (mut at, mut place) = (segment.base_media_decode_time, segment.payload.start);
    let samples = segment.samples.iter().map(|sample| {
        let payload = &bytes[place..][..sample.size as usize];
        assert!(payload.iter().all(|byte| *byte == payload[0]), "one frame's bytes");
        let times = (
            at / 90,
            (at as i64 + i64::from(sample.composition_offset)) / 90,
            i64::from(payload[0]) * 10,
        );
        at += u64::from(sample.duration);
        place += sample.size as usize;
        times
    });
    let samples: Vec<_> = samples.collect();
    assert_eq!(at, group.offset + group.duration);
    samples
}

#[test]
fn what_has_arrived_is_given_at_once() {
    let (camera, fragment) = arriving(Pictures::InOrder);
    let mut run = run(&fragment);
    assert_eq!((run.next_len(), run.next_group(1000).is_none()), (None, true));
    camera.frame(0, true, 100);
    run.look();
    let group = run.next_group(1000).unwrap();
    assert!(group.starts_with_key);
    assert_eq!((read(&group), group.duration / 90), (vec![(0, 0, 0)], 40), "as usual");
    assert_eq!(group.wall_ns, i128::from(START.0) * 1_000_000);
    for pts in [40, 80, 130] {
        camera.frame(pts, false, 30);
    }
    run.look();
    assert_eq!(run.next_len(), Some(30));
    let group = run.next_group(1000).unwrap();
    assert!(!group.starts_with_key);
    assert_eq!(read(&group), [(40, 40, 40), (80, 80, 80), (130, 130, 130)]);
    assert_eq!(group.duration / 90, 40 + 50 + 43, "the last is as long as the mean");
    assert_eq!(group.wall_ns, i128::from(START.0 + 40) * 1_000_000);
    assert!(!run.is_over());
    camera.frame(160, false, 30);
    camera.end_at(200);
    run.look();
    assert!(!run.is_over());
    let group = run.next_group(1000).unwrap();
    assert_eq!((read(&group), group.duration), (vec![(160, 160, 160)], 40 * 90));
    assert!(run.is_over() && run.next_group(1000).is_none());
    assert_eq!(run.length_ns(), Some(200_000_000));
}

#[test]
fn a_group_holds_what_is_allowed_and_one_frame_at_least() {
    let (camera, fragment) = arriving(Pictures::InOrder);
    camera.frame(0, true, 500);
    for pts in [40, 80, 120] {
        camera.frame(pts, false, 60);
    }
    let mut run = run(&fragment);
    let counts: Vec<usize> =
        std::iter::from_fn(|| run.next_group(130)).map(|group| group.frame_count()).collect();
    assert_eq!(counts, [1, 2, 1]);
}

#[test]
fn pictures_out_of_order_wait_for_those_between() {
    // I0 P4 B2 b1 b3 and the next five, as libx264 sends them.
    let order = [0, 160, 80, 40, 120, 320, 240, 200, 280];
    let (camera, fragment) = arriving(Pictures::OutOfOrder);
    let mut run = run(&fragment);
    let (mut given, mut early) = (Vec::new(), Vec::new());
    for (index, pts) in order.into_iter().enumerate() {
        camera.frame(pts, index == 0, 20);
        run.look();
        while let Some(group) = run.next_group(1000) {
            given.extend(read(&group));
        }
        early.push(given.len());
    }
    assert_eq!(early, [0, 0, 1, 2, 3, 4, 5, 6, 7], "two are held back");
    camera.end_at(360);
    run.look();
    given.extend(read(&run.next_group(1000).unwrap()));
    let decoded: Vec<u64> = given.iter().map(|(dts, ..)| *dts).collect();
    assert_eq!(decoded, [0, 40, 80, 120, 160, 200, 240, 280, 320]);
    for ((_, shown, named), pts) in given.iter().zip(order) {
        assert_eq!((*shown, *named), (i64::from(pts), i64::from(pts)), "shown when it should be");
    }
}

#[test]
fn a_depth_that_was_not_declared_is_learnt() {
    // Baseline says that nothing is out of order; this camera's pictures are.
    let (camera, fragment) = arriving(Pictures::InOrder);
    let mut run = run(&fragment);
    let mut times = Vec::new();
    for (pts, key) in [(0, true), (80, false), (40, false), (160, false), (120, false)] {
        camera.frame(pts, key, 20);
        run.look();
        while let Some(group) = run.next_group(1000) {
            times.extend(read(&group));
        }
    }
    assert_eq!(run.cadence().depth, 1);
    assert!(times.is_sorted_by(|a, b| a.0 <= b.0), "{times:?}");
    for (_, shown, named) in &times {
        assert_eq!(shown, named, "{times:?}");
    }
    let later = FrameRun::of(video(&fragment), fragment, run.cadence());
    assert_eq!(later.ready(), 4, "one is held back from now on");
}

#[test]
fn a_frame_alone_is_as_long_as_those_before() {
    let (camera, fragment) = arriving(Pictures::InOrder);
    camera.frame(0, true, 20);
    let cadence = Cadence { depth: 0, frame_ns: 125_000_000 };
    let mut run = FrameRun::of(video(&fragment), fragment, cadence);
    assert_eq!(run.next_group(1000).unwrap().duration / 90, 125);
    assert_eq!(run.cadence(), cadence);
    camera.frame(100, false, 20);
    run.look();
    assert_eq!(run.cadence().frame_ns, 100_000_000);
}

#[test]
fn a_viewer_joins_at_the_newest_key_frame() {
    let (camera, fragment) = arriving(Pictures::InOrder);
    let join = || FrameRun::at_newest_key(video(&fragment), fragment.clone(), Cadence::default());
    assert!(join().is_none());
    for (pts, key) in [(0, true), (40, false), (80, true), (120, false)] {
        camera.frame(pts, key, 50);
    }
    let mut run = join().unwrap();
    assert_eq!(run.next_wall_ns(), Some(i128::from(START.0 + 80) * 1_000_000));
    let picture = run.key_frame(2_000_000_000).unwrap();
    assert_eq!((picture.duration, picture.frame_count()), (180_000, 1));
    assert_eq!(read(&picture), [(0, 0, 80)]);
    let group = run.next_group(1000).unwrap();
    assert!(group.starts_with_key);
    assert_eq!(read(&group), [(0, 0, 80), (40, 40, 120)], "from its own start on");
}

#[test]
fn a_fragment_that_is_cut_gives_what_came() {
    let (camera, fragment) = arriving(Pictures::OutOfOrder);
    camera.frame(0, true, 50);
    camera.frame(40, false, 50);
    let mut run = run(&fragment);
    assert!(run.next_group(1000).is_none());
    camera.tail.abort(&fragment);
    run.look();
    assert_eq!(read(&run.next_group(1000).unwrap()).len(), 2);
    assert!(run.is_over());
    assert_eq!(run.length_ns(), None);
}

#[test]
fn what_has_no_pictures_is_refused() {
    let mut sound = Pictures::InOrder.track();
    sound.kind = TrackKind::Audio;
    sound.codec_id = "A_AAC".to_owned();
    sound.codec_private = Bytes::from_static(&[0x14, 0x08]);
    let refused = LiveVideo::parse(&session_header(vec![sound]).bytes);
    assert!(matches!(refused, Err(PlaybackError::UnsupportedMedia(_))), "{refused:?}");
}

#[test]
fn a_video_is_described() {
    let (_, fragment) = arriving(Pictures::InOrder);
    let video = video(&fragment);
    assert_eq!((video.codec(), video.size(), video.has_sound()), ("avc1.42c00a", (64, 64), false));
    assert_eq!(&video.init()[4..8], b"ftyp");
}
