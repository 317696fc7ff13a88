//! Track box: ISO/IEC 14496-12 §8.3.1.

pub(crate) mod edts;
pub(crate) mod mdia;
pub(crate) mod tkhd;

use self::mdia::minf::stbl::{self, co64::OffsetRows};
use super::SINGLE_TRACK_ID;
use crate::TrackInit;
use crate::box_writer::BoxWriter;
use crate::progressive::TrackPlan;

/// Of a fragmented file: no duration, empty sample tables.
pub(crate) fn write_init(out: &mut Vec<u8>, track: &TrackInit) {
    let entry = &track.sample_entry;
    out.put_box(b"trak", |out| {
        tkhd::write_init(out, SINGLE_TRACK_ID, entry);
        if track.priming > 0 {
            edts::write_priming(out, track.priming);
        }
        mdia::write_init(out, track.timescale, entry.handler(), |out| {
            stbl::write_empty(out, entry);
        });
    });
}

/// Of a progressive file. Gives the place of its chunk offsets, which count from the payload of
/// `mdat`.
pub(crate) fn write(
    out: &mut Vec<u8>,
    creation_time: u64,
    track_id: u32,
    track: TrackPlan,
) -> Option<OffsetRows> {
    let mut offset_rows = None;
    let duration = track.presentation_duration();
    let TrackPlan { timescale, sample_entries, edits, tables } = track;
    let first = sample_entries.first()?;
    out.put_box(b"trak", |out| {
        tkhd::write(out, creation_time, track_id, duration, first);
        if !edits.is_empty() {
            edts::write(out, &edits);
        }
        let (handler, media_duration) = (first.handler(), tables.duration);
        mdia::write(out, creation_time, timescale, media_duration, handler, |out| {
            offset_rows = Some(stbl::write(out, &sample_entries, tables));
        });
    });
    offset_rows
}
