//! Track fragment run box: ISO/IEC 14496-12 §8.8.8. Version 1: composition offsets are signed.

use super::RunShape;
use super::run_shape::RunFlags;
use crate::Sample;
use crate::box_writer::BoxWriter;
use crate::sample::SampleFlags;

pub(super) fn write(out: &mut Vec<u8>, data_offset: u32, samples: &[Sample], shape: &RunShape) {
    let mut flags = DATA_OFFSET | SIZES;
    if shape.constant_duration.is_none() {
        flags |= DURATIONS;
    }
    if shape.has_composition_offsets {
        flags |= COMPOSITION_OFFSETS;
    }
    flags |= match shape.flags {
        RunFlags::Constant(_) => 0,
        RunFlags::FirstIsSync => FIRST_SAMPLE_FLAGS,
        RunFlags::PerSample => FLAGS,
    };
    out.put_full_box(b"trun", 1, flags, |out| {
        out.put_u32(samples.len() as u32);
        out.put_u32(data_offset);
        if flags & FIRST_SAMPLE_FLAGS != 0 {
            out.put_u32(SampleFlags::SYNC.0);
        }
        write_rows(out, samples, flags);
    });
}

/// The rows, without a look at the buffer's capacity for each field: this is the hot path.
fn write_rows(out: &mut Vec<u8>, samples: &[Sample], flags: u32) {
    let start = out.len();
    let row_len = row_len(flags);
    out.put_zeros(samples.len() * row_len);
    for (row, sample) in out[start..].chunks_exact_mut(row_len).zip(samples) {
        let mut fields = row.chunks_exact_mut(4);
        let mut put = |value: u32| {
            if let Some(field) = fields.next() {
                field.copy_from_slice(&value.to_be_bytes());
            }
        };
        if flags & DURATIONS != 0 {
            put(sample.duration);
        }
        put(sample.size);
        if flags & FLAGS != 0 {
            put(SampleFlags::of(sample.is_sync).0);
        }
        if flags & COMPOSITION_OFFSETS != 0 {
            put(sample.composition_offset as u32);
        }
    }
}

fn row_len(flags: u32) -> usize {
    4 * (flags & (DURATIONS | SIZES | FLAGS | COMPOSITION_OFFSETS)).count_ones() as usize
}

pub(super) fn len(shape: &RunShape, sample_count: usize) -> usize {
    let (first_flags, per_sample) = match shape.flags {
        RunFlags::Constant(_) => (0, 0),
        RunFlags::FirstIsSync => (4, 0),
        RunFlags::PerSample => (0, 4),
    };
    let durations = if shape.constant_duration.is_none() { 4 } else { 0 };
    let offsets = if shape.has_composition_offsets { 4 } else { 0 };
    20 + first_flags + sample_count * (4 + durations + per_sample + offsets)
}

pub(super) const OVERHEAD_MAX: usize = 24;
const DATA_OFFSET: u32 = 0x001;
const FIRST_SAMPLE_FLAGS: u32 = 0x004;
const DURATIONS: u32 = 0x100;
const SIZES: u32 = 0x200;
const FLAGS: u32 = 0x400;
const COMPOSITION_OFFSETS: u32 = 0x800;
