//! Data information box with its data reference box: ISO/IEC 14496-12 §8.7.1, §8.7.2.

use crate::box_writer::BoxWriter;

/// All media is in this file.
const SELF_CONTAINED: u32 = 1;

pub(super) fn write(out: &mut Vec<u8>) {
    out.put_box(b"dinf", |out| {
        out.put_full_box(b"dref", 0, 0, |out| {
            out.put_u32(1); // entry_count
            out.put_full_box(b"url ", 0, SELF_CONTAINED, |_| {});
        });
    });
}
