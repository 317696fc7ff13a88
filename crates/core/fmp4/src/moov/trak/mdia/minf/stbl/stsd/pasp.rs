//! Pixel aspect ratio box: ISO/IEC 14496-12 §12.1.4.

use crate::box_writer::BoxWriter;

pub(super) fn write(out: &mut Vec<u8>, horizontal_spacing: u32, vertical_spacing: u32) {
    out.put_box(b"pasp", |out| {
        out.put_u32(horizontal_spacing);
        out.put_u32(vertical_spacing);
    });
}
