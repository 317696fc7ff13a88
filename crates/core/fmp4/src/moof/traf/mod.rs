//! Track fragment box: ISO/IEC 14496-12 §8.8.6.

mod run_shape;
mod tfdt;
mod tfhd;
mod trun;

pub(crate) use self::run_shape::RunShape;

use crate::Sample;
use crate::box_writer::BoxWriter;

pub(super) fn write(
    out: &mut Vec<u8>,
    base_media_decode_time: u64,
    data_offset: u32,
    samples: &[Sample],
    shape: &RunShape,
) {
    out.put_box(b"traf", |out| {
        tfhd::write(out, shape);
        tfdt::write(out, base_media_decode_time);
        trun::write(out, data_offset, samples, shape);
    });
}

impl RunShape {
    pub(super) fn traf_len(&self, sample_count: usize) -> usize {
        8 + tfhd::len(self) + tfdt::LEN + trun::len(self, sample_count)
    }
}

pub(super) const OVERHEAD_MAX: usize = 8 + tfhd::LEN_MAX + tfdt::LEN + trun::OVERHEAD_MAX;
