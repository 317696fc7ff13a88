//! The pictures of a live stream for a viewer that is sent to: a fragment's frames in groups, as they
//! arrive, each a `moof` and `mdat`.
//!
//! A group differs from a part (`parts.rs`) in that nobody asks for it twice: it holds what is there,
//! and its last frame is taken to be as long as those before it. Decode times are those of a segment
//! (packaging.md §2.2), so pictures out of order wait until no other can come before them. Sound is
//! left out.

use std::sync::Arc;

use bytes::Bytes;
use streamkeep_codec::VideoCodec;
use streamkeep_fmp4::{Sample, SegmentKind, write_media_segment_head};
use streamkeep_live::{LiveFragment, Progress};
use streamkeep_media::{FragmentNumber, FrameEntry, StreamId, UnixMillis, gather};
use streamkeep_packaging::{VIDEO_TIMESCALE, ns_of_ticks, ticks_of_ns, video_samples};
use tokio::task::spawn_blocking;

use crate::PlaybackError;
use crate::edge::guessed_end;
use crate::init::track_init_segment;
use crate::parts::depth_of;
use crate::service::Service;
use crate::tracks::{TrackRole, TrackSet, VideoTrack};

/// The video track of an ingest session, as live viewers get it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LiveVideo {
    tracks: Arc<TrackSet>,
    init: Bytes,
}

impl LiveVideo {
    /// Of a session, by the bytes of its session header. [`Service::live_video`] keeps what it parses.
    ///
    /// # Errors
    /// What is wrong with the tracks; `UnsupportedMedia` when none is video.
    pub fn parse(session_header: &Bytes) -> Result<Self, PlaybackError> {
        Self::new(Arc::new(TrackSet::parse(session_header)?))
    }

    fn new(tracks: Arc<TrackSet>) -> Result<Self, PlaybackError> {
        let init = match &tracks.video {
            Some(_) => track_init_segment(&tracks, TrackRole::Video)?,
            None => None,
        };
        let none = || PlaybackError::UnsupportedMedia("the stream has no video track".to_owned());
        Ok(Self { init: init.ok_or_else(none)?, tracks })
    }

    fn track(&self) -> &VideoTrack {
        self.tracks.video.as_ref().expect("checked when it was made")
    }

    /// The codecs parameter of RFC 6381.
    pub fn codec(&self) -> &str {
        &self.track().description.codec_string
    }

    /// Coded width and height, in luma samples.
    pub fn size(&self) -> (u16, u16) {
        (self.track().description.width, self.track().description.height)
    }

    pub(crate) fn tracks(&self) -> &Arc<TrackSet> {
        &self.tracks
    }

    /// There is sound beside the pictures.
    pub fn has_sound(&self) -> bool {
        self.tracks.audio.is_some()
    }

    /// The CMAF initialisation segment: `ftyp` and `moov`, timescale 90,000.
    pub fn init(&self) -> &Bytes {
        &self.init
    }
}

impl Service {
    /// The video of a session, by the bytes of its session header.
    ///
    /// # Errors
    /// What is wrong with the tracks; `UnsupportedMedia` when none is video.
    pub fn live_video(&self, session_header: &Bytes) -> Result<LiveVideo, PlaybackError> {
        LiveVideo::new(self.track_sets.get(session_header)?)
    }

    /// The last key frame of the newest stored fragment, as long as what is left of the fragment;
    /// with the fragment's number and video. `None` when nothing is stored, or no key frame in it.
    ///
    /// # Errors
    /// What is wrong with the tracks, and what the store says.
    pub async fn newest_key_frame(
        &self,
        stream: StreamId,
    ) -> Result<Option<(FragmentNumber, LiveVideo, FrameGroup)>, PlaybackError> {
        let engine = self.engine.clone();
        let row = spawn_blocking(move || engine.last_row(stream))
            .await
            .map_err(|_| PlaybackError::Stopping)??;
        let Some(row) = row else { return Ok(None) };
        let loaded = self.fragments.get_row(stream, row).await?;
        let video = LiveVideo::new(loaded.tracks.clone())?;
        let index = video.track().index;
        let mut own = loaded.frames.iter().filter(|frame| frame.track_index == index);
        let Some(key) = own.rfind(|frame| frame.flags.key && frame.len > 0) else {
            return Ok(None);
        };
        let scale = loaded.row.timestamp_scale_ns;
        let end = crate::segment::row_of(&loaded, index).map_or(0, |track| track.end_ticks);
        let length = i128::from(i64::from(end) - i64::from(key.pts_ticks)) * i128::from(scale);
        let start_ns = wall_ns(loaded.row.producer_timestamp, key.pts_ticks, scale);
        let payload = Bytes::copy_from_slice(loaded.frame_bytes(key));
        let group = FrameGroup::picture(key, payload, start_ns, length);
        Ok(Some((loaded.row.number, video, group)))
    }
}

