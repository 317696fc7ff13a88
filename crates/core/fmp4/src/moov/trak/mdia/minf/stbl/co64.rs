//! Chunk large offset box: ISO/IEC 14496-12 §8.7.5. Always 64 bits, so that the length of `moov`
//! does not depend on where the chunks lie.

use super::write_table;
use crate::box_writer::BoxWriter;

/// Where the rows of a `co64` lie in the buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OffsetRows {
    at: usize,
    count: usize,
}

/// Writes offsets counted from the start of the payload of `mdat`: [`OffsetRows::shift`] makes them
/// file positions.
pub(super) fn write(out: &mut Vec<u8>, offsets: &[u64]) -> OffsetRows {
    write_table(out, b"co64", 0, offsets.len(), |out| {
        offsets.iter().for_each(|&offset| out.put_u64(offset));
    });
    OffsetRows { at: out.len() - 8 * offsets.len(), count: offsets.len() }
}

impl OffsetRows {
    /// Adds `base` to each offset.
    pub(crate) fn shift(self, out: &mut [u8], base: u64) {
        let (rows, _) = out[self.at..self.at + 8 * self.count].as_chunks_mut::<8>();
        for row in rows {
            *row = (u64::from_be_bytes(*row) + base).to_be_bytes();
        }
    }
}
