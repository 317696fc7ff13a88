//! Composition to decode box: ISO/IEC 14496-12 §8.6.1.4. Version 1: 64 bits, for files of any
//! length.

use crate::box_writer::BoxWriter;
use crate::progressive::CompositionRange;

pub(super) fn write(out: &mut Vec<u8>, range: &CompositionRange) {
    out.put_full_box(b"cslg", 1, 0, |out| {
        let mut put = |value: i64| out.put_u64(value as u64);
        put(-i64::from(range.least_offset)); // compositionToDTSShift: makes all offsets ≥ 0
        put(range.least_offset.into()); // leastDecodeToDisplayDelta
        put(range.greatest_offset.into()); // greatestDecodeToDisplayDelta
        put(range.start); // compositionStartTime
        put(range.end); // compositionEndTime
    });
}