/// How a stream's frames came so far: carried from one run to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cadence {
    /// By how many places frames were out of order, at most.
    pub depth: u8,
    /// The mean distance of the last run's frames; 0 while it is not known.
    pub frame_ns: u64,
}

/// The frames of one fragment of the live tail from some frame on, given out in groups.
#[derive(Debug)]
pub struct FrameRun {
    video: LiveVideo,
    fragment: Arc<LiveFragment>,
    /// The video frames from the first wanted on.
    frames: Vec<FrameEntry>,
    pieces: Vec<Bytes>,
    /// Frames of the fragment, of all tracks, that were looked at.
    seen: usize,
    progress: Progress,
    /// Pictures that no decoder can show after the key frame where a viewer joins.
    leaves_out: LeavesOut,
    /// Of this run and those before.
    cadence: Cadence,
    /// Frames given out.
    taken: usize,
    /// Presentation time of the earliest frame, when the first group was given; then fixed.
    base: Option<i32>,
    /// Ticks after `base` before which the next frame cannot be decoded.
    floor: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LeavesOut {
    Nothing,
    /// Until the second key frame.
    SkippedLeading {
        keys: u8,
    },
}

impl FrameRun {
    /// All of a fragment. `cadence` is [`Self::cadence`] of the run before.
    pub fn of(video: LiveVideo, fragment: Arc<LiveFragment>, cadence: Cadence) -> Self {
        Self::from_frame(video, fragment, cadence, 0, LeavesOut::Nothing)
    }

    /// From the newest key frame that has arrived of a fragment; `None` when none has.
    pub fn at_newest_key(
        video: LiveVideo,
        fragment: Arc<LiveFragment>,
        cadence: Cadence,
    ) -> Option<Self> {
        let track = video.track();
        let frames = fragment.frames_from(0);
        let is_key = |f: &FrameEntry| f.track_index == track.index && f.flags.key && f.len > 0;
        let first = frames.iter().rposition(is_key)?;
        let leaves_out = match track.description.codec {
            VideoCodec::H264 => LeavesOut::Nothing,
            VideoCodec::H265 => LeavesOut::SkippedLeading { keys: 0 },
        };
        Some(Self::from_frame(video, fragment, cadence, first, leaves_out))
    }

    fn from_frame(
        video: LiveVideo,
        fragment: Arc<LiveFragment>,
        cadence: Cadence,
        seen: usize,
        leaves_out: LeavesOut,
    ) -> Self {
        let mut run = Self {
            video,
            fragment,
            frames: Vec::new(),
            pieces: Vec::new(),
            seen,
            progress: Progress::Arriving,
            leaves_out,
            cadence,
            taken: 0,
            base: None,
            floor: 0,
        };
        run.look();
        run
    }

    /// Takes in what has arrived since the last look.
    pub fn look(&mut self) {
        // Progress before frames before bytes: what is told whole is whole, and each frame known
        // has its bytes.
        self.progress = self.fragment.progress();
        let fresh = self.fragment.frames_from(self.seen);
        self.seen += fresh.len();
        self.pieces.extend(self.fragment.pieces_from(self.pieces.len()).0);
        let index = self.video.track().index;
        for frame in fresh.into_iter().filter(|f| f.track_index == index && f.len > 0) {
            if !self.is_left_out(&frame) {
                self.frames.push(frame);
            }
        }
        let seen = depth_of(self.frames.iter().map(|frame| frame.pts_ticks).collect());
        self.cadence.depth = self.cadence.depth.max(seen);
        let times = || self.frames.iter().map(|frame| i64::from(frame.pts_ticks));
        if let (Some(first), Some(last)) = (times().min(), times().max())
            && first < last
        {
            let span_ns = (last - first).unsigned_abs().saturating_mul(self.scale_ns());
            self.cadence.frame_ns = span_ns / (self.frames.len() as u64 - 1);
        }
    }

    fn is_left_out(&mut self, frame: &FrameEntry) -> bool {
        let LeavesOut::SkippedLeading { keys } = &mut self.leaves_out else { return false };
        *keys += u8::from(frame.flags.key);
        if *keys > 1 {
            self.leaves_out = LeavesOut::Nothing;
            return false;
        }
        let bytes = self.bytes_of(frame);
        bytes.is_some_and(|bytes| self.video.track().description.is_rasl(&bytes))
    }

