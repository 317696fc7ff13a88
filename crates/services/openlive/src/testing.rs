//! A made-up camera in a tile, and what a page reads.

use std::ops::Deref;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use streamkeep_live::LiveTail;
use streamkeep_media::{AudioParameters, Track, TrackKind};
use streamkeep_playback::LiveVideo;
use streamkeep_test_camera::{Pictures, TestCamera};

use crate::{BoxFuture, LiveStream, Refusal, StoredKeyFrame};

/// A stream, and the camera that sends to it.
pub(crate) struct Camera {
    camera: TestCamera,
    pub(crate) is_connected: AtomicBool,
    pub(crate) stored: Mutex<Option<StoredKeyFrame>>,
    pub(crate) behind_ms: AtomicUsize,
}

impl Camera {
    pub(crate) fn new() -> Self {
        Self::of(TestCamera::new(Pictures::InOrder))
    }

    /// With sound of this codec beside the pictures.
    pub(crate) fn with_sound(codec_id: &str, codec_private: &'static [u8]) -> Self {
        let pictures = Pictures::InOrder.track();
        let sound = Track {
            number: 2,
            uid: 2,
            kind: TrackKind::Audio,
            codec_id: codec_id.to_owned(),
            codec_private: Bytes::from_static(codec_private),
            name: String::new(),
            default_duration_ns: None,
            video: None,
            audio: Some(AudioParameters {
                sampling_frequency: 48_000.0,
                channels: 2,
                bit_depth: Some(16),
            }),
        };
        Self::of(TestCamera::with_tracks(vec![pictures, sound]))
    }

    fn of(camera: TestCamera) -> Self {
        Self {
            camera,
            is_connected: AtomicBool::new(true),
            stored: Mutex::new(None),
            behind_ms: AtomicUsize::new(0),
        }
    }

    pub(crate) fn video(&self) -> LiveVideo {
        LiveVideo::parse(&self.header.bytes).unwrap()
    }
}

impl Deref for Camera {
    type Target = TestCamera;

    fn deref(&self) -> &TestCamera {
        &self.camera
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
    /// Decode time in ms, and the durations of the samples in ms; of sound in samples.
    pub(crate) media: Option<(u64, Vec<u32>)>,
}

/// Reads a binary message, of which the rest must be what its kind says.
pub(crate) fn parse(bytes: &[u8]) -> Parsed {
    let (head, rest) = bytes.split_at(20);
    assert_eq!((head[0], &head[5..8]), (1, &[0, 0, 0][..]));
    let media = match head[1] {
        1 | 4 => {
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
        5 => {
            assert_eq!(&rest[4..8], b"moof");
            let segment = streamkeep_fmp4::reader::read_media_segment(rest).unwrap();
            let durations = segment.samples.iter().map(|sample| sample.duration).collect();
            Some((segment.base_media_decode_time, durations))
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
