//! Track fragment header box: ISO/IEC 14496-12 §8.8.7.

use super::RunShape;
use super::run_shape::RunFlags;
use crate::box_writer::BoxWriter;
use crate::moov::SINGLE_TRACK_ID;
use crate::sample::SampleFlags;

pub(super) fn write(out: &mut Vec<u8>, shape: &RunShape) {
    let duration_flag = if shape.constant_duration.is_some() { DEFAULT_DURATION } else { 0 };
    let flags = DEFAULT_BASE_IS_MOOF | DEFAULT_FLAGS | duration_flag;
    out.put_full_box(b"tfhd", 0, flags, |out| {
        out.put_u32(SINGLE_TRACK_ID);
        if let Some(duration) = shape.constant_duration {
            out.put_u32(duration);
        }
        out.put_u32(match shape.flags {
            RunFlags::Constant(flags) => flags.0,
            RunFlags::FirstIsSync | RunFlags::PerSample => SampleFlags::NON_SYNC.0,
        });
    });
}

pub(super) fn len(shape: &RunShape) -> usize {
    if shape.constant_duration.is_some() { LEN_MAX } else { LEN_MAX - 4 }
}

pub(super) const LEN_MAX: usize = 24;
const DEFAULT_DURATION: u32 = 0x00_0008;
const DEFAULT_FLAGS: u32 = 0x00_0020;
const DEFAULT_BASE_IS_MOOF: u32 = 0x02_0000;
