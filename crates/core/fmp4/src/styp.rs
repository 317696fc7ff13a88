//! Segment type box: ISO/IEC 14496-12 §8.16.2, with the brands of packaging.md §3.2.

use crate::SegmentKind;

/// 32 bytes, or none.
pub(crate) fn write(out: &mut Vec<u8>, kind: SegmentKind) {
    // ISO/IEC 23000-19 §7.3.3: a CMAF segment, and a CMAF chunk.
    let last = match kind {
        SegmentKind::Segment => b"cmfs",
        SegmentKind::Part => b"cmfl",
        SegmentKind::Chunk => return,
    };
    crate::ftyp::write(out, b"styp", b"msdh", 0, &[b"msdh", b"msix", b"cmfc", last]);
}

pub(crate) const LEN: usize = 32;
