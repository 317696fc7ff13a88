//! Edit box and edit list box: ISO/IEC 14496-12 §8.6.5, §8.6.6.

use crate::box_writer::BoxWriter;
use crate::progressive::Edit;

/// One edit that leaves out the first `media_time` ticks. A duration of 0 means: to the end of a
/// fragmented file, whatever that is.
pub(crate) fn write_priming(out: &mut Vec<u8>, media_time: u32) {
    out.put_box(b"edts", |out| {
        // Version 0 has a signed 32-bit media_time.
        match i32::try_from(media_time) {
            Ok(media_time) => out.put_full_box(b"elst", 0, 0, |out| {
                out.put_u32(1); // entry_count
                out.put_u32(0); // segment_duration
                out.put_i32(media_time);
                out.put_u32(RATE);
            }),
            Err(_) => write_list(out, &[Edit { duration: 0, media_time: Some(media_time.into()) }]),
        }
    });
}

pub(crate) fn write(out: &mut Vec<u8>, edits: &[Edit]) {
    out.put_box(b"edts", |out| write_list(out, edits));
}

fn write_list(out: &mut Vec<u8>, edits: &[Edit]) {
    out.put_full_box(b"elst", 1, 0, |out| {
        out.put_u32(edits.len() as u32);
        for edit in edits {
            out.put_u64(edit.duration);
            out.put_u64(edit.media_time.unwrap_or(EMPTY_EDIT));
            out.put_u32(RATE);
        }
    });
}

/// media_time −1.
const EMPTY_EDIT: u64 = u64::MAX;
/// media_rate 1.0.
const RATE: u32 = 0x0001_0000;
