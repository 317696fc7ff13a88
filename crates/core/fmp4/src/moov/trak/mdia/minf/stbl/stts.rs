//! Decoding time to sample box: ISO/IEC 14496-12 §8.6.1.2.

use super::write_table;
use crate::box_writer::BoxWriter;
use crate::progressive::RunLengths;

pub(super) fn write(out: &mut Vec<u8>, durations: &RunLengths<u32>) {
    write_table(out, b"stts", 0, durations.runs().len(), |out| {
        for &(count, duration) in durations.runs() {
            out.put_u32(count);
            out.put_u32(duration);
        }
    });
}
