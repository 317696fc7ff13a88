use streamkeep_codec::h264::AvcDecoderConfigurationRecord;
use streamkeep_fmp4::reader::read_media_segment;
use streamkeep_ingest::{LivePiece, LiveStart};
use streamkeep_live::{LiveTail, MemoryBudget, TailPolicy};
use streamkeep_media::{
    Fragment, FrameFlags, SessionHeader, Track, TrackKind, TrackTiming, VideoParameters,
};

use super::*;

/// 64×64, baseline: no picture is out of order.
const SPS_IN_ORDER: &[u8] = &[0x67, 0x42, 0xc0, 0x0a, 0xda, 0x10, 0x99];
/// 1280×720, high profile, by libx264: two pictures may be out of order.
const SPS_REORDERED: &[u8] = &[
    0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00,
    0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60,
];
const PPS: &[u8] = &[0x68, 0xce, 0x3c, 0x80];
const START: UnixMillis = UnixMillis(1_795_166_438_482);

/// A camera's fragment in the tail.
struct Arriving {
    tail: LiveTail,
    fragment: Arc<LiveFragment>,
    frames: Vec<FrameEntry>,
    len: u32,
}

fn video(sps: &[u8]) -> LiveVideo {
    LiveVideo::parse(&header(sps).bytes).unwrap()
}

fn header(sps: &[u8]) -> SessionHeader {
    let track = Track {
        number: 1,
        uid: 1,
        kind: TrackKind::Video,
        codec_id: "V_MPEG4/ISO/AVC".to_owned(),
        codec_private: AvcDecoderConfigurationRecord::build(&[sps], &[PPS]).unwrap().into(),
        name: String::new(),
        default_duration_ns: None,
        video: Some(VideoParameters { width: 64, height: 64 }),
        audio: None,
    };
    let info = streamkeep_mkv::Info {
        timestamp_scale_ns: 1_000_000,
        duration_ticks: None,
        segment_uuid: None,
        title: String::new(),
        muxing_app: "test".to_owned(),
        writing_app: "test".to_owned(),
    };
    let mut bytes = Vec::new();
    streamkeep_mkv::producer::encode_header(&mut bytes, &info, std::slice::from_ref(&track));
    SessionHeader { bytes: bytes.into(), timestamp_scale_ns: 1_000_000, tracks: vec![track] }
}

impl Arriving {
    fn new() -> Self {
        let tail = LiveTail::new(TailPolicy::UntilStored, MemoryBudget::new(0));
        let (fragment, _) = tail.begin(LiveStart {
            number: FragmentNumber::new(START, 1, 1),
            server_timestamp: START,
            producer_timestamp: START,
            timecode: 0,
            header: Arc::new(header(SPS_IN_ORDER)),
        });
        Self { tail, fragment, frames: Vec::new(), len: 0 }
    }

    /// A frame of so many bytes, each its time in units of 10 ms, behind ten bytes of other things.
    fn push(&mut self, pts_ticks: i32, key: bool, len: u32) {
        let frame = FrameEntry {
            track_index: 0,
            flags: FrameFlags { key, ..FrameFlags::default() },
            pts_ticks,
            duration_ticks: None,
            offset: self.len + 10,
            len,
        };
        let mut bytes = vec![0xee; 10];
        bytes.resize(10 + len as usize, (pts_ticks / 10) as u8);
        self.len += 10 + len;
        self.frames.push(frame);
        self.tail.push(&self.fragment, LivePiece { bytes: bytes.into(), frames: vec![frame] });
    }

    fn complete(&self, end_ticks: i32) {
        let whole = Fragment {
            number: self.fragment.start.number,
            producer_timestamp: START,
            server_timestamp: START,
            duration_ms: end_ticks.unsigned_abs(),
            timecode: 0,
            header: self.fragment.start.header.clone(),
            media: Vec::new(),
            frames: self.frames.clone(),
            tags: Vec::new(),
            timing: vec![TrackTiming { end_ticks, ..TrackTiming::default() }],
            starts_with_key: true,
            continues_previous: false,
        };
        self.tail.complete(&self.fragment, Arc::new(whole), START);
    }

    fn run(&self, sps: &[u8]) -> FrameRun {
        FrameRun::of(video(sps), self.fragment.clone(), Cadence::default())
    }
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
    let mut camera = Arriving::new();
    let mut run = camera.run(SPS_IN_ORDER);
    assert_eq!((run.next_len(), run.next_group(1000).is_none()), (None, true));
    camera.push(0, true, 100);
    run.look();
    let group = run.next_group(1000).unwrap();
    assert!(group.starts_with_key);
    assert_eq!((read(&group), group.duration / 90), (vec![(0, 0, 0)], 40), "as usual");
    assert_eq!(group.wall_ns, i128::from(START.0) * 1_000_000);
    for pts in [40, 80, 130] {
        camera.push(pts, false, 30);
    }
    run.look();
    assert_eq!(run.next_len(), Some(30));
    let group = run.next_group(1000).unwrap();
    assert!(!group.starts_with_key);
    assert_eq!(read(&group), [(40, 40, 40), (80, 80, 80), (130, 130, 130)]);
    assert_eq!(group.duration / 90, 40 + 50 + 43, "the last is as long as the mean");
    assert_eq!(group.wall_ns, i128::from(START.0 + 40) * 1_000_000);
    assert!(!run.is_over());
    camera.push(160, false, 30);
    camera.complete(200);
    run.look();
    assert!(!run.is_over());
    let group = run.next_group(1000).unwrap();
    assert_eq!((read(&group), group.duration), (vec![(160, 160, 160)], 40 * 90));
    assert!(run.is_over() && run.next_group(1000).is_none());
    assert_eq!(run.length_ns(), Some(200_000_000));
}

