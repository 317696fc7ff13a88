//! Sample to chunk box: ISO/IEC 14496-12 §8.7.4.

use super::write_table;
use crate::box_writer::BoxWriter;

/// Chunks alike that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChunkRun {
    /// Number of the first, from 1.
    pub(crate) first_chunk: u32,
    /// Samples of each.
    pub(crate) samples_per_chunk: u32,
    /// Number of the sample entry in `stsd`, from 1.
    pub(crate) sample_description_index: u32,
}

pub(super) fn write(out: &mut Vec<u8>, runs: &[ChunkRun]) {
    write_table(out, b"stsc", 0, runs.len(), |out| {
        for run in runs {
            out.put_u32(run.first_chunk);
            out.put_u32(run.samples_per_chunk);
            out.put_u32(run.sample_description_index);
        }
    });
}
