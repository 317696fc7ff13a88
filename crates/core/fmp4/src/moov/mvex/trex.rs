//! Track extends box: ISO/IEC 14496-12 §8.8.3.

use crate::box_writer::BoxWriter;

/// All defaults 0: each segment tells its own.
pub(super) fn write(out: &mut Vec<u8>, track_id: u32) {
    out.put_full_box(b"trex", 0, 0, |out| {
        out.put_u32(track_id);
        out.put_u32(1); // default_sample_description_index
        out.put_u32(0); // default_sample_duration
        out.put_u32(0); // default_sample_size
        out.put_u32(0); // default_sample_flags
    });
}
