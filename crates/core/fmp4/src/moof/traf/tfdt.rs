//! Track fragment decode time box: ISO/IEC 14496-12 §8.8.12. Always 64 bits.

use crate::box_writer::BoxWriter;

pub(super) fn write(out: &mut Vec<u8>, base_media_decode_time: u64) {
    out.put_full_box(b"tfdt", 1, 0, |out| out.put_u64(base_media_decode_time));
}

pub(super) const LEN: usize = 20;
