//! Where one fragment ends and the next begins.

use std::time::Duration;

use streamkeep_media::{Track, TrackKind};

use crate::source::SourceFrame;

/// Bounds on fragments.
///
/// With video, fragments begin at key frames of the first video track. A fragment shorter than
/// `min`, or without a frame of some track, goes on at a key frame; one that reaches `max` ends at
/// any frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentLimits {
    /// Default 1 s: the service documents it as the shortest, and takes at most 5 a second.
    pub min: Duration,
    /// Default 15 s: the service takes up to 20 s.
    pub max: Duration,
    /// Default 45 MB: the service takes up to 50 MB.
    pub max_bytes: usize,
    /// Length without video. Default 2 s.
    pub audio_only: Duration,
}

impl Default for FragmentLimits {
    fn default() -> Self {
        Self {
            min: Duration::from_secs(1),
            max: Duration::from_secs(15),
            max_bytes: 45_000_000,
            audio_only: Duration::from_secs(2),
        }
    }
}

/// Decides, frame by frame.
#[derive(Debug)]
pub(super) struct Cutter {
    limits: FragmentLimits,
    origin_ms: i64,
    track_count: usize,
    /// The first video track.
    lead: Option<usize>,
    open: Option<Open>,
    /// Timecode of the last fragment of this time line.
    last_timecode: Option<u64>,
    /// Frames of other tracks that came before the first key frame.
    early: Vec<SourceFrame>,
}

#[derive(Debug)]
struct Open {
    timecode: u64,
    bytes: usize,
    /// One bit for each track that has a frame in it; tracks beyond 64 are not waited for.
    seen: u64,
}

/// What becomes of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// A fragment begins.
    Start {
        /// Its Cluster timecode in milliseconds.
        timecode: u64,
        /// Time has stepped back: only a new session may hold this fragment.
        new_session: bool,
    },
    /// A block of the open fragment.
    Block {
        /// The frame.
        frame: SourceFrame,
        /// Milliseconds from the Cluster's timecode.
        relative_ms: i16,
    },
    /// Left out.
    Dropped,
}

impl Cutter {
    pub(super) fn new(limits: FragmentLimits, origin_ms: i64) -> Self {
        Self {
            limits,
            origin_ms,
            track_count: 0,
            lead: None,
            open: None,
            last_timecode: None,
            early: Vec::new(),
        }
    }

    /// The tracks of the frames that follow. The open fragment has ended.
    pub(super) fn set_tracks(&mut self, tracks: &[Track]) {
        self.open = None;
        self.early.clear();
        self.track_count = tracks.len();
        self.lead = tracks.iter().position(|track| track.kind == TrackKind::Video);
    }

    /// Takes a frame; the cuts are in order.
    pub(super) fn frame(&mut self, frame: SourceFrame, cuts: &mut Vec<Cut>) {
        // Rounded, so that 33.333 ms frames do not drift.
        let ms = (frame.pts_ns.div_euclid(500_000) + 1).div_euclid(2);
        let Ok(ms) = u64::try_from(ms.saturating_add(self.origin_ms)) else {
            cuts.push(Cut::Dropped); // before 1970
            return;
        };
        let leads = self.lead.is_none_or(|lead| lead == frame.track_index);
        let starts = match &self.open {
            None if leads && (frame.flags.key || self.lead.is_none()) => true,
            None if !leads && self.early.len() < EARLY_MAX => {
                self.early.push(frame);
                return;
            }
            None => {
                cuts.push(Cut::Dropped);
                return;
            }
            Some(open) => leads && self.ends_before(open, ms, &frame),
        };
        if starts {
            let new_session = self.last_timecode.is_some_and(|last| ms <= last);
            cuts.push(Cut::Start { timecode: ms, new_session });
            self.last_timecode = Some(ms);
            self.open = Some(Open { timecode: ms, bytes: 0, seen: 0 });
        }
        self.block(frame, ms, cuts);
        if starts {
            for early in std::mem::take(&mut self.early) {
                self.frame(early, cuts);
            }
        }
    }

    fn ends_before(&self, open: &Open, ms: u64, frame: &SourceFrame) -> bool {
        let within =
            |limit: Duration| u128::from(ms.saturating_sub(open.timecode)) < limit.as_millis();
        let stepped_back = ms.saturating_add(STEP_BACK_MS) < open.timecode
            || frame.flags.key && ms <= open.timecode;
        let full =
            !within(self.limits.max) || open.bytes + frame.data.len() > self.limits.max_bytes;
        let all = if self.track_count >= 64 { u64::MAX } else { (1 << self.track_count) - 1 };
        let regular = match self.lead {
            Some(_) => frame.flags.key && !within(self.limits.min) && open.seen & all == all,
            None => !within(self.limits.audio_only) && open.seen & all == all,
        };
        stepped_back || full || regular
    }

    fn block(&mut self, frame: SourceFrame, ms: u64, cuts: &mut Vec<Cut>) {
        let Some(open) = &mut self.open else { return };
        let relative = i128::from(ms) - i128::from(open.timecode);
        let Ok(relative_ms) = i16::try_from(relative) else {
            // A track far from the lead: no Cluster can hold both.
            cuts.push(Cut::Dropped);
            return;
        };
        open.bytes += frame.data.len();
        open.seen |= 1u64.checked_shl(frame.track_index as u32).unwrap_or(0);
        cuts.push(Cut::Block { frame, relative_ms });
    }
}

/// Sound usually precedes the first picture by some frames, never by seconds.
const EARLY_MAX: usize = 256;
/// Frames may precede the key frame they follow by some frames' time; more is a clock that was set
/// back.
const STEP_BACK_MS: u64 = 1_000;

#[cfg(test)]
mod tests;