    fn bytes_of(&self, frame: &FrameEntry) -> Option<Bytes> {
        gather(&self.pieces, frame.offset as usize, frame.len as usize)
    }

    /// The video that it is of.
    pub fn video(&self) -> &LiveVideo {
        &self.video
    }

    /// The fragment.
    pub fn fragment(&self) -> &Arc<LiveFragment> {
        &self.fragment
    }

    /// For the run that follows.
    pub fn cadence(&self) -> Cadence {
        self.cadence
    }

    /// Nothing of the fragment is still to come or to be given.
    pub fn is_over(&self) -> bool {
        self.is_ended() && self.taken == self.frames.len()
    }

    fn is_ended(&self) -> bool {
        !matches!(self.progress, Progress::Arriving)
    }

    /// Frames that can be given: behind the others fewer frames come than might belong before them.
    fn ready(&self) -> usize {
        let declared = self.video.track().description.reorder_depth;
        let depth =
            usize::from(declared.map_or(self.cadence.depth, |depth| depth.max(self.cadence.depth)));
        match self.is_ended() {
            true => self.frames.len(),
            false => self.frames.len().saturating_sub(depth),
        }
    }

    /// Bytes of the next frame that can be given.
    pub fn next_len(&self) -> Option<usize> {
        (self.taken < self.ready()).then(|| self.frames[self.taken].len as usize)
    }

    /// Producer's wall time of the next frame, whether or not it can be given yet; nanoseconds since
    /// 1970.
    pub fn next_wall_ns(&self) -> Option<i128> {
        self.frames.get(self.taken).map(|frame| self.wall_ns(frame.pts_ticks))
    }

    /// The next frames, of at most `bytes_max` payload bytes, but one at least if one can be given.
    pub fn next_group(&mut self, bytes_max: usize) -> Option<FrameGroup> {
        let index = self.video.track().index;
        let scale = self.scale_ns();
        let end = match &self.progress {
            Progress::Complete(whole) => whole.timing.get(usize::from(index)).map(|t| t.end_ticks),
            Progress::Arriving | Progress::Aborted => None,
        };
        let end = end.unwrap_or_else(|| self.guessed_end(index));
        let mut payload = Vec::new();
        let mut len = 0;
        for frame in &self.frames[self.taken..self.ready()] {
            len += frame.len as usize;
            if !payload.is_empty() && len > bytes_max {
                break;
            }
            payload.push(self.bytes_of(frame)?);
        }
        let wanted = self.taken..self.taken + payload.len();
        let first = *self.frames.get(self.taken).filter(|_| !wanted.is_empty())?;
        let earliest = self.frames.iter().map(|frame| frame.pts_ticks).min()?;
        let base = *self.base.get_or_insert(earliest);
        let samples = video_samples(&self.frames, index, scale, end, |_| true).samples;
        let ticks = |samples: &[Sample]| samples.iter().map(|s| u64::from(s.duration)).sum::<u64>();
        // Not 0 only when a frame came later than the declared depth allows.
        let moved = i128::from(i64::from(earliest) - i64::from(base)) * i128::from(scale);
        let offset = ticks(&samples[..wanted.start])
            .saturating_add_signed(ticks_of_ns(moved, VIDEO_TIMESCALE))
            .max(self.floor);
        let samples = samples[wanted.clone()].to_vec();
        let (last, before) = samples.split_last()?;
        self.floor = offset + ticks(before) + 1;
        self.taken = wanted.end;
        Some(FrameGroup {
            starts_with_key: first.flags.key,
            wall_ns: self.wall_ns(first.pts_ticks),
            run_ns: self.wall_ns(base),
            offset,
            duration: ticks(before) + u64::from(last.duration),
            samples,
            payload,
        })
    }

    /// Where the frames end as far as they have come. One that is alone is as long as those of the run
    /// before were, or as the stream declares.
    fn guessed_end(&self, index: u8) -> i32 {
        let [alone] = self.frames[..] else { return guessed_end(&self.frames, index) };
        let declared = || {
            let track = self.fragment.start.header.tracks.get(usize::from(index));
            let hint = self.video.track().description.frame_rate_hint;
            track
                .and_then(|track| track.default_duration_ns)
                .or_else(|| hint.map(|per_second| (1e9 / per_second) as u64))
                .unwrap_or(USUAL_FRAME_NS)
        };
        let frame_ns = match self.cadence.frame_ns {
            0 => declared(),
            known => known,
        };
        let ticks = i32::try_from(frame_ns / self.scale_ns().max(1)).unwrap_or(i32::MAX);
        alone.pts_ticks.saturating_add(ticks.max(1))
    }

