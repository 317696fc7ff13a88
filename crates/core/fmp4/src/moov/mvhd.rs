//! Movie header box: ISO/IEC 14496-12 §8.2.2.

use super::{SINGLE_TRACK_ID, UNITY_MATRIX};
use crate::box_writer::BoxWriter;

/// Of a fragmented file: version 0, no times, no duration.
pub(crate) fn write_init(out: &mut Vec<u8>, timescale: u32) {
    out.put_full_box(b"mvhd", 0, 0, |out| {
        out.put_zeros(8); // creation_time, modification_time
        out.put_u32(timescale);
        out.put_u32(0); // duration
        write_tail(out, SINGLE_TRACK_ID + 1);
    });
}

/// Version 1. `duration` in ticks of `timescale`; times in seconds since 1904.
pub(crate) fn write(
    out: &mut Vec<u8>,
    creation_time: u64,
    timescale: u32,
    duration: u64,
    next_track_id: u32,
) {
    out.put_full_box(b"mvhd", 1, 0, |out| {
        out.put_u64(creation_time);
        out.put_u64(creation_time); // modification_time
        out.put_u32(timescale);
        out.put_u64(duration);
        write_tail(out, next_track_id);
    });
}

fn write_tail(out: &mut Vec<u8>, next_track_id: u32) {
    out.put_u32(0x0001_0000); // rate 1.0
    out.put_u16(0x0100); // volume 1.0
    out.put_zeros(10);
    UNITY_MATRIX.iter().for_each(|&value| out.put_u32(value));
    out.put_zeros(24); // pre_defined
    out.put_u32(next_track_id);
}
