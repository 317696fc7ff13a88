//! nal_unit_type, H.265 Table 7-1.

/// nal_unit_type: six bits of a NAL unit's first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NalUnitType(pub u8);

impl NalUnitType {
    /// Video parameter set.
    pub const VPS: Self = Self(32);
    /// Sequence parameter set.
    pub const SPS: Self = Self(33);
    /// Picture parameter set.
    pub const PPS: Self = Self(34);
    /// Access unit delimiter.
    pub const AUD: Self = Self(35);
    /// End of sequence.
    pub const END_OF_SEQUENCE: Self = Self(36);
    /// End of bitstream.
    pub const END_OF_BITSTREAM: Self = Self(37);
    /// Filler data.
    pub const FILLER_DATA: Self = Self(38);
    /// SEI that precedes the picture.
    pub const PREFIX_SEI: Self = Self(39);
    /// SEI that follows the picture.
    pub const SUFFIX_SEI: Self = Self(40);

    /// Of a NAL unit, header included; `None` when it is empty.
    pub fn of(nal: &[u8]) -> Option<Self> {
        nal.first().map(|byte| Self(byte >> 1 & 0x3f))
    }

    /// A coded slice segment: types 0 to 31.
    pub fn is_vcl(self) -> bool {
        self.0 <= 31
    }

    /// IDR_W_RADL or IDR_N_LP.
    pub fn is_idr(self) -> bool {
        matches!(self.0, 19 | 20)
    }

    /// A leading picture: RADL 6 and 7, RASL 8 and 9.
    pub fn is_leading(self) -> bool {
        (6..=9).contains(&self.0)
    }

    /// A leading picture that cannot be decoded when decoding starts at its CRA picture.
    pub fn is_rasl(self) -> bool {
        matches!(self.0, 8 | 9)
    }

    /// A slice segment of an intra random access point: BLA 16 to 18, IDR 19 and 20, CRA 21, and
    /// the two reserved types 22 and 23 (§7.4.2.2).
    pub fn is_irap(self) -> bool {
        (16..=23).contains(&self.0)
    }
}
