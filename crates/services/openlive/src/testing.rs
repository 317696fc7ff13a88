//! A made-up camera: a tail that tests push frames into.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use streamkeep_codec::h264::AvcDecoderConfigurationRecord;
use streamkeep_ingest::{LivePiece, LiveStart};
use streamkeep_live::{LiveFragment, LiveTail, MemoryBudget, TailPolicy};
use streamkeep_media::{
    Fragment, FragmentNumber, FrameEntry, FrameFlags, SessionHeader, Track, TrackKind, TrackTiming,
    UnixMillis, VideoParameters,
};
use streamkeep_playback::LiveVideo;

use crate::{BoxFuture, LiveStream, Refusal, StoredKeyFrame};

/// 64×64, baseline: no picture is out of order.
const SPS: &[u8] = &[0x67, 0x42, 0xc0, 0x0a, 0xda, 0x10, 0x99];
const PPS: &[u8] = &[0x68, 0xce, 0x3c, 0x80];

/// A stream, and the camera that sends to it.
pub(crate) struct Camera {
    pub(crate) tail: LiveTail,
    pub(crate) is_connected: AtomicBool,
    pub(crate) stored: Mutex<Option<StoredKeyFrame>>,
    pub(crate) behind_ms: AtomicUsize,
    header: Arc<SessionHeader>,
    arriving: Mutex<Option<Arriving>>,
    next_number: AtomicUsize,
}

struct Arriving {
    fragment: Arc<LiveFragment>,
    frames: Vec<FrameEntry>,
    len: u32,
}

impl Camera {
    pub(crate) fn new() -> Self {
        let track = Track {
            number: 1,
            uid: 1,
            kind: TrackKind::Video,
            codec_id: "V_MPEG4/ISO/AVC".to_owned(),
            codec_private: AvcDecoderConfigurationRecord::build(&[SPS], &[PPS]).unwrap().into(),
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
        let bytes = bytes.into();
        let header = SessionHeader { bytes, timestamp_scale_ns: 1_000_000, tracks: vec![track] };
        Self {
            tail: LiveTail::new(TailPolicy::UntilStored, MemoryBudget::new(0)),
            is_connected: AtomicBool::new(true),
            stored: Mutex::new(None),
            behind_ms: AtomicUsize::new(0),
            header: Arc::new(header),
            arriving: Mutex::new(None),
            next_number: AtomicUsize::new(1),
        }
    }

    pub(crate) fn video(&self) -> LiveVideo {
        LiveVideo::parse(&self.header.bytes).unwrap()
    }

    /// A fragment begins, `at` by the producer's clock; the one before is whole and stored.
    pub(crate) fn begin(&self, at: UnixMillis) {
        self.end();
        let number = self.next_number.fetch_add(1, Ordering::Relaxed) as u64;
        let (fragment, _) = self.tail.begin(LiveStart {
            number: FragmentNumber::new(UnixMillis(number), 1, number),
            server_timestamp: at,
            producer_timestamp: at,
            timecode: at.0,
            header: self.header.clone(),
        });
        *self.arriving.lock().unwrap() = Some(Arriving { fragment, frames: Vec::new(), len: 0 });
    }

    /// A frame of `len` bytes, `pts_ms` after the fragment's start.
    pub(crate) fn frame(&self, pts_ms: i32, key: bool, len: u32) {
        let mut arriving = self.arriving.lock().unwrap();
        let arriving = arriving.as_mut().unwrap();
        let frame = FrameEntry {
            track_index: 0,
            flags: FrameFlags { key, ..FrameFlags::default() },
            pts_ticks: pts_ms,
            duration_ticks: None,
            offset: arriving.len,
            len,
        };
        arriving.len += len;
        arriving.frames.push(frame);
        let bytes = vec![7; len as usize].into();
        self.tail.push(&arriving.fragment, LivePiece { bytes, frames: vec![frame] });
    }

    /// A fragment of frames 40 ms apart.
    pub(crate) fn fragment(&self, at: UnixMillis, frames: i32, len: u32) {
        self.begin(at);
        for index in 0..frames {
            self.frame(index * 40, index == 0, len);
        }
    }

    /// What is arriving is whole, and leaves the tail at once.
    pub(crate) fn end(&self) {
        let Some(Arriving { fragment, frames, .. }) = self.arriving.lock().unwrap().take() else {
            return;
        };
        let end_ticks = frames.iter().map(|frame| frame.pts_ticks + 40).max().unwrap_or(0);
        let whole = Fragment {
            number: fragment.start.number,
            producer_timestamp: fragment.start.producer_timestamp,
            server_timestamp: fragment.start.server_timestamp,
            duration_ms: end_ticks.unsigned_abs(),
            timecode: fragment.start.timecode,
            header: self.header.clone(),
            media: Vec::new(),
            frames,
            tags: Vec::new(),
            timing: vec![TrackTiming { end_ticks, ..TrackTiming::default() }],
            starts_with_key: true,
            continues_previous: true,
        };
        self.tail.complete(&fragment, Arc::new(whole), fragment.start.server_timestamp);
        self.tail.remove(fragment.start.number);
    }
}

impl LiveStream for Camera {
    fn tail(&self) -> &LiveTail {
        &self.tail
    }

    fn has_session(&self) -> bool {
        self.is_connected.load(Ordering::Relaxed)
    }

    fn video(&self, session_header: &Bytes) -> Result<LiveVideo, Refusal> {
        LiveVideo::parse(session_header).map_err(|error| Refusal {
            is_denied: false,
            name: "UnsupportedStreamMediaTypeException",
            text: error.to_string(),
        })
    }

    fn newest_key_frame(&self) -> BoxFuture<'_, Result<Option<StoredKeyFrame>, Refusal>> {
        Box::pin(async { Ok(self.stored.lock().unwrap().clone()) })
    }

    fn sent(&self, _frames: usize, _bytes: usize) {}

    fn fell_behind(&self, behind_ms: u64) {
        self.behind_ms.fetch_add(behind_ms as usize, Ordering::Relaxed);
    }
}

/// A binary message taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) kind: u8,
    pub(crate) tile: u16,
    pub(crate) is_key: bool,
    pub(crate) is_discontinuity: bool,
    pub(crate) wall_us: i64,
    pub(crate) duration_us: u32,
    /// Decode time in ms, and the durations of the samples in ms.
    pub(crate) media: Option<(u64, Vec<u32>)>,
}

/// Reads a binary message, of which the rest must be what its kind says.
pub(crate) fn parse(bytes: &[u8]) -> Parsed {
    let (head, rest) = bytes.split_at(20);
    assert_eq!((head[0], &head[5..8]), (1, &[0, 0, 0][..]));
    let media = match head[1] {
        1 => {
            assert_eq!(&rest[4..8], b"ftyp");
            None
        }
        2 => {
            assert_eq!(&rest[4..8], b"moof");
            let segment = streamkeep_fmp4::reader::read_media_segment(rest).unwrap();
            assert_eq!(segment.samples[0].is_sync, head[4] & 1 == 1);
            let durations = segment.samples.iter().map(|sample| sample.duration / 90).collect();
            Some((segment.base_media_decode_time / 90, durations))
        }
        other => panic!("kind {other}"),
    };
    Parsed {
        kind: head[1],
        tile: u16::from_le_bytes([head[2], head[3]]),
        is_key: head[4] & 1 == 1,
        is_discontinuity: head[4] & 2 == 2,
        wall_us: i64::from_le_bytes(head[8..16].try_into().unwrap()),
        duration_us: u32::from_le_bytes(head[16..20].try_into().unwrap()),
        media,
    }
}
