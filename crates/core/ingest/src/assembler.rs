//! One fragment while it arrives.

use std::sync::Arc;

use bytes::Bytes;
use streamkeep_media::{
    Fragment, FragmentNumber, FrameEntry, SessionHeader, TagGroup, TrackKind, TrackTiming,
    UnixMillis,
};

use crate::timing::{ticks_to_ns, track_timing};

/// Gap or overlap up to which presentation counts as continuous (packaging.md §2.5).
const CONTINUITY_NS: i128 = 50_000_000;

/// The fragment now arriving: identity, bytes and frames so far.
#[derive(Debug)]
pub(crate) struct Assembler {
    pub(crate) number: FragmentNumber,
    pub(crate) server_timestamp: UnixMillis,
    pub(crate) producer_timestamp: UnixMillis,
    pub(crate) timecode: u64,
    pub(crate) header: Arc<SessionHeader>,
    pub(crate) media: Vec<Bytes>,
    pub(crate) media_len: usize,
    pub(crate) frames: Vec<FrameEntry>,
    pub(crate) tags: Vec<TagGroup>,
    pub(crate) tag_count: usize,
    /// Sample position of the first frame of each track.
    pub(crate) sample_positions: Vec<Option<u64>>,
    earliest_ticks: i32,
    latest_ticks: i32,
}

impl Assembler {
    pub(crate) fn new(
        number: FragmentNumber,
        server_timestamp: UnixMillis,
        producer_timestamp: UnixMillis,
        timecode: u64,
        header: Arc<SessionHeader>,
    ) -> Self {
        let sample_positions = vec![None; header.tracks.len()];
        Self {
            number,
            server_timestamp,
            producer_timestamp,
            timecode,
            header,
            media: Vec::new(),
            media_len: 0,
            frames: Vec::new(),
            tags: Vec::new(),
            tag_count: 0,
            sample_positions,
            earliest_ticks: i32::MAX,
            latest_ticks: i32::MIN,
        }
    }

    pub(crate) fn push_piece(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.media_len += piece.len();
            self.media.push(piece);
        }
    }

    pub(crate) fn push_frame(&mut self, frame: FrameEntry) {
        self.earliest_ticks = self.earliest_ticks.min(frame.pts_ticks);
        self.latest_ticks = self.latest_ticks.max(frame.pts_ticks);
        self.frames.push(frame);
    }

    /// Milliseconds between the earliest and the latest presentation time so far.
    pub(crate) fn span_ms(&self) -> u64 {
        if self.frames.is_empty() {
            return 0;
        }
        let ticks = i128::from(self.latest_ticks) - i128::from(self.earliest_ticks);
        u64::try_from(ticks_to_ns(ticks, self.header.timestamp_scale_ns) / 1_000_000)
            .unwrap_or(u64::MAX)
    }

    /// Whether some declared track has no frame in this fragment.
    pub(crate) fn misses_a_track(&self) -> bool {
        let seen =
            |index: usize| self.frames.iter().any(|frame| usize::from(frame.track_index) == index);
        (0..self.header.tracks.len()).any(|index| !seen(index))
    }

    /// Completes the fragment. `next_timecode` is that of the following cluster when it is known;
    /// `previous_end_ns` is where the session's last fragment ended on the media timeline.
    /// Returns the fragment and where it ends.
    pub(crate) fn complete(
        self,
        next_timecode: Option<u64>,
        previous_end_ns: Option<i128>,
    ) -> (Fragment, i128) {
        let scale = self.header.timestamp_scale_ns;
        let next_start = next_timecode
            .and_then(|next| i64::try_from(i128::from(next) - i128::from(self.timecode)).ok());
        let timing: Vec<TrackTiming> = (0..self.header.tracks.len())
            .map(|index| TrackTiming {
                sample_position: self.sample_positions[index].unwrap_or(0),
                ..track_timing(&self.frames, index, &self.header, next_start)
            })
            .collect();
        let present = || timing.iter().filter(|track| track.frame_count > 0);
        let earliest = present().map(|track| track.earliest_ticks).min().unwrap_or(0);
        let end = present().map(|track| track.end_ticks).max().unwrap_or(0);
        let duration_ns = ticks_to_ns(i128::from(end) - i128::from(earliest), scale);
        let duration_ms = u32::try_from((duration_ns + 500_000) / 1_000_000).unwrap_or(0);

        let lead = self.lead_track();
        let origin = i128::from(self.timecode);
        let lead_ns = |ticks: i32| ticks_to_ns(origin + i128::from(ticks), scale);
        let starts_ns = lead_ns(timing.get(lead).map_or(0, |track| track.earliest_ticks));
        let ends_ns = lead_ns(timing.get(lead).map_or(0, |track| track.end_ticks));
        let continues_previous =
            previous_end_ns.is_some_and(|end| (starts_ns - end).abs() <= CONTINUITY_NS);
        let starts_with_key = self.starts_with_key();
        let fragment = Fragment {
            number: self.number,
            producer_timestamp: self.producer_timestamp,
            server_timestamp: self.server_timestamp,
            duration_ms,
            timecode: self.timecode,
            header: self.header,
            media: self.media,
            frames: self.frames,
            tags: self.tags,
            timing,
            starts_with_key,
            continues_previous,
        };
        (fragment, ends_ns)
    }

    /// The track that carries the timeline: the first video track, else the first track.
    fn lead_track(&self) -> usize {
        self.header.tracks.iter().position(|track| track.kind == TrackKind::Video).unwrap_or(0)
    }

    fn starts_with_key(&self) -> bool {
        let is_video = |frame: &&FrameEntry| {
            let track = self.header.tracks.get(usize::from(frame.track_index));
            track.is_some_and(|track| track.kind == TrackKind::Video)
        };
        self.frames.iter().find(is_video).is_none_or(|frame| frame.flags.key)
    }
}
