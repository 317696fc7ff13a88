//! Sync sample box: ISO/IEC 14496-12 §8.6.2. Without it all samples are sync.

use super::write_table;
use crate::box_writer::BoxWriter;

/// Numbers count from 1.
pub(super) fn write(out: &mut Vec<u8>, sample_numbers: &[u32]) {
    write_table(out, b"stss", 0, sample_numbers.len(), |out| {
        sample_numbers.iter().for_each(|&number| out.put_u32(number));
    });
}
