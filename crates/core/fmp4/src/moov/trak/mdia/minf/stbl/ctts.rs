//! Composition time to sample box: ISO/IEC 14496-12 §8.6.1.3. Version 1: offsets are signed.

use super::write_table;
use crate::box_writer::BoxWriter;
use crate::progressive::RunLengths;

pub(super) fn write(out: &mut Vec<u8>, offsets: &RunLengths<i32>) {
    write_table(out, b"ctts", 1, offsets.runs().len(), |out| {
        for &(count, offset) in offsets.runs() {
            out.put_u32(count);
            out.put_i32(offset);
        }
    });
}
