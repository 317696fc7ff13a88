//! nal_unit_type, H.264 Table 7-1.

/// nal_unit_type: the low five bits of a NAL unit's first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NalUnitType(pub u8);

impl NalUnitType {
    /// A coded slice of a picture that is no IDR picture.
    pub const SLICE: Self = Self(1);
    /// Slice data partition A: the one with the slice header.
    pub const SLICE_DATA_PARTITION_A: Self = Self(2);
    /// A coded slice of an IDR picture.
    pub const SLICE_IDR: Self = Self(5);
    /// Supplemental enhancement information.
    pub const SEI: Self = Self(6);
    /// Sequence parameter set.
    pub const SPS: Self = Self(7);
    /// Picture parameter set.
    pub const PPS: Self = Self(8);
    /// Access unit delimiter.
    pub const AUD: Self = Self(9);
    /// End of sequence.
    pub const END_OF_SEQUENCE: Self = Self(10);
    /// End of stream.
    pub const END_OF_STREAM: Self = Self(11);
    /// Filler data.
    pub const FILLER_DATA: Self = Self(12);
    /// Sequence parameter set extension.
    pub const SPS_EXTENSION: Self = Self(13);

    /// Of a NAL unit, header included; `None` when it is empty.
    pub fn of(nal: &[u8]) -> Option<Self> {
        nal.first().map(|byte| Self(byte & 0x1f))
    }

    /// A NAL unit with a slice header of the primary coded picture.
    pub fn has_slice_header(self) -> bool {
        matches!(self, Self::SLICE | Self::SLICE_DATA_PARTITION_A | Self::SLICE_IDR)
    }
}
