//! Movie fragment header box: ISO/IEC 14496-12 §8.8.5.

use crate::box_writer::BoxWriter;

pub(super) fn write(out: &mut Vec<u8>, sequence_number: u32) {
    out.put_full_box(b"mfhd", 0, 0, |out| out.put_u32(sequence_number));
}

pub(super) const LEN: usize = 16;