    /// The key frame that the run begins with alone, shown for `length_ns`. The run keeps its place.
    pub fn key_frame(&self, length_ns: i128) -> Option<FrameGroup> {
        let key = self.frames.first().filter(|frame| frame.flags.key)?;
        let start_ns = self.wall_ns(key.pts_ticks);
        Some(FrameGroup::picture(key, self.bytes_of(key)?, start_ns, length_ns))
    }

    /// How long the fragment is, once all of it is here; nanoseconds.
    pub fn length_ns(&self) -> Option<i128> {
        match &self.progress {
            Progress::Complete(whole) => Some(i128::from(whole.duration_ms) * 1_000_000),
            Progress::Arriving | Progress::Aborted => None,
        }
    }

    fn scale_ns(&self) -> u64 {
        self.fragment.start.header.timestamp_scale_ns
    }

    fn wall_ns(&self, ticks: i32) -> i128 {
        wall_ns(self.fragment.start.producer_timestamp, ticks, self.scale_ns())
    }
}

pub(crate) fn wall_ns(start: UnixMillis, ticks: i32, scale_ns: u64) -> i128 {
    i128::from(start.0) * 1_000_000 + i128::from(ticks) * i128::from(scale_ns)
}

/// Some frames that follow each other in decode order: one `moof` and `mdat`.
#[derive(Clone, Debug)]
pub struct FrameGroup {
    samples: Vec<Sample>,
    payload: Vec<Bytes>,
    /// The first frame is a key frame.
    pub starts_with_key: bool,
    /// When the first frame is shown by the producer's clock, nanoseconds since 1970.
    pub wall_ns: i128,
    /// The producer's time of the run's start, which [`Self::offset`] counts from.
    pub run_ns: i128,
    /// Decode time of the first frame after the run's start, in ticks of 1/90,000 s.
    pub offset: u64,
    /// Sum of the frames' durations, in the same ticks; that of the last may be a guess.
    pub duration: u64,
}

impl FrameGroup {
    /// One key frame that is shown for a while.
    fn picture(key: &FrameEntry, payload: Bytes, start_ns: i128, length_ns: i128) -> Self {
        let duration = ticks_of_ns(length_ns, VIDEO_TIMESCALE).clamp(1, PICTURE_TICKS_MAX);
        let duration = u32::try_from(duration).unwrap_or(1);
        let size = key.len;
        Self {
            samples: vec![Sample { size, duration, composition_offset: 0, is_sync: true }],
            payload: vec![payload],
            starts_with_key: true,
            wall_ns: start_ns,
            run_ns: start_ns,
            offset: 0,
            duration: u64::from(duration),
        }
    }

    /// How many frames.
    pub fn frame_count(&self) -> usize {
        self.samples.len()
    }

    /// Sum of the durations, in nanoseconds.
    pub fn duration_ns(&self) -> i128 {
        ns_of_ticks(i64::try_from(self.duration).unwrap_or(i64::MAX), VIDEO_TIMESCALE)
    }

    /// Payload bytes.
    pub fn len(&self) -> usize {
        self.payload.iter().map(Bytes::len).sum()
    }

    /// Never: a group has a frame.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Appends `moof` and `mdat`, decoded from `at` on, in ticks of 1/90,000 s.
    ///
    /// # Errors
    /// `InvalidFrame` when the times or sizes do not fit the format. `out` is as before then.
    pub fn write(&self, out: &mut Vec<u8>, sequence: u32, at: u64) -> Result<(), PlaybackError> {
        write_chunk(out, sequence, at, &self.samples, &self.payload)
    }
}

/// 25 frames a second.
const USUAL_FRAME_NS: u64 = 40_000_000;

/// A minute: no fragment is longer.
const PICTURE_TICKS_MAX: i64 = 60 * VIDEO_TIMESCALE as i64;

/// Appends the `moof` and `mdat` of some frames, decoded from `at` on, in ticks of their track.
///
/// # Errors
/// `InvalidFrame` when the times or sizes do not fit the format. `out` is as before then.
pub(crate) fn write_chunk(
    out: &mut Vec<u8>,
    sequence: u32,
    at: u64,
    samples: &[Sample],
    payload: &[Bytes],
) -> Result<(), PlaybackError> {
    write_media_segment_head(out, SegmentKind::Chunk, sequence, at, samples)
        .map_err(|error| PlaybackError::InvalidFrame(error.to_string()))?;
    payload.iter().for_each(|bytes| out.extend_from_slice(bytes));
    Ok(())
}

#[cfg(test)]
mod tests;
