//! A fragment of one video track.

use streamkeep_ingest::LiveStart;
use streamkeep_media::{Fragment, FrameEntry, FrameFlags, TrackTiming};

/// An entry of a picture that lies at `offset`.
pub fn picture(pts_ms: i32, key: bool, offset: u32, len: u32) -> FrameEntry {
    FrameEntry {
        track_index: 0,
        flags: FrameFlags { key, ..FrameFlags::default() },
        pts_ticks: pts_ms,
        duration_ticks: None,
        offset,
        len,
    }
}

/// A whole fragment without bytes or tags that follows the one before it.
pub fn fragment(start: LiveStart, frames: Vec<FrameEntry>, end_ms: i32) -> Fragment {
    let timing = TrackTiming {
        frame_count: frames.len() as u32,
        bytes: frames.iter().map(|frame| frame.len).sum(),
        first_ticks: frames.first().map_or(0, |frame| frame.pts_ticks),
        earliest_ticks: frames.iter().map(|frame| frame.pts_ticks).min().unwrap_or(0),
        end_ticks: end_ms,
        sample_position: 0,
    };
    Fragment {
        number: start.number,
        producer_timestamp: start.producer_timestamp,
        server_timestamp: start.server_timestamp,
        duration_ms: end_ms.unsigned_abs(),
        timecode: start.timecode,
        header: start.header,
        media: Vec::new(),
        starts_with_key: frames.first().is_some_and(|frame| frame.flags.key),
        frames,
        tags: Vec::new(),
        timing: vec![timing],
        continues_previous: true,
    }
}
