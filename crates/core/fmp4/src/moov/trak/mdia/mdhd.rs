//! Media header box: ISO/IEC 14496-12 §8.4.2.

use crate::box_writer::BoxWriter;

/// `und`, three letters of five bits.
const LANGUAGE: u16 = 0x55c4;

/// Of a fragmented file: version 0, no times, no duration.
pub(super) fn write_init(out: &mut Vec<u8>, timescale: u32) {
    out.put_full_box(b"mdhd", 0, 0, |out| {
        out.put_zeros(8); // creation_time, modification_time
        out.put_u32(timescale);
        out.put_u32(0); // duration
        out.put_u16(LANGUAGE);
        out.put_u16(0);
    });
}

/// Version 1.
pub(super) fn write(out: &mut Vec<u8>, creation_time: u64, timescale: u32, duration: u64) {
    out.put_full_box(b"mdhd", 1, 0, |out| {
        out.put_u64(creation_time);
        out.put_u64(creation_time); // modification_time
        out.put_u32(timescale);
        out.put_u64(duration);
        out.put_u16(LANGUAGE);
        out.put_u16(0);
    });
}
