//! Movie extends box: ISO/IEC 14496-12 §8.8.1.

mod trex;

use crate::box_writer::BoxWriter;

pub(crate) fn write(out: &mut Vec<u8>, track_id: u32) {
    out.put_box(b"mvex", |out| trex::write(out, track_id));
}
