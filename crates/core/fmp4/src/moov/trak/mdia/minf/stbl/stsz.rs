//! Sample size box: ISO/IEC 14496-12 §8.7.3.2.

use crate::box_writer::BoxWriter;

/// Of a fragmented file.
pub(super) fn write_empty(out: &mut Vec<u8>) {
    out.put_full_box(b"stsz", 0, 0, |out| out.put_zeros(8));
}

pub(super) fn write(out: &mut Vec<u8>, sizes: &[u32]) {
    let sample_count = u32::try_from(sizes.len()).expect("tables are bounded");
    // A size of 0 here means: each has its own.
    let uniform = sizes
        .first()
        .copied()
        .filter(|&first| first != 0 && sizes.iter().all(|&size| size == first));
    out.put_full_box(b"stsz", 0, 0, |out| {
        out.put_u32(uniform.unwrap_or(0));
        out.put_u32(sample_count);
        if uniform.is_none() {
            sizes.iter().for_each(|&size| out.put_u32(size));
        }
    });
}
