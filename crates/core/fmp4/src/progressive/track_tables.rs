//! The sample tables of one track while they grow: 4 bytes a sample, 8 more for each change of
//! duration and of composition offset, 4 for each sync sample.

use super::RunLengths;
use crate::Sample;
use crate::moov::trak::mdia::minf::stbl::stsc::ChunkRun;

/// The sample tables of one track.
#[derive(Clone, Debug)]
pub(crate) struct TrackTables {
    pub(crate) sizes: Vec<u32>,
    pub(crate) durations: RunLengths<u32>,
    pub(crate) offsets: RunLengths<i32>,
    /// Numbers from 1.
    pub(crate) sync_samples: Vec<u32>,
    pub(crate) chunk_runs: Vec<ChunkRun>,
    /// From the start of the payload of `mdat`.
    pub(crate) chunk_offsets: Vec<u64>,
    /// Ticks of all samples.
    pub(crate) duration: u64,
    pub(crate) composition: CompositionRange,
}

/// What `cslg` tells. Times count from the decode time of the first sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CompositionRange {
    pub(crate) least_offset: i32,
    pub(crate) greatest_offset: i32,
    /// The earliest composition time.
    pub(crate) start: i64,
    /// The latest composition time plus the duration of its sample.
    pub(crate) end: i64,
}

impl TrackTables {
    pub(super) fn new() -> Self {
        Self {
            sizes: Vec::new(),
            durations: RunLengths::new(),
            offsets: RunLengths::new(),
            sync_samples: Vec::new(),
            chunk_runs: Vec::new(),
            chunk_offsets: Vec::new(),
            duration: 0,
            composition: CompositionRange {
                least_offset: i32::MAX,
                greatest_offset: i32::MIN,
                start: i64::MAX,
                end: i64::MIN,
            },
        }
    }

    /// A chunk of at least one sample at `offset`; gives its length. `sample_entry_index` counts
    /// from 0. The builder bounds the number of samples to below 2^24, so no sum overflows.
    pub(super) fn push_chunk(
        &mut self,
        sample_entry_index: u32,
        offset: u64,
        samples: &[Sample],
    ) -> u64 {
        self.chunk_offsets.push(offset);
        let run = ChunkRun {
            first_chunk: self.chunk_offsets.len() as u32,
            samples_per_chunk: samples.len() as u32,
            sample_description_index: sample_entry_index + 1,
        };
        let continues = self
            .chunk_runs
            .last()
            .is_some_and(|last| *last == ChunkRun { first_chunk: last.first_chunk, ..run });
        if !continues {
            self.chunk_runs.push(run);
        }
        samples.iter().map(|sample| self.push_sample(sample)).sum()
    }

    fn push_sample(&mut self, sample: &Sample) -> u64 {
        self.sizes.push(sample.size);
        self.durations.push(sample.duration);
        self.offsets.push(sample.composition_offset);
        if sample.is_sync {
            self.sync_samples.push(self.sizes.len() as u32);
        }
        let range = &mut self.composition;
        range.least_offset = range.least_offset.min(sample.composition_offset);
        range.greatest_offset = range.greatest_offset.max(sample.composition_offset);
        let time = self.duration as i64 + i64::from(sample.composition_offset);
        range.start = range.start.min(time);
        range.end = range.end.max(time + i64::from(sample.duration));
        self.duration += u64::from(sample.duration);
        sample.size.into()
    }

    /// Bytes of all tables in the file, boxes around them not counted.
    pub(super) fn encoded_len(&self) -> usize {
        4 * self.sizes.len()
            + 8 * (self.durations.runs().len() + self.offsets.runs().len())
            + 4 * self.sync_samples.len()
            + 12 * self.chunk_runs.len()
            + 8 * self.chunk_offsets.len()
    }
}
