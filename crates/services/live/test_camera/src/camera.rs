//! A camera that feeds a live tail.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use streamkeep_ingest::{LivePiece, LiveStart};
use streamkeep_live::{LiveFragment, LiveTail, MemoryBudget, TailPolicy};
use streamkeep_media::{FragmentNumber, FrameEntry, SessionHeader, Track, UnixMillis};

use crate::{Pictures, fragment, picture, session_header};

/// A kept stream's tail, and a camera whose fragments arrive in it.
pub struct TestCamera {
    /// What readers look at.
    pub tail: LiveTail,
    /// Of all its fragments.
    pub header: Arc<SessionHeader>,
    arriving: Mutex<Option<Arriving>>,
    next_number: AtomicU64,
}

struct Arriving {
    fragment: Arc<LiveFragment>,
    frames: Vec<FrameEntry>,
    len: u32,
}

impl TestCamera {
    /// A camera that has sent nothing.
    pub fn new(pictures: Pictures) -> Self {
        Self::with_tracks(vec![pictures.track()])
    }

    /// One whose tracks are given: the first is its pictures, the second its sound.
    pub fn with_tracks(tracks: Vec<Track>) -> Self {
        Self {
            tail: LiveTail::new(TailPolicy::UntilStored, MemoryBudget::new(0)),
            header: Arc::new(session_header(tracks)),
            arriving: Mutex::new(None),
            next_number: AtomicU64::new(1),
        }
    }

    /// A fragment begins, `at` by both clocks; the one before ends.
    pub fn begin(&self, at: UnixMillis) -> Arc<LiveFragment> {
        self.end();
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        let (fragment, _) = self.tail.begin(LiveStart {
            number: FragmentNumber::new(UnixMillis(number), 1, number),
            server_timestamp: at,
            producer_timestamp: at,
            timecode: at.0,
            header: self.header.clone(),
        });
        *self.arriving() =
            Some(Arriving { fragment: fragment.clone(), frames: Vec::new(), len: 0 });
        fragment
    }

    /// A frame `pts_ms` after the fragment's start: `len` bytes, each of them its time in units of
    /// 10 ms, behind ten bytes of other things.
    ///
    /// # Panics
    ///
    /// When no fragment has begun.
    pub fn frame(&self, pts_ms: i32, key: bool, len: u32) {
        self.push(picture(pts_ms, key, 0, len));
    }

    /// As [`Self::frame`], of the second track.
    ///
    /// # Panics
    ///
    /// When no fragment has begun.
    pub fn sound(&self, pts_ms: i32, len: u32) {
        self.push(FrameEntry { track_index: 1, ..picture(pts_ms, true, 0, len) });
    }

    fn push(&self, frame: FrameEntry) {
        let mut arriving = self.arriving();
        let arriving = arriving.as_mut().expect("a fragment has begun");
        let (pts_ms, len) = (frame.pts_ticks, frame.len);
        let frame = FrameEntry { offset: arriving.len + GAP, ..frame };
        let mut bytes = vec![0xee; GAP as usize];
        bytes.resize((GAP + len) as usize, (pts_ms / 10) as u8);
        arriving.len += GAP + len;
        arriving.frames.push(frame);
        let piece = LivePiece { bytes: bytes.into(), frames: vec![frame] };
        self.tail.push(&arriving.fragment, piece);
    }

    /// A fragment begins, and so many frames of it come, 40 ms apart.
    pub fn fragment(&self, at: UnixMillis, frames: i32, len: u32) {
        self.begin(at);
        for index in 0..frames {
            self.frame(index * 40, index == 0, len);
        }
    }

    /// What is arriving is whole, its last frame 40 ms long, and leaves the tail at once.
    pub fn end(&self) {
        let last = self.arriving().as_ref().map(|arriving| {
            arriving.frames.iter().map(|frame| frame.pts_ticks + 40).max().unwrap_or(0)
        });
        if let Some(end_ms) = last {
            self.end_at(end_ms);
        }
    }

    /// [`Self::end`], with the end given.
    ///
    /// # Panics
    ///
    /// When no fragment has begun.
    pub fn end_at(&self, end_ms: i32) {
        let arriving = self.arriving().take().expect("a fragment has begun");
        let Arriving { fragment: live, frames, .. } = arriving;
        let whole = fragment(live.start.clone(), frames, end_ms);
        self.tail.complete(&live, Arc::new(whole), live.start.server_timestamp);
        self.tail.remove(live.start.number);
    }

    fn arriving(&self) -> MutexGuard<'_, Option<Arriving>> {
        self.arriving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As a SimpleBlock's head would be, before each frame.
const GAP: u32 = 10;