#[test]
fn a_group_holds_what_is_allowed_and_one_frame_at_least() {
    let mut camera = Arriving::new();
    camera.push(0, true, 500);
    for pts in [40, 80, 120] {
        camera.push(pts, false, 60);
    }
    let mut run = camera.run(SPS_IN_ORDER);
    let counts: Vec<usize> =
        std::iter::from_fn(|| run.next_group(130)).map(|group| group.frame_count()).collect();
    assert_eq!(counts, [1, 2, 1]);
}

#[test]
fn pictures_out_of_order_wait_for_those_between() {
    // I0 P4 B2 b1 b3 and the next five, as libx264 sends them.
    let order = [0, 160, 80, 40, 120, 320, 240, 200, 280];
    let mut camera = Arriving::new();
    let mut run = camera.run(SPS_REORDERED);
    let (mut given, mut early) = (Vec::new(), Vec::new());
    for (index, pts) in order.into_iter().enumerate() {
        camera.push(pts, index == 0, 20);
        run.look();
        while let Some(group) = run.next_group(1000) {
            given.extend(read(&group));
        }
        early.push(given.len());
    }
    assert_eq!(early, [0, 0, 1, 2, 3, 4, 5, 6, 7], "two are held back");
    camera.complete(360);
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
    let mut camera = Arriving::new();
    let mut run = camera.run(SPS_IN_ORDER);
    let mut times = Vec::new();
    for (pts, key) in [(0, true), (80, false), (40, false), (160, false), (120, false)] {
        camera.push(pts, key, 20);
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
    let later = FrameRun::of(video(SPS_IN_ORDER), camera.fragment.clone(), run.cadence());
    assert_eq!(later.ready(), 4, "one is held back from now on");
}

#[test]
fn a_frame_alone_is_as_long_as_those_before() {
    let mut camera = Arriving::new();
    camera.push(0, true, 20);
    let cadence = Cadence { depth: 0, frame_ns: 125_000_000 };
    let mut run = FrameRun::of(video(SPS_IN_ORDER), camera.fragment.clone(), cadence);
    assert_eq!(run.next_group(1000).unwrap().duration / 90, 125);
    assert_eq!(run.cadence(), cadence);
    camera.push(100, false, 20);
    run.look();
    assert_eq!(run.cadence().frame_ns, 100_000_000);
}

#[test]
fn a_viewer_joins_at_the_newest_key_frame() {
    let mut camera = Arriving::new();
    let join = |camera: &Arriving| {
        FrameRun::at_newest_key(video(SPS_IN_ORDER), camera.fragment.clone(), Cadence::default())
    };
    assert!(join(&camera).is_none());
    for (pts, key) in [(0, true), (40, false), (80, true), (120, false)] {
        camera.push(pts, key, 50);
    }
    let mut run = join(&camera).unwrap();
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
    let mut camera = Arriving::new();
    camera.push(0, true, 50);
    camera.push(40, false, 50);
    let mut run = camera.run(SPS_REORDERED);
    assert!(run.next_group(1000).is_none());
    camera.tail.abort(&camera.fragment);
    run.look();
    assert_eq!(read(&run.next_group(1000).unwrap()).len(), 2);
    assert!(run.is_over());
    assert_eq!(run.length_ns(), None);
}

#[test]
fn what_has_no_pictures_is_refused() {
    let mut sound = header(SPS_IN_ORDER).tracks;
    sound[0].kind = TrackKind::Audio;
    sound[0].codec_id = "A_AAC".to_owned();
    sound[0].codec_private = Bytes::from_static(&[0x14, 0x08]);
    let info = streamkeep_mkv::Info {
        timestamp_scale_ns: 1_000_000,
        duration_ticks: None,
        segment_uuid: None,
        title: String::new(),
        muxing_app: String::new(),
        writing_app: String::new(),
    };
    let mut bytes = Vec::new();
    streamkeep_mkv::producer::encode_header(&mut bytes, &info, &sound);
    let refused = LiveVideo::parse(&bytes.into());
    assert!(matches!(refused, Err(PlaybackError::UnsupportedMedia(_))), "{refused:?}");
    let video = video(SPS_IN_ORDER);
    assert_eq!((video.codec(), video.size(), video.has_sound()), ("avc1.42c00a", (64, 64), false));
    assert_eq!(&video.init()[4..8], b"ftyp");
}
