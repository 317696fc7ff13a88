//! Movie box: ISO/IEC 14496-12 §8.2.1.

pub(crate) mod mvex;
pub(crate) mod mvhd;
pub(crate) mod trak;

/// track_ID of the only track of a segment.
pub(crate) const SINGLE_TRACK_ID: u32 = 1;

/// Of `mvhd` and `tkhd`: nothing turned, nothing scaled (§6.2.2).
pub(crate) const UNITY_MATRIX: [u32; 9] = [0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000];
