//! Movie fragment box: ISO/IEC 14496-12 §8.8.4.

mod mfhd;
pub(crate) mod traf;

pub(crate) use self::traf::RunShape;

use crate::Sample;
use crate::box_writer::BoxWriter;

/// One track fragment with one run whose payload begins 8 bytes behind this box.
pub(crate) fn write(
    out: &mut Vec<u8>,
    sequence_number: u32,
    base_media_decode_time: u64,
    samples: &[Sample],
    shape: &RunShape,
) {
    let moof_len = HEADER_LEN + mfhd::LEN + shape.traf_len(samples.len());
    let data_offset = moof_len as u32 + 8; // with the header of mdat
    let start = out.len();
    out.put_box(b"moof", |out| {
        mfhd::write(out, sequence_number);
        traf::write(out, base_media_decode_time, data_offset, samples, shape);
    });
    debug_assert_eq!(out.len() - start, moof_len);
}

const HEADER_LEN: usize = 8;
/// Bytes of everything but the samples, at most.
pub(crate) const OVERHEAD_MAX: usize = HEADER_LEN + mfhd::LEN + traf::OVERHEAD_MAX;
