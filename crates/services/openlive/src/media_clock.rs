//! The timeline of a tile's media: one without holes, whatever the producer's clock does.
//!
//! Media time follows the producer's time as long as that goes on steadily, and is moved where it
//! does not (frames left out, a camera back after a night, a clock set): the next frame then starts
//! where the last ended, and the message says so. Players stop at holes; wall time is told by each
//! message.

use streamkeep_packaging::{VIDEO_TIMESCALE, ticks_of_ns};
use streamkeep_playback::FrameGroup;

/// Where a tile's media stand; ticks of 1/90,000 s.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MediaClock {
    /// A producer's time, and the media time that it is.
    anchor: Option<(i128, i64)>,
    /// Where the last group ends.
    end: u64,
}

/// Where a group is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) at: u64,
    /// Media time does not follow wall time from the group before to this one.
    pub(crate) is_moved: bool,
}

impl MediaClock {
    /// Places a group behind those before. `tolerance_ns` is by how much it may start early or late
    /// and still follow.
    pub(crate) fn place(&mut self, group: &FrameGroup, tolerance_ns: i128) -> Placed {
        let offset = i64::try_from(group.offset).unwrap_or(i64::MAX);
        let end = i64::try_from(self.end).unwrap_or(i64::MAX);
        let by_time = self.anchor.map(|(ns, media)| {
            let since = ticks_of_ns(group.run_ns.saturating_sub(ns), VIDEO_TIMESCALE);
            media.saturating_add(since).saturating_add(offset)
        });
        let tolerance = ticks_of_ns(tolerance_ns, VIDEO_TIMESCALE);
        let placed = match by_time {
            Some(at) if at >= 0 && at.abs_diff(end) <= tolerance.unsigned_abs() => {
                Placed { at: at.unsigned_abs(), is_moved: false }
            }
            _ => {
                self.anchor = Some((group.run_ns, end.saturating_sub(offset)));
                Placed { at: self.end, is_moved: by_time.is_some() }
            }
        };
        self.end = placed.at.saturating_add(group.duration);
        placed
    }
}
